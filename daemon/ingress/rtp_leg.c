/** @file rtp_leg.c  A leg that receives on ports of its own */
#include "daemon/ingress/rtp_leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/ingress/learn.h"
#include "daemon/media/report.h"
#include "daemon/media/source.h"
#include "daemon/net/random.h"
#include "daemon/net/udp.h"

enum {
	SECOND_US = 1000 * 1000,
	NO_RTP_US = 5 * SECOND_US,
	REPORT_US = 5 * SECOND_US,
	OTHERS_MAX = 50,         /* packets of no audio in a row */
};
static const uint64_t timeout_us = 60ull * SECOND_US,
		      held_timeout_us = 3600ull * SECOND_US;

struct rtp_leg {
	struct rtp_leg_config cfg;
	uint16_t port;           /* 0: none taken */
	struct udp *rtp, *rtcp;
	struct leg *leg;
	struct rtp_remote remote;

	bool locked;             /* to `from` */
	bool moving;             /* another address was signalled since */
	struct addr from;
	struct learn learn;
	struct source source;
	struct held_set held;
	bool told;               /* leg_set_rtp() was called */
	unsigned others;         /* packets of no audio in a row */

	struct timer silence;
	uint64_t heard_us;
	bool no_rtp;             /* was told */
	bool timed_out;
	struct timer reports;
	struct report report;
	uint32_t ssrc;           /* ours, in RTCP */
	char cname[REPORT_CNAME];
	struct rtp_leg_stats stats;
	struct log_limit foreign;
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

static void count_foreign(struct rtp_leg *r, uint64_t now_us)
{
	uint64_t kept_back;

	r->stats.foreign++;
	if (log_limited(&r->foreign, now_us, &kept_back))
		log_warn("rtp", "leg %s: a packet from nobody who has to do "
			 "with it (%llu more since the last such line)",
			 leg_id(r->leg), (unsigned long long)kept_back);
}

/* -- packets of the source ---------------------------------------------------------- */

static void heard(struct rtp_leg *r, uint64_t at_us)
{
	r->heard_us = at_us;
	if (!r->no_rtp)
		return;
	r->no_rtp = false;
	leg_note(r->leg, "rtp");
	timers_arm(r->cfg.timers, &r->silence, at_us + NO_RTP_US);
}

/* One of the SSRC in force. */
static void deliver(struct rtp_leg *r, const struct rtp *h, uint64_t at_us)
{
	const uint8_t kind = r->remote.kinds[h->pt];

	heard(r, at_us);
	r->stats.packets++;
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
	struct rd in = rd_of(p->data, p->len);
	struct rtcp_sender s;
	struct rtcp x;

	if (!is_their_rtcp(r, &p->from)) {
		count_foreign(r, p->at_us);
		return;
	}
	if (rtcp_check(p->data, p->len) < 0) {
		r->stats.short_or_odd++;
		return;
	}
	r->stats.rtcp++;
	while (rtcp_next(&x, &in) == 1)
		if (!rtcp_sender(&s, &x))
			report_sender(&r->report, x.ssrc, &s, p->at_us);
}

static void on_rtcp(const struct packet *p, void *arg)
{
	struct rtp_leg *r = arg;

	if (rtcp_is(p->data, p->len))
		take_rtcp(r, p);
	else
		r->stats.short_or_odd++;
}

/* Only to the address that was signalled. */
static void on_reports(struct timer *t, uint64_t now_us)
{
	struct rtp_leg *r = list_item(t, struct rtp_leg, reports);
	uint8_t out[REPORT_MAX];

	timers_arm(r->cfg.timers, t, now_us + REPORT_US);
	if (!r->remote.rtcp.family || !r->remote.rtcp.port ||
	    addr_is_any(&r->remote.rtcp))
		return;

	const size_t n = report_print(out, &r->report, r->ssrc, r->cname,
				      now_us);
	/* what does not go out now is as good as lost on the way */
	(void)udp_send(r->remote.rtcp_mux ? r->rtp : r->rtcp, &r->remote.rtcp,
		       out, n);
}

/* -- every datagram ------------------------------------------------------------------------ */

static void on_rtp(const struct packet *p, void *arg)
{
	struct rtp_leg *r = arg;
	struct rtp h;

	if (rtcp_is(p->data, p->len)) {
		take_rtcp(r, p);
	} else if (rtp_parse(&h, p->data, p->len, p->wire_len)) {
		r->stats.short_or_odd++;
	} else if (r->locked && addr_equal(&p->from, &r->from)) {
		judge_ssrc(r, &h, p->at_us);
	} else {
		judge_sender(r, &p->from, &h, p->at_us);
	}
}

/* -- silence ---------------------------------------------------------------------------- */

static uint64_t limit_us(const struct rtp_leg *r)
{
	return r->remote.on_hold ? held_timeout_us : timeout_us;
}

static void arm_silence(struct rtp_leg *r)
{
	uint64_t due = UINT64_MAX;

	if (r->cfg.timed_out && !r->timed_out)
		due = r->heard_us + limit_us(r);
	if (!r->no_rtp && !r->remote.on_hold && r->heard_us + NO_RTP_US < due)
		due = r->heard_us + NO_RTP_US;
	if (due != UINT64_MAX)
		timers_arm(r->cfg.timers, &r->silence, due);
	else
		timers_disarm(r->cfg.timers, &r->silence);
}

static void on_silence(struct timer *t, uint64_t now_us)
{
	struct rtp_leg *r = list_item(t, struct rtp_leg, silence);
	const uint64_t silent_us = now_us - r->heard_us;

	if (!r->no_rtp && !r->remote.on_hold && silent_us >= NO_RTP_US) {
		r->no_rtp = true;
		leg_note(r->leg, "no_rtp");
	}
	if (r->cfg.timed_out && !r->timed_out && silent_us >= limit_us(r))
		r->timed_out = true;
	else
		t = NULL;
	arm_silence(r);
	if (t)
		r->cfg.timed_out(r->cfg.arg); /* may close r: last line */
}

/* -- life ---------------------------------------------------------------------------------- */

static int bind_pair(struct rtp_leg *r)
{
	struct udp_options o = {
		.loop = r->cfg.loop, .at = r->cfg.bind, .clock = r->cfg.clock,
		.timers = r->cfg.timers,
	};

	o.at.port = r->port;
	int err = udp_open(&r->rtp, &o, on_rtp, r);
	if (err)
		return err;
	o.at.port++;
	err = udp_open(&r->rtcp, &o, on_rtcp, r);
	if (err) {
		udp_close(r->rtp);
		r->rtp = NULL;
	}
	return err;
}

/* Somebody else may have the one or the other. */
static int take_pair(struct rtp_leg *r)
{
	int err;

	do {
		err = rtp_ports_take(r->cfg.ports, &r->port);
		if (err) {
			r->port = 0;
			return err;
		}
		err = bind_pair(r);
		if (err) {
			rtp_ports_give_back(r->cfg.ports, r->port);
			r->port = 0;
		}
	} while (err == -EADDRINUSE);
	return err;
}

static void close_all(struct rtp_leg *r)
{
	timers_disarm(r->cfg.timers, &r->silence);
	timers_disarm(r->cfg.timers, &r->reports);
	udp_close(r->rtp);
	udp_close(r->rtcp);
	if (r->port)
		rtp_ports_give_back(r->cfg.ports, r->port);
	learn_clear(&r->learn);
	held_clear(&r->held);
	free(r);
}

int rtp_leg_open(struct rtp_leg **out, const struct rtp_leg_config *cfg)
{
	struct rtp_leg *r = calloc(1, sizeof(*r));
	uint64_t name;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->remote = cfg->remote;
	r->silence.due = on_silence;
	r->reports.due = on_reports;
	random_bytes(&r->ssrc, sizeof(r->ssrc));
	random_bytes(&name, sizeof(name)); /* RFC 7022 section 4.2 */
	snprintf(r->cname, sizeof(r->cname), "%016llx",
		 (unsigned long long)name);

	int err = take_pair(r);
	if (err) {
		close_all(r);
		return err;
	}

	struct leg_info info = cfg->info;
	memcpy(info.kinds, cfg->remote.kinds, sizeof(info.kinds));
	if (!info.rtp.known) {
		info.rtp.dst = rtp_leg_address(r);
		info.rtp.payload_type = -1;
	}
	err = leg_open(&r->leg, cfg->call, &info);
	if (err) {
		close_all(r);
		return err;
	}
	r->heard_us = timers_now_us(cfg->timers);
	arm_silence(r);
	timers_arm(cfg->timers, &r->reports, r->heard_us + REPORT_US);
	*out = r;
	return 0;
}

void rtp_leg_update(struct rtp_leg *r, const struct rtp_remote *remote)
{
	if (!addr_equal(&remote->at, &r->remote.at)) {
		r->moving = true;
		learn_clear(&r->learn);
	}
	r->remote = *remote;
	leg_set_kinds(r->leg, r->remote.kinds);
	arm_silence(r);
}

void rtp_leg_close(struct rtp_leg *r, const char *reason)
{
	struct leg *l = r->leg;

	close_all(r);
	if (reason)
		leg_end(l, reason);
}

struct addr rtp_leg_address(const struct rtp_leg *r)
{
	return udp_address(r->rtp);
}

const char *rtp_leg_id(const struct rtp_leg *r)
{
	return leg_id(r->leg);
}

void rtp_leg_stats(const struct rtp_leg *r, struct rtp_leg_stats *out)
{
	*out = r->stats;
}
