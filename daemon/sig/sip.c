/*
 * sip_head.c finds and checks, libosip2 takes From, To, Via, CSeq and
 * Content-Type apart, sip_body.c finds the session description.
 *
 * libosip2 gets a message of its own, made of the headers we use: without a
 * body (its multipart reader knows no limits) and without what it might
 * refuse although nobody here cares: display names, the request URI, other
 * headers.  Its threads are in libosip2, not in
 * libosipparser2, which prints errors on stdout until told not to.
 */
#include "daemon/sig/sip.h"

#include <sys/time.h> /* osip_port.h needs it */

#include <errno.h>
#include <osipparser2/osip_message.h>
#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/must.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/sip_body.h"
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
	size_t call_id, from_tag, to_tag, from, to, branch,
		session_id, recorded; /* Offsets */
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

/* `\"A\" <sip:a@b>` is not by the RFC, but telephones write it */
static struct sip_text without_display_name(struct sip_text t)
{
	bool quoted = false;

	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] == '\\')
			i++;
		else if (t.p[i] == '"')
			quoted = !quoted;
		else if (t.p[i] == '<' && !quoted)
			return (struct sip_text){ t.p + i, t.len - i };
	}
	return t;
}

static void put_head(struct buf *b, const struct sip_head *h)
{
	if (h->request) {
		buf_add(b, h->method.p, h->method.len);
		buf_puts(b, " sip:invalid SIP/2.0\r\n");
	} else {
		buf_printf(b, "SIP/2.0 %u \r\n", h->status);
	}
	put_header(b, "Via: ", h->via);
	put_header(b, "From: ", without_display_name(h->from));
	put_header(b, "To: ", without_display_name(h->to));
	put_header(b, "Call-ID: ", h->call_id);
	put_header(b, "CSeq: ", h->cseq);
	if (sip_body_is_multipart(h))
		put_header(b, "Content-Type: ", h->content_type);
	buf_puts(b, "Content-Length: 0\r\n\r\n");
}

static void init_once(void)
{
	static bool ready;

	if (ready)
		return;
	must(parser_init() == OSIP_SUCCESS); /* Static tables */
	/* Without a file it would choose stdout at the first error */
	(void)osip_trace_initialize(TRACE_LEVEL0, stderr);
	for (int l = TRACE_LEVEL0; l < END_TRACE_LEVEL; l++)
		osip_trace_disable_level((osip_trace_level_t)l);
	ready = true;
}

/* Let libosip2 read the headers we use */
static int parse_head(osip_message_t **out, const struct sip_head *h)
{
	struct buf b = { 0 };
	osip_message_t *m;

	init_once();
	put_head(&b, h);
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

/* "user@host", "host", what stands behind "tel:", or another URI whole */
static size_t keep_address(struct parsed *p, const osip_from_t *a)
{
	const osip_uri_t *u = a->url;
	struct buf b = { 0 };

	if (u && u->string) {
		if (u->scheme && strcasecmp(u->scheme, "tel") != 0)
			buf_printf(&b, "%s:", u->scheme);
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

static size_t keep_recorded(struct parsed *p, const struct sip_head *h)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < h->n_recorded; i++) {
		buf_puts(&b, i ? "," : "");
		buf_add(&b, h->recorded[i].p, h->recorded[i].len);
	}
	if (b.err)
		p->strings.err = b.err;
	const size_t at = keep(p, buf_str(&b), b.len);

	buf_free(&b);
	return at;
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
	p->session_id = keep(p, h->session_id.p, h->session_id.len);
	p->recorded = keep_recorded(p, h);
	p->branch = keep_param(p, &via->via_params, "branch");
}

static int finish(struct sip_message **out, struct parsed *p,
		  const struct sip_body *body)
{
	struct sip_message *m = &p->message;
	const size_t at = p->strings.len;

	buf_add(&p->strings, body->sdp.p, body->sdp.len);
	buf_add(&p->strings, body->metadata.p, body->metadata.len);
	if (p->strings.err)
		return p->strings.err;
	const char *text = buf_str(&p->strings);

	m->call_id = text + p->call_id;
	m->from_tag = text + p->from_tag;
	m->to_tag = text + p->to_tag;
	m->from = text + p->from;
	m->to = text + p->to;
	m->branch = text + p->branch;
	m->session_id = text + p->session_id;
	m->recorded = text + p->recorded;
	m->sdp = text + at;
	m->sdp_len = body->sdp.len;
	m->metadata = m->sdp + m->sdp_len;
	m->metadata_len = body->metadata.len;
	m->siprec = body->siprec;
	m->priv = p;
	*out = m;
	return 0;
}

static int fill(struct sip_message **out, struct parsed *p,
		const struct sip_head *h, const char *data, size_t len)
{
	struct sip_body body = { .siprec = h->siprec };
	osip_message_t *m;
	int err = parse_head(&m, h);

	if (err)
		return err;
	p->message.request = h->request;
	p->message.status = h->status;
	err = read_cseq(p, h, m);
	if (!err)
		err = sip_body_read(&body, h, m->content_type, data, len);
	if (!err)
		keep_identity(p, h, m);
	osip_message_free(m);
	return err ? err : finish(out, p, &body);
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
