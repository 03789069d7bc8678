#include "daemon/sig/sip_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/sig/sip.h"

bool sip_text_is(struct sip_text t, const char *what)
{
	return t.len == strlen(what) && strncasecmp(t.p, what, t.len) == 0;
}

struct sip_text sip_text_trim(struct sip_text t)
{
	while (t.len && (t.p[0] == ' ' || t.p[0] == '\t')) {
		t.p++;
		t.len--;
	}
	while (t.len && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

struct sip_text sip_text_cut(struct sip_text *rest, char sep)
{
	const char *at = rest->len ? memchr(rest->p, sep, rest->len) : NULL;
	struct sip_text piece = *rest;

	if (!rest->len)
		return piece;
	if (at) {
		piece.len = (size_t)(at - rest->p);
		rest->p = at + 1;
		rest->len -= piece.len + 1;
	} else {
		rest->p += rest->len;
		rest->len = 0;
	}
	return piece;
}

/* RFC 3261 section 25.1 */
static bool is_token(struct sip_text t)
{
	for (size_t i = 0; i < t.len; i++) {
		const char c = t.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') ||
		      (c && strchr("-.!%*_+`'~", c))))
			return false;
	}
	return t.len > 0;
}

/* Begins with a scheme (RFC 3986 section 3.1) and holds no blank */
static bool is_uri(struct sip_text t)
{
	struct sip_text rest = t;
	const struct sip_text scheme = sip_text_cut(&rest, ':');

	return is_token(scheme) && scheme.len < t.len &&
	       (scheme.p[0] | 0x20) >= 'a' && (scheme.p[0] | 0x20) <= 'z' &&
	       !memchr(t.p, '\t', t.len);
}

static int read_status(struct sip_head *h, struct sip_text line)
{
	struct sip_text code = sip_text_cut(&line, ' ');
	uint64_t n;

	if (code.len != 3 || number_parse(&n, code.p, 3, 699) < 0 || n < 100)
		return -EBADMSG;
	h->status = (unsigned)n;
	return 0;
}

/* One space between the three parts and none behind (RFC 3261 section 7) */
static int read_start(struct sip_head *h, struct sip_text line)
{
	struct sip_text rest = line;

	h->method = sip_text_cut(&rest, ' ');
	if (sip_text_is(h->method, "SIP/2.0"))
		return read_status(h, rest);
	h->request = true;
	h->uri = sip_text_cut(&rest, ' ');
	if (!is_token(h->method) || !is_uri(h->uri) ||
	    !sip_text_is(rest, "SIP/2.0"))
		return -EBADMSG;
	return 0;
}

static bool lists(struct sip_text value, const char *what)
{
	while (value.len) {
		struct sip_text one = sip_text_cut(&value, ',');

		if (sip_text_is(sip_text_trim(one), what))
			return true;
	}
	return false;
}

/* Contact: <sip:src@192.0.2.1>;+sip.src (RFC 7866 section 9.1); some write
 * ;src, and some write it inside the brackets */
static bool has_src_tag(struct sip_text contact)
{
	struct sip_text params;

	while (contact.len) {
		params = sip_text_cut(&contact, ';');
		params = sip_text_cut(&params, ',');
		params = sip_text_trim(params);
		if (sip_text_is(params, "src") || sip_text_is(params, "src>"))
			return true;
		params = sip_text_trim(sip_text_cut(&params, '='));
		if (sip_text_is(params, "+sip.src") ||
		    sip_text_is(params, "+sip.src>"))
			return true;
	}
	return false;
}

/* Headers that may stand there once only, with their compact forms */
static const struct single {
	const char *name;
	char compact;
	bool again;   /* The same once more does no harm; some servers do it */
	size_t at;
} singles[] = {
	{ "from", 'f', false, offsetof(struct sip_head, from) },
	{ "to", 't', false, offsetof(struct sip_head, to) },
	{ "call-id", 'i', false, offsetof(struct sip_head, call_id) },
	{ "cseq", 0, false, offsetof(struct sip_head, cseq) },
	{ "content-length", 'l', false,
	  offsetof(struct sip_head, content_length) },
	{ "content-type", 'c', true, offsetof(struct sip_head, content_type) },
	{ "content-encoding", 'e', true,
	  offsetof(struct sip_head, content_encoding) },
	{ "max-forwards", 0, true, offsetof(struct sip_head, max_forwards) },
};

