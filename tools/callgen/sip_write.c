/** @file sip_write.c  Requests and answers as text */
#include <string.h>

#include "tools/callgen/way_sip.h"

static const char *transport(const struct sip_end *e)
{
	return e->udp ? "UDP" : "TCP";
}

static void put_target(struct buf *b, const struct sip_call *s)
{
	const struct options *o = s->end->gen->o;
	char at[ADDR_TEXT];

	if (s->target.len)
		buf_add(b, s->target.data, s->target.len);
	else
		buf_printf(b, "sip:%s@%s%s", o->user, addr_print(at, &o->sip),
			   s->end->udp ? "" : ";transport=tcp");
}

static void put_from(struct buf *b, const struct sip_call *s)
{
	struct addr host = s->end->at;
	char at[ADDR_TEXT];

	host.port = 0;
	addr_print(at, &host);
	buf_printf(b, host.family == 6 ? "From: <sip:%s@[%s]>;tag=%s%u\r\n"
				       : "From: <sip:%s@%s>;tag=%s%u\r\n",
		   s->call->id, at, s->end->run, (unsigned)s->call->number);
}

static void put_copy(struct buf *b, const char *name, struct piece value)
{
	buf_printf(b, "%s: %.*s\r\n", name, (int)value.len,
		   value.p ? value.p : "");
}

/* @param to As an answer has it, for the tag; {0}: the dialog's own */
static void put_head(struct buf *b, const struct sip_call *s,
		     const char *method, uint32_t cseq, struct piece to)
{
	const struct options *o = s->end->gen->o;
	char at[ADDR_TEXT];

	buf_clear(b);
	buf_printf(b, "%s ", method);
	put_target(b, s);
	buf_printf(b, " SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s-%u-%u;"
		   "rport\r\nMax-Forwards: 70\r\n", transport(s->end),
		   addr_print(at, &s->end->at), s->end->run,
		   (unsigned)s->call->number, s->branch);
	put_from(b, s);
	if (!to.p)
		to = (struct piece){ (const char *)s->to.data, s->to.len };
	if (to.len)
		put_copy(b, "To", to);
	else
		buf_printf(b, "To: <sip:%s@%s>\r\n", o->user,
			   addr_print(at, &o->sip));
	buf_printf(b, "Call-ID: %s\r\nCSeq: %u %s\r\n%sUser-Agent: callgen\r\n",
		   s->id, cseq, method, buf_str(&s->routes));
}

/* -- SDP ------------------------------------------------------------------------ */

static void put_media(struct buf *b, const struct sip_call *s, unsigned k)
{
	const struct leg *l = &s->call->legs[k];
	const struct gen *g = s->end->gen;
	const unsigned pt = law_payload_type(l->plan.o.law);
	const bool siprec = s->end->dialect.legs > 0;

	buf_printf(b, "m=audio %u RTP/AVP %u %d %d\r\n"
		   "a=rtpmap:%u %s/8000\r\na=rtpmap:%d CN/8000\r\n"
		   "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n"
		   "a=ptime:%u\r\n", sender_address(g->sender, l->number).port,
		   pt, PLAN_CN, PLAN_EVENT, pt, law_name(l->plan.o.law),
		   PLAN_CN, PLAN_EVENT, PLAN_EVENT, g->o->ptime_ms[k]);
	if (g->o->legs > 1)
		buf_printf(b, "a=label:%s\r\n", l->label);
	buf_printf(b, "a=%s\r\n", s->want_held ? "inactive"
		   : siprec ? "sendonly" : "sendrecv");
}

static void put_sdp(struct buf *b, const struct sip_call *s)
{
	struct addr at = sender_address(s->end->gen->sender, 0);
	const char *family = at.family == 6 ? "IP6" : "IP4";
	char ip[ADDR_TEXT];

	at.port = 0;
	addr_print(ip, &at);
	buf_printf(b, "v=0\r\no=callgen %u %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\n"
		   "t=0 0\r\n", (unsigned)s->call->number, s->version, family,
		   ip, family, ip);
	for (unsigned k = 0; k < s->end->gen->o->legs; k++)
		put_media(b, s, k);
}

static void put_body(struct buf *out, const struct sip_call *s,
		     struct buf *headers, struct buf *body)
{
	const struct gen *g = s->end->gen;
	const bool siprec = s->end->dialect.legs && s->version == 1;
	struct dialect_values v = { .call_id = s->id,
				    .number = s->call->number };
	struct buf sdp = {0};

	put_sdp(&sdp, s);
	v.sdp = buf_str(&sdp);
	for (unsigned k = 0; k < g->o->legs; k++) {
		const struct leg *l = &s->call->legs[k];

		v.at[k] = sender_address(g->sender, l->number);
		v.law[k] = l->plan.o.law;
		v.ptime_ms[k] = g->o->ptime_ms[k];
	}
	if (siprec) {
		dialect_print(&s->end->dialect, &v, headers, body);
	} else {
		buf_puts(headers, "Content-Type: application/sdp\r\n");
		buf_add(body, sdp.data, sdp.len);
	}
	buf_add(out, headers->data, headers->len);
	buf_printf(out, "Content-Length: %zu\r\n\r\n", body->len);
	buf_add(out, body->data, body->len);
	buf_free(&sdp);
}

void sip_write_invite(struct buf *out, const struct sip_call *s)
{
	struct buf headers = {0}, body = {0};
	char at[ADDR_TEXT];

	put_head(out, s, "INVITE", s->cseq, (struct piece){0});
	buf_printf(out, "Contact: <sip:%s@%s%s>%s\r\nAllow: INVITE, ACK, BYE, "
		   "CANCEL, OPTIONS\r\n", s->call->id,
		   addr_print(at, &s->end->at),
		   s->end->udp ? "" : ";transport=tcp", s->end->dialect.contact);
	put_body(out, s, &headers, &body);
	buf_free(&headers);
	buf_free(&body);
}

void sip_write_plain(struct buf *out, const struct sip_call *s,
		     const char *method, uint32_t cseq)
{
	put_head(out, s, method, cseq, (struct piece){0});
	buf_puts(out, "Content-Length: 0\r\n\r\n");
}

/* RFC 3261 section 17.1.1.3: the INVITE's Via and target, the answer's To. */
void sip_write_refused(struct buf *out, const struct sip_call *s,
		       const struct sip_text *answer)
{
	put_head(out, s, "ACK", s->cseq, sip_text_header(answer, "To", 't', 0));
	buf_puts(out, "Content-Length: 0\r\n\r\n");
}

void sip_write_answer(struct buf *out, const struct sip_text *request,
		      unsigned status)
{
	static const struct {
		const char *name;
		char brief;
	} copied[] = { { "From", 'f' }, { "To", 't' }, { "Call-ID", 'i' },
		       { "CSeq", 0 } };
	struct piece p;

	buf_clear(out);
	buf_printf(out, "SIP/2.0 %u %s\r\n", status,
		   status == 200 ? "OK" : "Not here");
	for (unsigned n = 0; (p = sip_text_header(request, "Via", 'v', n)).p; n++)
		put_copy(out, "Via", p);
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++)
		put_copy(out, copied[i].name,
			 sip_text_header(request, copied[i].name,
					 copied[i].brief, 0));
	buf_puts(out, "Content-Length: 0\r\n\r\n");
}
