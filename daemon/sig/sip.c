/*
 * sip_head.c finds and checks, libosip2 takes From, To, Via, CSeq and
 * Content-Type apart, multipart.c finds the session description.
 *
 * libosip2 gets a message of its own, made of the headers we use: without a
 * body (its multipart reader knows no limits) and without what it might
 * refuse although nobody here cares.  Its logging is off unless somebody
 * switches it on; its threads are in libosip2, not in libosipparser2.
 */
#include "daemon/sig/sip.h"

#include <sys/time.h> /* osip_port.h needs it */

#include <errno.h>
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/must.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/multipart.h"
#include "daemon/sig/sip_head.h"

#define CSEQ_MAX 0x7fffffffu /* RFC 3261 section 8.1.1.5: less than 2**31 */

static const struct {
	const char *name;
	enum sip_method method;
} methods[] = {
	{ "INVITE", SIP_INVITE },     { "ACK", SIP_ACK },
	{ "BYE", SIP_BYE },           { "CANCEL", SIP_CANCEL },
	{ "OPTIONS", SIP_OPTIONS },   { "UPDATE", SIP_UPDATE },
	{ "INFO", SIP_INFO },         { "PRACK", SIP_PRACK },
	{ "REGISTER", SIP_REGISTER },
};

/* The message, its strings behind it in one piece of memory */
struct parsed {
	struct sip_message message;
	struct buf strings;
	size_t call_id, from_tag, to_tag, from, to, branch; /* Offsets */
};

struct body {
	const char *data;
	size_t len;
};

static enum sip_method method_of(struct sip_text name)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (name.len == strlen(methods[i].name) &&
		    memcmp(name.p, methods[i].name, name.len) == 0)
			return methods[i].method;
	return SIP_OTHER;
}

static int osip_error(int err)
{
	return err == OSIP_NOMEM ? -ENOMEM : -EBADMSG;
}

static void put_header(struct buf *b, const char *name, struct sip_text value)
{
	if (!value.p)
		return;
	buf_puts(b, name);
	buf_add(b, value.p, value.len);
	buf_puts(b, "\r\n");
}

/* Let libosip2 read the headers we use */
static int parse_head(osip_message_t **out, const struct sip_head *h)
{
	static bool ready;
	struct buf b = { 0 };
	osip_message_t *m;

	if (!ready) {
		must(parser_init() == OSIP_SUCCESS); /* Static tables */
		ready = true;
	}
	if (h->request) {
		buf_add(&b, h->method.p, h->method.len);
		buf_puts(&b, " ");
		buf_add(&b, h->uri.p, h->uri.len);
		buf_puts(&b, " SIP/2.0\r\n");
	} else {
		buf_printf(&b, "SIP/2.0 %u \r\n", h->status);
	}
	put_header(&b, "Via: ", h->via);
	put_header(&b, "From: ", h->from);
	put_header(&b, "To: ", h->to);
	put_header(&b, "Call-ID: ", h->call_id);
	put_header(&b, "CSeq: ", h->cseq);
	put_header(&b, "Content-Type: ", h->content_type);
	buf_puts(&b, "Content-Length: 0\r\n\r\n");
	int err = b.err;

	if (!err && osip_message_init(&m) != OSIP_SUCCESS)
		err = -ENOMEM;
	if (err) {
		buf_free(&b);
		return err;
	}
	err = osip_message_parse(m, buf_str(&b), b.len);
	buf_free(&b);
	if (err || !m->from || !m->to || !m->call_id || !m->cseq ||
	    osip_list_eol(&m->vias, 0)) {
		osip_message_free(m);
		return err ? osip_error(err) : -EBADMSG;
	}
	*out = m;
	return 0;
}

static int read_cseq(struct parsed *p, const struct sip_head *h,
		     const osip_message_t *m)
{
	const struct sip_text method = { m->cseq->method,
					 m->cseq->method
						 ? strlen(m->cseq->method) : 0 };
	uint64_t n;

	if (!m->cseq->number || !method.len ||
	    number_parse(&n, m->cseq->number, strlen(m->cseq->number),
			 CSEQ_MAX) < 0)
		return -EBADMSG;
	if (h->request && (method.len != h->method.len ||
			   memcmp(method.p, h->method.p, method.len) != 0))
		return -EBADMSG;
	p->message.cseq = (uint32_t)n;
	p->message.method = method_of(method);
	return 0;
}

static size_t keep(struct parsed *p, const char *text, size_t len)
{
	const size_t at = p->strings.len;

	if (text)
		buf_add(&p->strings, text, len);
	buf_add(&p->strings, "", 1);
	if (!p->strings.err)
		utf8_clean((char *)p->strings.data + at);
	return at;
}

static size_t keep_string(struct parsed *p, const char *text)
{
	return keep(p, text, text ? strlen(text) : 0);
}

/* "user@host", "host", or what stands behind "tel:" */
static size_t keep_address(struct parsed *p, const osip_from_t *a)
{
	const osip_uri_t *u = a->url;
	struct buf b = { 0 };

	if (u && u->string) {
		buf_puts(&b, u->string);
	} else if (u) {
		const char *host = u->host ? u->host : "";
		const bool v6 = strchr(host, ':') && host[0] != '[';

		if (u->username)
			buf_printf(&b, "%s%s", u->username, *host ? "@" : "");
		buf_printf(&b, v6 ? "[%s]" : "%s", host);
	}
	if (b.err)
		p->strings.err = b.err;
	const size_t at = keep_string(p, buf_str(&b));

	buf_free(&b);
	return at;
}