static bool same(struct sip_text a, struct sip_text b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static bool named(struct sip_text name, const char *full, char compact)
{
	return sip_text_is(name, full) ||
	       (compact && name.len == 1 && (name.p[0] | 0x20) == compact);
}

static int read_header(struct sip_head *h, struct sip_text line)
{
	struct sip_text value = line;
	const bool colon = memchr(line.p, ':', line.len);
	const struct sip_text name = sip_text_trim(sip_text_cut(&value, ':'));

	if (!colon || !is_token(name))
		return -EBADMSG;
	value = sip_text_trim(value);
	for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
		struct sip_text *slot =
			(struct sip_text *)(void *)((char *)h + singles[i].at);

		if (!named(name, singles[i].name, singles[i].compact))
			continue;
		/* Which one holds?  Nobody can know */
		if (slot->p && !(singles[i].again && same(*slot, value)))
			return -EBADMSG;
		*slot = value;
		return 0;
	}
	if (named(name, "via", 'v')) {
		if (!h->via.p)
			h->via = value;
	} else if (named(name, "require", 0)) {
		h->siprec |= lists(value, "siprec");
	} else if (named(name, "session-id", 0)) {
		if (!h->session_id.p)
			h->session_id = value;
	} else if (named(name, "x-cisco-recording-participant", 0)) {
		if (h->n_recorded < SIP_RECORDED_MAX)
			h->recorded[h->n_recorded++] = value;
	} else if (named(name, "contact", 'm')) {
		h->siprec |= has_src_tag(value);
	}
	return 0;
}

static int check(const struct sip_head *h)
{
	uint64_t n;

	if (!h->via.len || !h->from.len || !h->to.len || !h->call_id.len ||
	    !h->cseq.len)
		return -EBADMSG;
	if (h->max_forwards.p &&
	    number_parse(&n, h->max_forwards.p, h->max_forwards.len, 255) < 0)
		return -EBADMSG;
	return 0;
}

/* Where the blank line ends, or 0 */
static size_t head_length(const char *data, size_t len)
{
	size_t begin = 0;

	for (;;) {
		const char *lf = begin < len ? memchr(data + begin, '\n',
						      len - begin) : NULL;
		const size_t at = lf ? (size_t)(lf - data) : 0;

		if (!lf)
			return 0;
		if (at == begin || (at == begin + 1 && data[begin] == '\r'))
			return at + 1;
		begin = at + 1;
	}
}

/* Line ends before a blank become blanks; no other CR, no NUL may be there */
static int unfold(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const size_t eol = text[i] == '\r' ? 2 : 1;

		if (text[i] == '\0' ||
		    (text[i] == '\r' && (i + 1 >= len || text[i + 1] != '\n')))
			return -EBADMSG;
		if (text[i] != '\r' && text[i] != '\n')
			continue;
		if (i + eol < len &&
		    (text[i + eol] == ' ' || text[i + eol] == '\t'))
			memset(text + i, ' ', eol);
		else
			i += eol - 1;
	}
	return 0;
}

static int read_lines(struct sip_head *h, size_t len)
{
	struct sip_text rest = { h->text, len };
	struct sip_text line;
	bool first = true;
	int err = 0;

	while (rest.len && !err) {
		line = sip_text_cut(&rest, '\n');
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			break;
		if (line.len > SIP_LINE_MAX ||
		    (!first && ++h->headers > SIP_HEADERS_MAX))
			return -EMSGSIZE;
		err = first ? read_start(h, line) : read_header(h, line);
		first = false;
	}
	return err;
}

int sip_head_parse(struct sip_head *out, const char *data, size_t len)
{
	struct sip_head h = { 0 };
	size_t skip = 0;

	if (len > SIP_MESSAGE_MAX)
		return -EMSGSIZE;
	while (skip < len && (data[skip] == '\r' || data[skip] == '\n'))
		skip++;
	const size_t head = head_length(data + skip, len - skip);

	if (!head)
		return -EBADMSG;
	h.text = malloc(head);
	if (!h.text)
		return -ENOMEM;
	memcpy(h.text, data + skip, head);
	h.len = skip + head;
	int err = unfold(h.text, head);

	if (!err)
		err = read_lines(&h, head);
	if (!err)
		err = check(&h);
	if (err) {
		free(h.text);
		return err;
	}
	*out = h;
	return 0;
}

void sip_head_free(struct sip_head *h)
{
	free(h->text);
	h->text = NULL;
}

bool sip_looks_like(const uint8_t *data, size_t len)
{
	const char *p = (const char *)data;
	size_t i = 0, method;

	while (i < len && (p[i] == '\r' || p[i] == '\n'))
		i++;
	p += i;
	len -= i;
	if (len >= 8 && memcmp(p, "SIP/2.0 ", 8) == 0)
		return true;
	for (method = 0; method < len && method < 32; method++)
		if (p[method] < 'A' || p[method] > 'Z')
			break;
	if (method < 3 || method + 5 > len || p[method] != ' ')
		return false;
	/* INFO sip:..., or a line that ends with its version */
	p += method + 1;
	len -= method + 1;
	if (strncasecmp(p, "sip:", 4) == 0 || strncasecmp(p, "tel:", 4) == 0 ||
	    (len >= 5 && strncasecmp(p, "sips:", 5) == 0))
		return true;
	const char *lf = memchr(p, '\n', MIN(len, (size_t)SIP_LINE_MAX));

	if (lf)
		len = (size_t)(lf - p) - (lf > p && lf[-1] == '\r');
	return lf && len >= 8 && memcmp(p + len - 8, " SIP/2.0", 8) == 0;
}
