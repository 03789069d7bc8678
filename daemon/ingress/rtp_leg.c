/** @file rtp_leg.c  A leg that receives on ports of its own */
#include "daemon/ingress/rtp_leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/rtp_leg_impl.h"
#include "daemon/net/random.h"

enum {
	REPORT_US = 5 * 1000 * 1000,
};
static const uint64_t held_timeout_us = 3600ull * 1000 * 1000;

/* Only to the address that was signalled. */
static void on_reports(struct timer *t, uint64_t now_us)
{
	struct rtp_leg *r = list_item(t, struct rtp_leg, reports);
	_Alignas(8) uint8_t out[REPORT_MAX + SRTP_OUT_GROWTH];

	timers_arm(r->cfg.timers, t, now_us + REPORT_US);
	if (!r->remote.rtcp.family || !r->remote.rtcp.port ||
	    addr_is_any(&r->remote.rtcp))
		return;
	if (r->remote.key.suite && !r->remote.our_key.suite)
		return; /* plain ones are none of what was agreed */

	int n = (int)report_print(out, &r->report, r->ssrc, r->cname, now_us);
	n = srtp_out_rtcp(&r->srtp_out, out, (size_t)n);
	if (n < 0)
		return;
	/* what does not go out now is as good as lost on the way */
	(void)udp_send(r->remote.rtcp_mux ? r->rtp : r->rtcp, &r->remote.rtcp,
		       out, (size_t)n);
}

/* -- silence ---------------------------------------------------------------------------- */

static uint64_t limit_us(const struct rtp_leg *r)
{
	return r->remote.on_hold ? held_timeout_us : r->cfg.timeout_us;
}

static void arm_silence(struct rtp_leg *r)
{
	uint64_t due = UINT64_MAX;

	if (r->cfg.timed_out && !r->timed_out)
		due = r->heard_us + limit_us(r);
	if (!r->no_rtp && !r->remote.on_hold && r->heard_us + RTP_LEG_SILENT_US < due)
		due = r->heard_us + RTP_LEG_SILENT_US;
	if (due != UINT64_MAX)
		timers_arm(r->cfg.timers, &r->silence, due);
	else
		timers_disarm(r->cfg.timers, &r->silence);
}

static void on_silence(struct timer *t, uint64_t now_us)
{
	struct rtp_leg *r = list_item(t, struct rtp_leg, silence);
	const uint64_t silent_us = now_us - r->heard_us;

	if (!r->no_rtp && !r->remote.on_hold && silent_us >= RTP_LEG_SILENT_US) {
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

	o.at.port = r->cfg.port ? r->cfg.port : r->port;
	int err = udp_open(&r->rtp, &o, rtp_leg_on_rtp, r);
	if (err || r->cfg.port)
		return err;
	o.at.port++;
	err = udp_open(&r->rtcp, &o, rtp_leg_on_rtcp, r);
	if (err) {
		udp_close(r->rtp);
		r->rtp = NULL;
	}
	return err;
}

/* Somebody else may have the one or the other. */
static int take_pair(struct rtp_leg *r)
{
	bool others = false;
	int err;

	do {
		err = rtp_ports_take(r->cfg.ports, &r->port);
		if (err) {
			r->port = 0;
			return others ? -EADDRINUSE : err;
		}
		err = bind_pair(r);
		if (err) {
			rtp_ports_give_back(r->cfg.ports, r->port);
			r->port = 0;
			others = true;
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
	early_clear(&r->early);
	srtp_in_clear(&r->srtp);
	srtp_out_clear(&r->srtp_out);
	explicit_bzero(r, sizeof(*r)); /* keys */
	free(r);
}

const char *rtp_leg_trouble(int err)
{
	switch (err) {
	case -EADDRNOTAVAIL:
		return "no pair of rtp { ports } is free, or its address is "
		       "not this machine's; widen the one, see to the other";
	case -EADDRINUSE:
		return "what is free of rtp { ports } is in use by other "
		       "programs; choose other ports";
	case -EMFILE:
		return "too many open files; raise LimitNOFILE";
	default:
		return strerror(-err);
	}
}

int rtp_leg_open(struct rtp_leg **out, const struct rtp_leg_config *cfg)
{
	struct rtp_leg *r = calloc(1, sizeof(*r));
	uint64_t name;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->remote = cfg->remote;
	r->totals = cfg->ports ? rtp_ports_totals(cfg->ports) : &r->own;
	r->silence.due = on_silence;
	r->reports.due = on_reports;
	random_bytes(&r->ssrc, sizeof(r->ssrc));
	random_bytes(&name, sizeof(name)); /* RFC 7022 section 4.2 */
	snprintf(r->cname, sizeof(r->cname), "%016llx",
		 (unsigned long long)name);

	int err = srtp_in_set(&r->srtp, &r->remote.key);
	if (!err)
		err = srtp_out_set(&r->srtp_out, &r->remote.our_key);
	if (!err)
		err = cfg->port ? bind_pair(r) : take_pair(r);
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

int rtp_leg_update(struct rtp_leg *r, const struct rtp_remote *remote)
{
	/* made first: nothing changes when it cannot be */
	struct srtp_out out = { 0 };
	const bool rekeyed = !srtp_key_equal(&remote->our_key,
					     &r->remote.our_key);
	int err = rekeyed ? srtp_out_set(&out, &remote->our_key) : 0;

	if (!err)
		err = srtp_in_set(&r->srtp, &remote->key);
	if (err) {
		srtp_out_clear(&out);
		return err;
	}
	if (rekeyed) {
		srtp_out_clear(&r->srtp_out);
		r->srtp_out = out;
	}
	if (!addr_equal(&remote->at, &r->remote.at)) {
		r->moving = true;
		learn_clear(&r->learn);
	}
	if (r->remote.on_hold && !remote->on_hold)
		r->heard_us = timers_now_us(r->cfg.timers); /* quiet from now */
	r->remote = *remote;
	leg_set_kinds(r->leg, r->remote.kinds);
	arm_silence(r);
	if (r->remote.at.family && early_any(&r->early))
		early_release(&r->early, &r->remote.at, rtp_leg_on_early, r);
	return 0;
}

void rtp_leg_close(struct rtp_leg *r, const char *reason)
{
	struct leg *l = r->leg;

	/* the end may overtake the last packets: they come by another socket */
	if (reason)
		udp_drain(r->rtp);
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

void rtp_leg_role(struct rtp_leg *r, enum role role, const char *role_source,
		  const char *label)
{
	leg_update(r->leg, role, role_source, label);
}

void rtp_leg_stats(const struct rtp_leg *r, struct rtp_leg_stats *out)
{
	*out = r->stats;
}
