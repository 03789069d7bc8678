/** @file rtp_leg_in.c  A leg's datagrams: whose are they, and what is in them */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/ingress/rtp_leg_impl.h"

enum {
	OTHERS_MAX = 50,         /* packets of no audio in a row */
	SPOOF_MIN = 10,
	SPOOF_US = 60 * 1000 * 1000,
};

static bool is_audio(uint8_t kind)
{
	return kind == PAYLOAD_PCMU || kind == PAYLOAD_PCMA ||
	       kind == PAYLOAD_L16;
}

static bool is_known(uint8_t kind)
{
	return kind != PAYLOAD_UNKNOWN && kind != PAYLOAD_OTHER_CODEC;
}

/* A few stray packets of an old call are nobody's attack. */
static void tell_spoof(struct rtp_leg *r, uint64_t now_us)
{
	const uint64_t n = r->stats.foreign - r->spoof_packets;
	char text[160];

	if (!r->cfg.tell || n < SPOOF_MIN ||
	    (r->spoof_us && now_us - r->spoof_us < SPOOF_US))
		return;
	snprintf(text, sizeof(text), "leg %s: %llu packets from addresses that "
		 "have no part in it; none was used", leg_id(r->leg),
		 (unsigned long long)n);
	r->spoof_us = now_us;
	r->spoof_packets = r->stats.foreign;
	r->cfg.tell("spoof", text, r->cfg.tell_arg);
}

static void count_foreign(struct rtp_leg *r, uint64_t now_us)
{
	uint64_t kept_back;

	r->stats.foreign++;
	r->totals->foreign++;
	tell_spoof(r, now_us);
	if (log_limited(&r->foreign, now_us, &kept_back))
		log_warn("rtp", "leg %s: a packet from nobody who has to do "
			 "with it (%llu more since the last such line)",
			 leg_id(r->leg), (unsigned long long)kept_back);
}

static void count_odd(struct rtp_leg *r)
{
	r->stats.short_or_odd++;
	r->totals->odd++;
}

/* It has to do with it, and does not have the key, or says it again. */
static void count_refused(struct rtp_leg *r, uint64_t now_us)
{
	uint64_t kept_back;

	r->stats.refused++;
	r->totals->refused++;
	if (log_limited(&r->refused, now_us, &kept_back))
		log_warn("rtp", "leg %s: a packet not encrypted with the key "
			 "that was signalled, or one that came before (%llu "
			 "more since the last such line)", leg_id(r->leg),
			 (unsigned long long)kept_back);
}

/* -- packets of the source ---------------------------------------------------------- */

static void heard(struct rtp_leg *r, uint64_t at_us)
{
	r->heard_us = at_us;
	if (!r->no_rtp)
		return;
	r->no_rtp = false;
	leg_note(r->leg, "rtp");
	timers_arm(r->cfg.timers, &r->silence, at_us + RTP_LEG_SILENT_US);
}

/* One of the SSRC in force. */
static void deliver(struct rtp_leg *r, const struct rtp *h, uint64_t at_us)
{
	const uint8_t kind = r->remote.kinds[h->pt];

	heard(r, at_us);
	r->stats.packets++;
	r->totals->packets++;
	report_packet(&r->report, h, at_us);
	if (!r->told) {
		r->told = true;
		leg_set_rtp(r->leg, &(struct event_rtp){
			.ssrc = h->ssrc, .src = r->from,
			.dst = udp_address(r->rtp), .payload_type = h->pt,
			.known = true,
		});
	}
	if (is_known(kind))
		r->others = 0;
	else if (++r->others == OTHERS_MAX)
		leg_note(r->leg, "codec");
	leg_packet(r->leg, h, at_us);
}

static void deliver_held(struct rtp_leg *r, uint32_t ssrc)
{
	struct held *x = held_take(&r->held, ssrc);

	if (x)
		deliver(r, &x->h, x->at_us);
	free(x);
}

/* Of the right sender: is it of the right SSRC, too? */
static void judge_ssrc(struct rtp_leg *r, const struct rtp *h, uint64_t at_us)
{
	const bool audio = is_audio(r->remote.kinds[h->pt]);

	switch (source_feed(&r->source, h->ssrc, h->seq, audio, at_us)) {
	case SOURCE_ACCEPT:
		deliver(r, h, at_us);
		break;
	case SOURCE_HOLD:
		held_keep(&r->held, h, at_us);
		break;
	case SOURCE_SWITCH:
		deliver_held(r, h->ssrc);
		deliver(r, h, at_us);
		break;
	case SOURCE_OTHER: /* nobody announced a second one */
		free(held_take(&r->held, h->ssrc));
		count_foreign(r, at_us);
		break;
	case SOURCE_IGNORE:
		count_foreign(r, at_us);
		break;
	}
}

/* -- which sender ------------------------------------------------------------------- */

static void lock(struct rtp_leg *r, const struct addr *from)
{
	r->locked = true;
	r->moving = false;
	r->from = *from;
}

