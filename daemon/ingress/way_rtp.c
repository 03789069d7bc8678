/**
 * @file way_rtp.c  RTP without SIP: told by the control socket
 *
 * For Asterisk's ARI ExternalMedia and whatever else can be told an address
 * (reference: telephony section 1.2.1).  A call opens with its first leg and
 * ends with its last one; its id is kept for a minute behind that, so that
 * what is still to be said of it is not mixed with another's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/ingress/way.h"

enum {
	CALLS_MAX = 10000,
	LEGS_MAX = 8,            /* of a call */
	KEEP_US = 60 * 1000 * 1000,
	DTMF = 101,              /* Asterisk's; telephony section 1.2.1 */
};

struct way_rtp {
	struct way_config cfg;
	struct addr bind;
	bool learn;              /* although a sender was named */
	bool draining;
	struct list calls;
	unsigned n_calls, n_legs;
};

struct rtp_call {
	struct list in_way;
	struct list legs;
	struct way_rtp *way;
	struct command told;     /* who calls whom */
	struct call *call;       /* NULL: no leg yet, or over */
	bool over;
	unsigned n_legs;
	struct timer keep;
};

struct told_leg {
	struct list in_call;
	struct rtp_call *call;
	struct rtp_leg *rtp;
};

static struct rtp_call *call_of(struct list *in_way)
{
	return list_item(in_way, struct rtp_call, in_way);
}

static struct told_leg *leg_in(struct list *in_call)
{
	return list_item(in_call, struct told_leg, in_call);
}

/* -- calls ---------------------------------------------------------------------------- */

static void call_free(struct rtp_call *c)
{
	timers_disarm(c->way->cfg.timers, &c->keep);
	list_remove(&c->in_way);
	c->way->n_calls--;
	command_free(&c->told);
	free(c);
}

static void on_keep(struct timer *t, uint64_t now_us)
{
	(void)now_us;
	call_free(list_item(t, struct rtp_call, keep));
}

static void keep(struct rtp_call *c)
{
	struct timers *ts = c->way->cfg.timers;

	/* without memory it is kept until the end */
	(void)timers_arm(ts, &c->keep, timers_now_us(ts) + KEEP_US);
}

static struct rtp_call *call_find(struct way_rtp *w, const char *id)
{
	list_each(&w->calls, x)
		if (!strcmp(call_of(x)->told.call, id))
			return call_of(x);
	return NULL;
}

static struct rtp_call *call_new(struct way_rtp *w, const struct command *cmd)
{
	struct rtp_call *c = w->n_calls < CALLS_MAX ? calloc(1, sizeof(*c))
						    : NULL;

	if (!c)
		return NULL;
	c->way = w;
	c->keep.due = on_keep;
	command_copy(&c->told, cmd);
	list_init(&c->legs);
	list_init(&c->in_way);
	list_add(&w->calls, &c->in_way);
	w->n_calls++;
	return c;
}

static int call_begin(struct rtp_call *c)
{
	const struct call_info i = {
		.id = c->told.call, .source = "rtp", .from = c->told.from,
		.to = c->told.to, .sip_call_id = c->told.sip_call_id,
		.ids = c->told.ids, .n_ids = c->told.n_ids,
	};

	return c->call ? 0 : call_open(&c->call, c->way->cfg.calls, &i);
}

/* Its last leg has gone. */
static void call_over(struct rtp_call *c, const char *reason)
{
	struct call *call = c->call;

	c->call = NULL;
	c->over = true;
	if (call)
		call_end(call, reason);
	keep(c);
}

/* -- legs ----------------------------------------------------------------------------- */

static void leg_over(struct told_leg *l, const char *reason)
{
	struct rtp_call *c = l->call;

	rtp_leg_close(l->rtp, reason);
	list_remove(&l->in_call);
	free(l);
	c->n_legs--;
	c->way->n_legs--;
	if (!c->n_legs)
		call_over(c, reason);
}

static void on_timed_out(void *arg)
{
	leg_over(arg, "timeout");
}