static size_t keep_param(struct parsed *p, const osip_list_t *params,
			 const char *name)
{
	osip_generic_param_t *found = NULL;
	/* libosip2 does not write to it */
	osip_list_t *list = (osip_list_t *)(uintptr_t)params;

	if (osip_generic_param_get_byname(list, (char *)(uintptr_t)name,
					  &found) != OSIP_SUCCESS)
		found = NULL;
	return keep_string(p, found ? found->gvalue : NULL);
}

static void keep_identity(struct parsed *p, const struct sip_head *h,
			  const osip_message_t *m)
{
	const osip_via_t *via = osip_list_get(&m->vias, 0);

	p->call_id = keep(p, h->call_id.p, h->call_id.len);
	p->from_tag = keep_param(p, &m->from->gen_params, "tag");
	p->to_tag = keep_param(p, &m->to->gen_params, "tag");
	p->from = keep_address(p, m->from);
	p->to = keep_address(p, (const osip_from_t *)m->to);
	p->branch = keep_param(p, &via->via_params, "branch");
}

static bool type_is(const char *type, size_t len, const char *what)
{
	return len == strlen(what) && strncasecmp(type, what, len) == 0;
}

static bool is_metadata(const char *type, size_t len)
{
	return type_is(type, len, "application/rs-metadata+xml") ||
	       type_is(type, len, "application/rs-metadata");
}

static int read_multipart(struct parsed *p, const osip_content_type_t *type,
			  struct body in, struct body *sdp)
{
	osip_generic_param_t *found = NULL;
	struct multipart m;
	struct multipart_part part;
	int got;

	if (osip_generic_param_get_byname(
		    (osip_list_t *)(uintptr_t)&type->gen_params,
		    (char *)(uintptr_t)"boundary", &found) != OSIP_SUCCESS ||
	    !found || !found->gvalue)
		return -EBADMSG;
	struct sip_text b = { found->gvalue, strlen(found->gvalue) };

	if (b.len >= 2 && b.p[0] == '"' && b.p[b.len - 1] == '"') {
		b.p++;
		b.len -= 2;
	}
	const int err = multipart_begin(&m, b.p, b.len, in.data, in.len);

	if (err)
		return err;
	while ((got = multipart_next(&m, &part)) == 1) {
		p->message.siprec |= is_metadata(part.type, part.type_len);
		if (!sdp->len &&
		    type_is(part.type, part.type_len, "application/sdp"))
			*sdp = (struct body){ part.data, part.len };
	}
	return got;
}

/* Which bytes are the body? */
static int find_body(const struct sip_head *h, const char *data, size_t len,
		     struct body *out)
{
	const struct sip_text t = h->content_length;
	uint64_t n = len - h->len;

	if (t.p && (number_parse(&n, t.p, t.len, SIP_MESSAGE_MAX) < 0 ||
		    n > len - h->len))
		return -EBADMSG; /* RFC 3261 section 18.3 */
	*out = (struct body){ data + h->len, n };
	return 0;
}

static int find_sdp(struct parsed *p, const struct sip_head *h,
		    const osip_message_t *m, struct body in, struct body *sdp)
{
	const osip_content_type_t *t = m->content_type;
	char type[64];

	if (!in.len || (h->content_encoding.len &&
			!sip_text_is(h->content_encoding, "identity")))
		return 0;
	if (!t || !t->type || !t->subtype) {
		/* RFC 3261 wants a Content-Type; who forgets it means this */
		if (in.len >= 2 && memcmp(in.data, "v=", 2) == 0)
			*sdp = in;
		return 0;
	}
	if (strcasecmp(t->type, "multipart") == 0)
		return read_multipart(p, t, in, sdp);
	const int n = snprintf(type, sizeof(type), "%s/%s", t->type,
			       t->subtype);

	if (n > 0 && (size_t)n < sizeof(type)) {
		p->message.siprec |= is_metadata(type, (size_t)n);
		if (type_is(type, (size_t)n, "application/sdp"))
			*sdp = in;
	}
	return 0;
}

static int finish(struct sip_message **out, struct parsed *p, struct body sdp)
{
	struct sip_message *m = &p->message;
	const size_t at = p->strings.len;

	buf_add(&p->strings, sdp.data, sdp.len);
	if (p->strings.err)
		return p->strings.err;
	const char *text = buf_str(&p->strings);

	m->call_id = text + p->call_id;
	m->from_tag = text + p->from_tag;
	m->to_tag = text + p->to_tag;
	m->from = text + p->from;
	m->to = text + p->to;
	m->branch = text + p->branch;
	m->sdp = text + at;
	m->sdp_len = sdp.len;
	m->priv = p;
	*out = m;
	return 0;
}

static int fill(struct sip_message **out, struct parsed *p,
		const struct sip_head *h, const char *data, size_t len)
{
	struct body body, sdp = { "", 0 };
	osip_message_t *m;
	int err = find_body(h, data, len, &body);

	if (!err)
		err = parse_head(&m, h);
	if (err)
		return err;
	p->message.request = h->request;
	p->message.status = h->status;
	p->message.siprec = h->siprec;
	err = read_cseq(p, h, m);
	if (!err)
		err = find_sdp(p, h, m, body, &sdp);
	if (!err)
		keep_identity(p, h, m);
	osip_message_free(m);
	return err ? err : finish(out, p, sdp);
}

static void parsed_free(struct parsed *p)
{
	buf_free(&p->strings);
	free(p);
}

int sip_parse(struct sip_message **out, const uint8_t *data, size_t len)
{
	struct sip_head h;
	int err = sip_head_parse(&h, (const char *)data, len);

	if (err)
		return err;
	struct parsed *p = calloc(1, sizeof(*p));

	err = p ? fill(out, p, &h, (const char *)data, len) : -ENOMEM;
	sip_head_free(&h);
	if (err && p)
		parsed_free(p);
	return err;
}

void sip_free(struct sip_message *m)
{
	if (m)
		parsed_free(m->priv);
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