/* Not from where we listen to so far: whose is it? */
static void judge_sender(struct rtp_leg *r, const struct addr *from,
			 const struct rtp *h, uint64_t at_us)
{
	const struct learn_sender *won;

	/* empty ones keep a NAT's port open (RFC 6263) and say nothing */
	if ((r->locked && !r->moving) || !h->len ||
	    !is_known(r->remote.kinds[h->pt])) {
		count_foreign(r, at_us);
		return;
	}
	if (r->remote.at.family && addr_same_ip(from, &r->remote.at)) {
		learn_clear(&r->learn);
		lock(r, from);
		judge_ssrc(r, h, at_us);
		return;
	}
	if (r->cfg.source != RTP_SOURCE_LEARN) {
		count_foreign(r, at_us);
		return;
	}
	won = learn_feed(&r->learn, from, h, at_us);
	if (!won)
		return;
	lock(r, from);
	for (unsigned i = 0; i < won->n; i++)
		judge_ssrc(r, &won->held[i]->h, won->held[i]->at_us);
	learn_clear(&r->learn);
}

/* -- RTCP ------------------------------------------------------------------------------ */

static bool is_their_rtcp(const struct rtp_leg *r, const struct addr *from)
{
	if (r->remote.rtcp.family)
		return addr_same_ip(from, &r->remote.rtcp);
	return r->locked && addr_same_ip(from, &r->from);
}

static void take_rtcp(struct rtp_leg *r, const struct packet *p)
{
	struct srtp_plain plain;
	const uint8_t *data = p->data;
	size_t len = p->len;
	struct rtcp_sender s;
	struct rtcp x;

	if (!is_their_rtcp(r, &p->from)) {
		count_foreign(r, p->at_us);
		return;
	}
	if (!srtp_in_is_plain(&r->srtp)) {
		if (srtp_in_rtcp(&r->srtp, &plain, data, len)) {
			count_refused(r, p->at_us);
			return;
		}
		data = plain.data;
		len = plain.len;
	}
	if (rtcp_check(data, len) < 0) {
		count_odd(r);
		return;
	}
	struct rd in = rd_of(data, len);
	r->stats.rtcp++;
	while (rtcp_next(&x, &in) == 1)
		if (!rtcp_sender(&s, &x))
			report_sender(&r->report, x.ssrc, &s, p->at_us);
}

void rtp_leg_on_rtcp(const struct packet *p, void *arg)
{
	struct rtp_leg *r = arg;

	if (rtcp_is(p->data, p->len))
		take_rtcp(r, p);
	else
		count_odd(r);
}

/* -- every datagram ------------------------------------------------------------------------ */

/* Neither is its signature looked at, nor is it taken apart, else. */
static bool may_speak(const struct rtp_leg *r, const struct addr *from)
{
	if (r->locked && addr_equal(from, &r->from))
		return true;
	if (r->locked && !r->moving)
		return false;
	return r->cfg.source == RTP_SOURCE_LEARN ||
	       (r->remote.at.family && addr_same_ip(from, &r->remote.at));
}

static void take_rtp(struct rtp_leg *r, const struct packet *p)
{
	struct srtp_plain plain;
	const uint8_t *data = p->data;
	size_t len = p->len, wire_len = p->wire_len;
	struct rtp h;

	if (!may_speak(r, &p->from)) {
		count_foreign(r, p->at_us);
		return;
	}
	if (!srtp_in_is_plain(&r->srtp)) {
		if (srtp_in_rtp(&r->srtp, &plain, data, len)) {
			count_refused(r, p->at_us);
			return;
		}
		data = plain.data;
		wire_len = len = plain.len;
	}
	if (rtp_parse(&h, data, len, wire_len))
		count_odd(r);
	else if (r->locked && addr_equal(&p->from, &r->from))
		judge_ssrc(r, &h, p->at_us);
	else
		judge_sender(r, &p->from, &h, p->at_us);
}

/* Nobody was signalled yet: the one who will be may speak already. */
static void keep_early(struct rtp_leg *r, const struct packet *p)
{
	const unsigned n = early_keep(&r->early, p);
	uint64_t kept_back;

	r->stats.dropped += n;
	r->totals->dropped += n;
	if (n && log_limited(&r->dropped, p->at_us, &kept_back))
		log_warn("rtp", "leg %s: packets before anybody was signalled "
			 "are more than are kept (%llu more since the last "
			 "such line)", leg_id(r->leg),
			 (unsigned long long)kept_back);
}

void rtp_leg_on_early(const struct packet *p, void *arg)
{
	take_rtp(arg, p);
}

void rtp_leg_on_rtp(const struct packet *p, void *arg)
{
	struct rtp_leg *r = arg;
	struct rtp h;

	if (rtcp_is(p->data, p->len))
		take_rtcp(r, p);
	else if (r->locked || r->remote.at.family ||
		 r->cfg.source == RTP_SOURCE_LEARN)
		take_rtp(r, p);
	else if (!rtp_parse(&h, p->data, p->len, p->wire_len))
		keep_early(r, p);
	else
		count_odd(r);
}
