/** @file sip_text.c  Lines, headers, m-lines */
#include "tools/callgen/sip_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/number.h"

bool piece_is(struct piece p, const char *text)
{
	return p.p && p.len == strlen(text) && !strncasecmp(p.p, text, p.len);
}

static struct piece trim(struct piece p)
{
	while (p.len && (*p.p == ' ' || *p.p == '\t')) {
		p.p++;
		p.len--;
	}
	while (p.len && strchr(" \t\r", p.p[p.len - 1]))
		p.len--;
	return p;
}

/* The next line, without its end. */
static bool line_of(struct piece *rest, struct piece *out)
{
	if (rest->len == 0)
		return false;
	const char *lf = memchr(rest->p, '\n', rest->len);
	const size_t n = lf ? (size_t)(lf - rest->p) + 1 : rest->len;

	*out = (struct piece){ rest->p, n - (lf != NULL) };
	if (out->len && out->p[out->len - 1] == '\r')
		out->len--;
	rest->p += n;
	rest->len -= n;
	return true;
}

/* Up to `sep`, which is taken out of `p` too. */
static struct piece word(struct piece *p, char sep)
{
	const char *at = p->len ? memchr(p->p, sep, p->len) : NULL;
	const struct piece w = { p->p, at ? (size_t)(at - p->p) : p->len };
	const size_t taken = w.len + (at != NULL);

	p->p += taken;
	p->len -= taken;
	return w;
}

struct piece sip_text_header(const struct sip_text *m, const char *name,
			     char brief, unsigned n)
{
	struct piece rest = m->head, line;

	while (line_of(&rest, &line)) {
		struct piece value = line;
		const struct piece key = trim(word(&value, ':'));

		if (key.len == line.len)
			continue;
		if (!piece_is(key, name) &&
		    !(brief && key.len == 1 && (*key.p | 0x20) == brief))
			continue;
		if (n-- == 0)
			return trim(value);
	}
	return (struct piece){0};
}

static int read_number(uint32_t *out, struct piece p)
{
	uint64_t v;

	if (!p.p || number_parse(&v, p.p, p.len, UINT32_MAX))
		return -EBADMSG;
	*out = (uint32_t)v;
	return 0;
}

int sip_text_read(struct sip_text *out, const char *data, size_t len)
{
	struct piece rest = { data, len }, line;
	struct sip_text m = {0};
	uint32_t status = 0;

	if (!line_of(&rest, &line))
		return -EBADMSG;
	const struct piece first = word(&line, ' ');

	m.request = !piece_is(first, "SIP/2.0");
	if (!m.request && read_number(&status, word(&line, ' ')))
		return -EBADMSG;
	m.status = status;
	m.head.p = rest.p;
	do {
		if (!line_of(&rest, &line))
			return -EBADMSG;
	} while (line.len);
	m.head.len = (size_t)(rest.p - m.head.p);
	m.body = rest;

	struct piece cseq = sip_text_header(&m, "CSeq", 0, 0);

	if (!cseq.p || read_number(&m.cseq, word(&cseq, ' ')))
		return -EBADMSG;
	m.method = m.request ? first : trim(cseq);
	*out = m;
	return 0;
}

struct piece piece_uri(struct piece address)
{
	const char *open = address.p ? memchr(address.p, '<', address.len) : NULL;

	if (!open)
		return trim(word(&address, ';'));
	struct piece rest = { open + 1,
			      address.len - (size_t)(open + 1 - address.p) };

	return word(&rest, '>');
}

/* c=IN IP4 192.0.2.1 */
static void read_connection(struct addr *out, struct piece line)
{
	word(&line, ' ');
	word(&line, ' ');
	line = trim(line);
	if (addr_parse(out, line.p, line.len))
		*out = (struct addr){0};
}

size_t sip_text_media(struct addr out[SIP_TEXT_MEDIA], struct piece sdp)
{
	uint32_t ports[SIP_TEXT_MEDIA];
	struct addr session = {0};
	struct piece line;
	size_t n = 0;

	while (line_of(&sdp, &line)) {
		if (line.len < 2 || line.p[1] != '=')
			continue;
		if (*line.p == 'c') {
			read_connection(n ? &out[n - 1] : &session, line);
		} else if (*line.p == 'm' && n < SIP_TEXT_MEDIA) {
			word(&line, ' ');
			if (read_number(&ports[n], word(&line, ' ')) ||
			    ports[n] > UINT16_MAX)
				ports[n] = 0;
			out[n++] = session;
		}
	}
	for (size_t i = 0; i < n; i++) {
		out[i].port = (uint16_t)ports[i];
		if (!ports[i] || addr_is_any(&out[i]))
			out[i] = (struct addr){0};
	}
	return n;
}