static void set_kinds(uint8_t kinds[128], const struct command *cmd)
{
	struct receiver_config usual;

	receiver_config_default(&usual);
	memcpy(kinds, usual.kind, sizeof(usual.kind));
	kinds[DTMF] = PAYLOAD_TELEPHONE_EVENT;
	if (cmd->payload_type >= 0)
		kinds[cmd->payload_type] =
			!strcmp(cmd->codec, "L16")    ? PAYLOAD_L16
			: !strcmp(cmd->codec, "PCMA") ? PAYLOAD_PCMA
						      : PAYLOAD_PCMU;
}

static int leg_new(struct rtp_call *c, const struct command *cmd,
		   struct answer *a)
{
	const struct way_rtp *w = c->way;
	const bool named = cmd->remote.family;
	struct told_leg *l = calloc(1, sizeof(*l));
	struct rtp_leg_config rc = {
		.tell = w->cfg.tell, .tell_arg = w->cfg.arg,
		.loop = w->cfg.loop, .timers = w->cfg.timers,
		.clock = w->cfg.clock, .ports = w->cfg.ports, .bind = w->bind,
		.call = c->call,
		.info = { .role = cmd->role,
			  .role_source = cmd->role ? "control" : NULL,
			  .label = cmd->label, .codec = cmd->codec,
			  .language = cmd->language },
		.source = named && !w->learn ? RTP_SOURCE_SDP
					     : RTP_SOURCE_LEARN,
		.remote = { .at = cmd->remote, .rtcp = cmd->remote },
		.timed_out = on_timed_out, .arg = l,
		.timeout_us = 1000ull * w->cfg.config->rtp.timeout_ms,
	};

	if (!l)
		return -ENOMEM;
	if (named) /* RFC 3550 section 11 */
		rc.remote.rtcp.port = (uint16_t)(cmd->remote.port + 1);
	set_kinds(rc.remote.kinds, cmd);
	const int err = rtp_leg_open(&l->rtp, &rc);
	if (err) {
		free(l);
		return err;
	}
	l->call = c;
	list_init(&l->in_call);
	list_add(&c->legs, &l->in_call);
	c->n_legs++;
	c->way->n_legs++;
	snprintf(a->leg, sizeof(a->leg), "%s", rtp_leg_id(l->rtp));
	a->address = rtp_leg_address(l->rtp);
	return 0;
}

/* -- commands --------------------------------------------------------------------------- */

/* The call this is about, made if need be; NULL: `a` says why not. */
static struct rtp_call *call_for(struct way_rtp *w, const struct command *cmd,
				 struct answer *a)
{
	struct rtp_call *c = call_find(w, cmd->call);

	if (c && c->over) {
		answer_error(a, "call %s is over; take another id for a new "
			     "one", cmd->call);
		return NULL;
	}
	if (c)
		return c;
	if (w->draining) {
		answer_error(a, "draining: no new calls; try another instance, "
			     "or {\"do\":\"drain\",\"cancel\":true}");
		return NULL;
	}
	c = call_new(w, cmd);
	if (!c)
		answer_error(a, "%u calls are known already, or no memory; end "
			     "some", w->n_calls);
	return c;
}

static void leg_add(struct way_rtp *w, const struct command *cmd,
		    struct answer *a)
{
	if (w->draining) {
		answer_error(a, "draining: no new legs; try another instance, "
			     "or {\"do\":\"drain\",\"cancel\":true}");
		return;
	}
	struct rtp_call *c = call_for(w, cmd, a);
	if (!c)
		return;
	if (c->n_legs >= LEGS_MAX) {
		answer_error(a, "call %s has %d legs already; end one",
			     cmd->call, LEGS_MAX);
		return;
	}
	int err = call_begin(c);
	if (!err) {
		timers_disarm(w->cfg.timers, &c->keep);
		err = leg_new(c, cmd, a);
	}
	if (!err)
		return;
	if (err == -EADDRNOTAVAIL)
		answer_error(a, "no port is free (%u of %u in use, others rest "
			     "for 30 s); widen rtp { ports }, and see that its "
			     "address is this machine's",
			     rtp_ports_used(w->cfg.ports),
			     rtp_ports_limit(w->cfg.ports));
	else
		answer_error(a, "no leg: %s", rtp_leg_trouble(err));
	if (!c->n_legs)
		call_over(c, "error");
}

