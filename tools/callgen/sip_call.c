/** @file sip_call.c  One call from INVITE to the answer to BYE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/base/must.h"
#include "tools/callgen/way_sip.h"

/* RFC 3261 section 17, table 4; a ringing INVITE is left alone for longer. */
enum { T1_US = 500000, T2_US = 4000000, RING_US = 180 * 1000000 };

static void on_timer(struct timer *t, uint64_t now_us);

/* -- the request under way ------------------------------------------------------- */

static void arm(struct sip_call *s, uint64_t now_us)
{
	const uint64_t next_us = now_us + s->interval_us;

	timers_arm(s->end->gen->timers, &s->timer,
		   s->end->udp && !s->ringing && next_us < s->deadline_us
			   ? next_us : s->deadline_us);
}

static void ask(struct sip_call *s, bool inviting)
{
	const uint64_t now_us = timers_now_us(s->end->gen->timers);

	s->open = true;
	s->inviting = inviting;
	s->ringing = false;
	s->asked_us = gen_now_us(s->end->gen);
	s->interval_us = T1_US;
	s->deadline_us = now_us + 64 * T1_US;
	s->sends++;
	sip_end_send(s->end, &s->request);
	arm(s, now_us);
}

static void invite(struct sip_call *s)
{
	s->cseq++;
	s->branch++;
	s->version++;
	s->held = s->want_held;
	sip_write_invite(&s->request, s);
	ask(s, true);
}

static void bye(struct sip_call *s)
{
	s->cseq++;
	s->branch++;
	s->byed = true;
	sip_write_plain(&s->request, s, "BYE", s->cseq);
	ask(s, false);
}

/* -- life ---------------------------------------------------------------------------- */

static void over(struct sip_call *s, bool good)
{
	struct call *c = s->call;

	timers_disarm(s->end->gen->timers, &s->timer);
	map_remove(&s->end->calls, hash_bytes(s->id, strlen(s->id)), s);
	c->told = json_pack("{s:s, s:{s:i, s:i, s:f}}", "sip_call_id", s->id,
			    "sip", "status", (int)s->status, "sends",
			    (int)s->sends, "answer_ms",
			    (double)s->answer_us / 1000);
	buf_free(&s->to);
	buf_free(&s->target);
	buf_free(&s->routes);
	buf_free(&s->request);
	buf_free(&s->ack);
	free(s);
	gen_call_over(c, good);
}

void sip_call_broke(struct sip_call *s)
{
	over(s, false);
}

static void on_timer(struct timer *t, uint64_t now_us)
{
	struct sip_call *s = list_item(t, struct sip_call, timer);

	if (now_us >= s->deadline_us) {
		over(s, false);
		return;
	}
	s->interval_us *= 2;
	if (!s->inviting && s->interval_us > T2_US)
		s->interval_us = T2_US;
	s->sends++;
	sip_end_send(s->end, &s->request);
	arm(s, now_us);
}

void sip_call_begin(struct call *c)
{
	struct sip_end *e = c->gen->way_state;
	struct sip_call *s = calloc(1, sizeof(*s));

	must(s);
	c->priv = s;
	s->end = e;
	s->call = c;
	s->timer.due = on_timer;
	snprintf(s->id, sizeof(s->id), "%s-%s@callgen", c->id, e->run);
	must(!map_put(&e->calls, hash_bytes(s->id, strlen(s->id)), s));
	for (unsigned k = 0; k < e->dialect.legs; k++)
		snprintf(c->legs[k].label, sizeof(c->legs[k].label), "%s",
			 e->dialect.labels[k]);
	invite(s);
}

/* What was wanted while a request waited. */
static void go_on(struct sip_call *s)
{
	if (s->leaving)
		bye(s);
	else if (s->want_held != s->held)
		invite(s);
}

void sip_call_end(struct call *c)
{
	struct sip_call *s = c->priv;

	s->leaving = true;
	if (!s->open)
		go_on(s);
}

void sip_call_hold(struct call *c, bool held)
{
	struct sip_call *s = c->priv;

	s->want_held = held;
	if (!s->open)
		go_on(s);
}

