/** @file sip_respond.c  An answer to a SIP request */
#include "daemon/sig/sip_respond.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/sig/sip_uri.h"

enum { PORT = 5060, SENT_BY = 300 };

static const struct {
	unsigned status;
	const char *phrase;
} phrases[] = {
	{ 100, "Trying" },
	{ 200, "OK" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Unsupported URI Scheme" },
	{ 420, "Bad Extension" },
	{ 422, "Session Interval Too Small" },
	{ 481, "Call/Transaction Does Not Exist" },
	{ 482, "Loop Detected" },
	{ 488, "Not Acceptable Here" },
	{ 491, "Request Pending" },
	{ 500, "Server Internal Error" },
	{ 503, "Service Unavailable" },
	{ 505, "Version Not Supported" },
	{ 513, "Message Too Large" },
};

const char *sip_phrase(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Error";
}

static void put_text(struct buf *b, struct sip_text t)
{
	buf_add(b, t.p, t.len);
}

static void put_line(struct buf *b, const char *name, struct sip_text value)
{
	if (!value.p)
		return;
	buf_printf(b, "%s: ", name);
	put_text(b, value);
	buf_puts(b, "\r\n");
}

/* "SIP / 2.0 / UDP host : port;...", blanks wherever they like: the host and
 * port as a URI, which `text` holds */
static int sent_by(struct sip_uri *out, char text[SENT_BY], struct sip_text via)
{
	struct sip_text rest = sip_text_cut(&via, ';');
	size_t n = 4;

	sip_text_cut(&rest, '/');
	sip_text_cut(&rest, '/');
	rest = sip_text_trim(rest);
	while (rest.len && rest.p[0] != ' ' && rest.p[0] != '\t') {
		rest.p++; /* the transport */
		rest.len--;
	}
	memcpy(text, "sip:", n);
	for (size_t i = 0; i < rest.len && n < SENT_BY; i++)
		if (rest.p[i] != ' ' && rest.p[i] != '\t')
			text[n++] = rest.p[i];
	return sip_uri_read(out, (struct sip_text){ text, n });
}

/* Parameters of its own are taken out: nobody may say where we answer */
static void put_params(struct buf *b, struct sip_text via)
{
	struct sip_text rest = via;

	put_text(b, sip_text_cut(&rest, ';'));
	while (rest.len) {
		struct sip_text one = sip_text_cut(&rest, ';'), name = one;

		name = sip_text_trim(sip_text_cut(&name, '='));
		if (sip_text_is(name, "received") || sip_text_is(name, "rport"))
			continue;
		buf_puts(b, ";");
		put_text(b, one);
	}
}

/* `first`: the topmost of all, which says where it came from */
static void put_via(struct buf *b, struct sip_text value, bool first,
		    const struct addr *source)
{
	struct sip_text rest = value, one = { 0 };
	char text[ADDR_TEXT];

	if (!first || !source->family || !sip_next_value(&rest, &one)) {
		put_line(b, "Via", value);
		return;
	}
	struct addr ip = *source, host;
	struct sip_uri u = { 0 };
	char by[SENT_BY];
	const bool rport = sip_param(one, "rport", NULL);
	const bool same = !sent_by(&u, by, one) &&
			  !sip_uri_address(&host, &u) &&
			  addr_same_ip(&host, source);

	ip.port = 0;
	buf_puts(b, "Via: ");
	put_params(b, one);
	if (!same || rport)
		buf_printf(b, ";received=%s", addr_print(text, &ip));
	if (rport)
		buf_printf(b, ";rport=%u", source->port);
	if (rest.len) {
		buf_puts(b, ",");
		put_text(b, rest);
	}
	buf_puts(b, "\r\n");
}

static void put_vias(struct buf *b, const struct sip_fields *f,
		     const struct addr *source)
{
	struct sip_text via;

	for (size_t i = 0; (via = sip_field(f, "via", i)).p; i++)
		put_via(b, via, i == 0, source);
}

static void put_to(struct buf *b, const struct sip_fields *f, const char *tag)
{
	const struct sip_text to = sip_field(f, "to", 0);

	if (!to.p)
		return;
	buf_puts(b, "To: ");
	put_text(b, sip_param_base(to));
	if (tag && !sip_param(to, "tag", NULL))
		buf_printf(b, ";tag=%s", tag);
	buf_puts(b, "\r\n");
}

int sip_respond(struct buf *out, const struct sip_fields *f,
		const struct sip_response *r)
{
	const size_t before = out->len;
	struct sip_text route;

	if (!sip_field(f, "via", 0).len)
		return -EBADMSG;
	buf_printf(out, "SIP/2.0 %u %s\r\n", r->status,
		   r->phrase ? r->phrase : sip_phrase(r->status));
	put_vias(out, f, &r->source);
	put_line(out, "From", sip_field(f, "from", 0));
	put_to(out, f, r->to_tag);
	put_line(out, "Call-ID", sip_field(f, "call-id", 0));
	put_line(out, "CSeq", sip_field(f, "cseq", 0));
	for (size_t i = 0; r->record_route &&
			   (route = sip_field(f, "record-route", i)).p; i++)
		put_line(out, "Record-Route", route);
	if (r->headers)
		buf_puts(out, r->headers);
	buf_puts(out, "Server: trunkscribe\r\n");
	if (r->type)
		buf_printf(out, "Content-Type: %s\r\n", r->type);
	buf_printf(out, "Content-Length: %zu\r\n\r\n",
		   r->type ? r->body_len : (size_t)0);
	if (r->type)
		buf_add(out, r->body, r->body_len);
	if (!out->err)
		return 0;
	out->len = before;
	return out->err;
}

struct addr sip_answer_to(const struct sip_fields *f, const struct addr *source)
{
	struct sip_text rest = sip_field(f, "via", 0), one;
	struct addr to = *source;
	struct sip_uri u;
	char by[SENT_BY];

	if (!sip_next_value(&rest, &one) || sip_param(one, "rport", NULL))
		return to;
	if (!sent_by(&u, by, one))
		to.port = u.port ? u.port : PORT;
	return to;
}