static void leg_end_by_id(struct way_rtp *w, const struct command *cmd,
			  struct answer *a)
{
	list_each(&w->calls, x)
		list_each(&call_of(x)->legs, y)
			if (!strcmp(rtp_leg_id(leg_in(y)->rtp), cmd->leg)) {
				leg_over(leg_in(y), "command");
				return;
			}
	answer_error(a, "no leg %s is here; it may have ended", cmd->leg);
}

static void call_register(struct way_rtp *w, const struct command *cmd,
			  struct answer *a)
{
	struct rtp_call *c = call_for(w, cmd, a);

	if (!c)
		return;
	if (c->call) {
		answer_error(a, "call %s has begun; register it before its "
			     "first leg", cmd->call);
		return;
	}
	struct command old = c->told;
	command_copy(&c->told, cmd);
	command_free(&old);
	keep(c);
}

static bool hang_up(struct way_rtp *w, const char *id)
{
	struct rtp_call *c = call_find(w, id);

	if (!c || !c->call)
		return false;
	list_each(&c->legs, y)
		leg_over(leg_in(y), "ctl");
	return true;
}

static void tell_status(const struct way_rtp *w, struct status *s)
{
	const struct rtp_totals *all = rtp_ports_totals(w->cfg.ports);

	s->rtp = true;
	s->rtp_legs += w->n_legs;
	s->rtp_packets = all->packets;
	s->rtp_foreign = all->foreign;
	s->rtp_refused = all->refused;
	s->rtp_odd = all->odd;
	s->ports_used = rtp_ports_used(w->cfg.ports);
	s->ports = rtp_ports_limit(w->cfg.ports);
}

static bool command(void *way, const struct command *c, struct answer *a)
{
	struct way_rtp *w = way;

	switch (c->kind) {
	case COMMAND_LEG_ADD:
		leg_add(w, c, a);
		return true;
	case COMMAND_LEG_END:
		leg_end_by_id(w, c, a);
		return true;
	case COMMAND_CALL_REGISTER:
		call_register(w, c, a);
		return true;
	case COMMAND_STATUS:
	case COMMAND_DRAIN:
		tell_status(w, &a->status);
		return false;
	case COMMAND_HANGUP:
		return hang_up(w, c->call);
	default:
		return false;
	}
}

/* -- the way ---------------------------------------------------------------------------- */

static bool wanted(const struct config *c)
{
	return c->rtp.given;
}

static int open_rtp(void **out, const struct way_config *cfg,
		    struct reason *why)
{
	const char *at = cfg->config->rtp.address;
	struct way_rtp *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->learn = !strcmp(cfg->config->rtp.source, "learn");
	list_init(&w->calls);

	const int err = addr_parse(&w->bind, at, strlen(at));
	if (err) {
		snprintf(why->text, sizeof(why->text), "%s is no address", at);
		free(w);
		return err;
	}
	*out = w;
	return 0;
}

static void drain(void *way)
{
	((struct way_rtp *)way)->draining = true;
}

static void resume(void *way)
{
	((struct way_rtp *)way)->draining = false;
}

static void end(void *way, const char *reason)
{
	struct way_rtp *w = way;

	/* with its last leg a call ends; it is only freed later */
	list_each(&w->calls, x) {
		struct rtp_call *c = call_of(x);

		list_each(&c->legs, y)
			leg_over(leg_in(y), reason);
	}
}

static void close_rtp(void *way)
{
	struct way_rtp *w = way;

	if (!w)
		return;
	list_each(&w->calls, x) {
		struct rtp_call *c = call_of(x);

		list_each(&c->legs, y)
			leg_over(leg_in(y), "end");
		call_free(c);
	}
	log_info("rtp", "%llu packets, %llu of nobody",
		 (unsigned long long)rtp_ports_totals(w->cfg.ports)->packets,
		 (unsigned long long)rtp_ports_totals(w->cfg.ports)->foreign);
	free(w);
}

const struct way way_rtp = {
	.name = "rtp", .wanted = wanted, .open = open_rtp, .drain = drain,
	.resume = resume, .command = command, .end = end, .close = close_rtp,
};