/* -- answers --------------------------------------------------------------------------- */

static void keep(struct buf *b, struct piece p)
{
	buf_clear(b);
	if (p.p)
		buf_add(b, p.p, p.len);
}

/* RFC 3261 section 12.1.2: the route set is Record-Route backwards. */
static void keep_routes(struct sip_call *s, const struct sip_text *m)
{
	unsigned n = 0;

	while (sip_text_header(m, "Record-Route", 0, n).p)
		n++;
	buf_clear(&s->routes);
	while (n-- > 0) {
		const struct piece p = sip_text_header(m, "Record-Route", 0, n);

		buf_printf(&s->routes, "Route: %.*s\r\n", (int)p.len, p.p);
	}
}

static void acknowledge(struct sip_call *s)
{
	const uint32_t cseq = s->cseq;

	s->branch++;
	sip_write_plain(&s->ack, s, "ACK", cseq);
	s->ack_cseq = cseq;
	sip_end_send(s->end, &s->ack);
}

/* @return whether every leg has an address */
static bool take_media(struct sip_call *s, const struct sip_text *m)
{
	const unsigned legs = s->end->gen->o->legs;
	struct addr media[SIP_TEXT_MEDIA];

	if (sip_text_media(media, m->body) != legs)
		return false;
	for (unsigned k = 0; k < legs; k++) {
		if (!media[k].family)
			return false;
		s->call->legs[k].to = media[k];
	}
	return true;
}

static void taken(struct sip_call *s, const struct sip_text *m)
{
	const bool first = !s->up;

	keep(&s->target, piece_uri(sip_text_header(m, "Contact", 'm', 0)));
	if (first) {
		keep(&s->to, sip_text_header(m, "To", 't', 0));
		keep_routes(s, m);
	}
	s->up = true;
	acknowledge(s);
	if (!take_media(s, m)) {
		s->failed = true;
		s->leaving = true;
		call_legs_stop(s->call);
	} else if (first) {
		call_legs_begin(s->call); /* may end it */
		return;
	}
	go_on(s);
}

static void refused(struct sip_call *s, const struct sip_text *m)
{
	struct buf ack = {0};

	sip_write_refused(&ack, s, m);
	sip_end_send(s->end, &ack);
	buf_free(&ack);
	s->failed = true;
	if (!s->up)
		over(s, false);
	else
		go_on(s);
}

static void answered(struct sip_call *s, const struct sip_text *m)
{
	s->open = false;
	timers_disarm(s->end->gen->timers, &s->timer);
	if (!s->inviting) {
		over(s, m->status == 200 && !s->failed);
		return;
	}
	if (!s->up) {
		s->status = m->status;
		s->answer_us = gen_now_us(s->end->gen) - s->asked_us;
	}
	if (m->status < 300)
		taken(s, m);
	else
		refused(s, m);
}

static void asked(struct sip_call *s, const struct sip_text *m)
{
	const bool is_bye = piece_is(m->method, "BYE");
	struct buf b = {0};

	if (piece_is(m->method, "ACK"))
		return;
	sip_write_answer(&b, m, is_bye || piece_is(m->method, "OPTIONS") ? 200
									  : 488);
	sip_end_send(s->end, &b);
	buf_free(&b);
	if (is_bye)
		over(s, s->byed && !s->failed);
}

void sip_call_received(struct sip_call *s, const struct sip_text *m)
{
	if (m->request) {
		asked(s, m);
		return;
	}
	const bool of_invite = piece_is(m->method, "INVITE");

	if (!s->open || m->cseq != s->cseq || of_invite != s->inviting) {
		if (of_invite && m->status >= 200 && m->status < 300 &&
		    m->cseq == s->ack_cseq)
			sip_end_send(s->end, &s->ack); /* it was lost */
	} else if (m->status >= 200) {
		answered(s, m);
	} else if (s->inviting && !s->ringing) {
		s->ringing = true;
		s->deadline_us = timers_now_us(s->end->gen->timers) + RING_US;
		arm(s, timers_now_us(s->end->gen->timers));
	}
}
