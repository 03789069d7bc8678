/**
 * @file way_oreka.c  FreeSWITCH's mod_oreka
 *
 * FreeSWITCH dictates where it sends (reference: telephony section 1.3.3): to
 * our address, and the port that it has taken at its own.  So the address must
 * be one where nothing else takes UDP ports.  A leg is a Call-ID with RX or TX;
 * a call ends with its last leg, by BYE or, since that may be lost, when no RTP
 * came for rtp { timeout }.  Nobody reads answers: none is sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/network.h"
#include "daemon/cfg/listen.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/ingress/used_ids.h"
#include "daemon/ingress/way.h"
#include "daemon/net/udp.h"
#include "daemon/sig/oreka.h"

enum { SOCKETS_MAX = 8, LEGS = 2, RX = 0, TX = 1 };

struct oreka_socket {
	struct way_oreka *way;
	struct udp *udp;
	struct addr at;
};

struct way_oreka {
	struct way_config cfg;
	char *const *permit;
	struct oreka_socket sockets[SOCKETS_MAX];
	size_t n_sockets;
	struct list calls;
	unsigned n_calls, max_calls;
	bool mixed;              /* mux-all-streams */
	enum role party;         /* who speaks on RX */
	bool draining;
	struct used_ids used;
	uint64_t announced, refused;
	struct log_limit stranger, stranger_named, named, bad, full, port;
};

struct oreka_call;

struct oreka_leg {
	struct oreka_call *call;
	struct rtp_leg *rtp;     /* NULL: there is none */
	uint16_t port;
};

struct oreka_call {
	struct list in_way;
	struct way_oreka *way;
	struct call *call;
	char call_id[OREKA_CALL_ID];
	struct addr from;        /* FreeSWITCH, as it announces itself */
	struct oreka_leg legs[LEGS];
};

static struct oreka_call *call_of(struct list *in_way)
{
	return list_item(in_way, struct oreka_call, in_way);
}

/* -- the end ------------------------------------------------------------------- */

static void call_over(struct oreka_call *c, const char *reason)
{
	for (size_t i = 0; i < LEGS; i++)
		if (c->legs[i].rtp)
			rtp_leg_close(c->legs[i].rtp, reason);
	if (c->call)
		call_end(c->call, reason);
	list_remove(&c->in_way);
	c->way->n_calls--;
	free(c);
}

static void leg_over(struct oreka_leg *l, const char *reason)
{
	struct oreka_call *c = l->call;

	if (c->legs[RX].rtp && c->legs[TX].rtp) {
		rtp_leg_close(l->rtp, reason);
		l->rtp = NULL;
	} else {
		call_over(c, reason);
	}
}

static void on_timed_out(void *arg)
{
	leg_over(arg, "timeout");
}

/* -- the beginning --------------------------------------------------------------- */

static void tell(struct way_oreka *w, struct log_limit *limit,
		 const struct addr *about, const char *what)
{
	char text[ADDR_TEXT];
	uint64_t kept_back;

	w->refused++;
	if (log_limited(limit, timers_now_us(w->cfg.timers), &kept_back))
		log_warn("oreka", "%s %s (%llu more since the last such line)",
			 addr_print(text, about), what,
			 (unsigned long long)kept_back);
}

static struct oreka_call *call_find(struct way_oreka *w, const char *call_id,
				    const struct addr *peer)
{
	list_each(&w->calls, x)
		if (!strcmp(call_of(x)->call_id, call_id) &&
		    addr_same_ip(&call_of(x)->from, peer))
			return call_of(x);
	return NULL;
}

static int begin_call(struct oreka_call *c, const struct oreka_message *m,
		      const struct addr *peer)
{
	struct event_id ids[OREKA_HEADERS];
	char id[EVENT_ID];
	struct way_oreka *w = c->way;
	const struct call_info i = {
		.id = id, .source = "oreka", .sip_call_id = m->call_id,
		.from = *m->from ? m->from : NULL,
		.to = *m->to ? m->to : NULL,
		.ids = ids, .n_ids = m->n_headers, .trunk = *peer,
	};

	for (size_t n = 0; n < m->n_headers; n++)
		ids[n] = (struct event_id){ m->headers[n].name,
					    m->headers[n].value };
	used_ids_take(&w->used, id, m->call_id, w->cfg.calls);
	return call_open(&c->call, w->cfg.calls, &i);
}

static struct oreka_call *call_new(struct way_oreka *w,
				   const struct oreka_message *m,
				   const struct addr *peer)
{
	struct oreka_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->way = w;
	c->from = *peer;
	memcpy(c->call_id, m->call_id, sizeof(c->call_id));
	c->legs[RX].call = c->legs[TX].call = c;
	list_init(&c->in_way);
	list_add(&w->calls, &c->in_way);
	w->n_calls++;
	if (begin_call(c, m, peer)) {
		call_over(c, "error");
		return NULL;
	}
	return c;
}

/* RX is the channel's own party, TX what that one hears. */
static struct leg_info info_of(const struct way_oreka *w, bool tx)
{
	const enum role other = w->party == ROLE_CALLER ? ROLE_AGENT
							: ROLE_CALLER;

	return (struct leg_info){
		.role = w->mixed ? ROLE_MIXED : tx ? other : w->party,
		.role_source = w->mixed ? "mix" : "channel",
		.label = tx ? "TX" : "RX", .codec = "PCMU",
	};
}

static int leg_new(struct oreka_leg *l, const struct oreka_socket *s,
		   const struct oreka_message *m, const struct addr *peer)
{
	struct way_oreka *w = s->way;
	struct receiver_config usual;
	struct rtp_leg_config rc = {
		.tell = w->cfg.tell, .tell_arg = w->cfg.arg,
		.loop = w->cfg.loop, .timers = w->cfg.timers,
		.clock = w->cfg.clock, .ports = w->cfg.ports,
		.bind = m->at,
		.port = m->at.port, .call = l->call->call,
		.info = info_of(w, m->tx), .source = RTP_SOURCE_SDP,
		.remote.at = m->sender.family ? m->sender : *peer,
		.timed_out = on_timed_out, .arg = l,
		.timeout_us = 1000ull * w->cfg.config->rtp.timeout_ms,
	};

	rc.remote.at.port = m->at.port;
	receiver_config_default(&usual);
	memcpy(rc.remote.kinds, usual.kind, sizeof(usual.kind));
	l->port = m->at.port;
	return rtp_leg_open(&l->rtp, &rc);
}

static void announce(const struct oreka_socket *s,
		     const struct oreka_message *m, const struct addr *peer)
{
	struct way_oreka *w = s->way;
	struct oreka_call *c = call_find(w, m->call_id, peer);

	if (c && c->legs[m->tx].rtp && c->legs[m->tx].port == m->at.port)
		return; /* said twice */
	if (!c && (w->draining || w->n_calls == w->max_calls)) {
		tell(w, &w->full, peer, w->draining
		     ? "announces a call, and we drain"
		     : "announces one call too many, max-calls");
		return;
	}
	if (!c)
		c = call_new(w, m, peer);
	if (!c)
		return;
	w->announced++;
	if (c->legs[m->tx].rtp)
		rtp_leg_close(c->legs[m->tx].rtp, "hangup");
	c->legs[m->tx].rtp = NULL;
	const int err = leg_new(&c->legs[m->tx], s, m, peer);
	if (err == -EADDRINUSE)
		tell(w, &w->port, &m->at, "is where FreeSWITCH will send, and "
		     "is taken: a leg is not heard; give oreka { listen } an "
		     "address where nothing else takes UDP ports");
	else if (err)
		tell(w, &w->port, &m->at, "is where FreeSWITCH will send, and "
		     "cannot be had; make it the address in oreka { listen }");
	if (err && !c->legs[RX].rtp && !c->legs[TX].rtp)
		call_over(c, "error");
}

static void on_datagram(const struct packet *p, void *arg)
{
	const struct oreka_socket *s = arg;
	struct way_oreka *w = s->way;
	struct oreka_message m;
	struct addr host = p->from;

	host.port = 0;
	if (!network_any_has(w->permit, &p->from)) {
		tell(w, &w->stranger, &host, "is not in permit");
		return;
	}
	if (oreka_parse(&m, p->data, p->len)) {
		tell(w, &w->bad, &host, "sends what mod_oreka never does");
		return;
	}
	if (m.sender.family && !network_any_has(w->permit, &m.sender)) {
		tell(w, &w->stranger_named, &m.sender, "is named as the sender, and "
		     "is not in permit");
		return;
	}
	if (m.begin && !addr_is_any(&s->at) && !addr_same_ip(&s->at, &m.at)) {
		tell(w, &w->named, &m.at, "is where FreeSWITCH will send, which "
		     "is not the address in oreka { listen }");
		return;
	}
	if (m.begin) {
		announce(s, &m, &host);
		return;
	}
	struct oreka_call *c = call_find(w, m.call_id, &host);
	if (c && c->legs[m.tx].rtp)
		leg_over(&c->legs[m.tx], "hangup");
}

/* -- the way ------------------------------------------------------------------- */

static bool wanted(const struct config *c)
{
	return c->oreka.given;
}

static void close_all(struct way_oreka *w, const char *reason)
{
	list_each(&w->calls, x)
		call_over(call_of(x), reason);
}

static void free_all(struct way_oreka *w)
{
	for (size_t i = 0; i < w->n_sockets; i++)
		udp_close(w->sockets[i].udp);
	close_all(w, "end");
	free(w);
}

static int listen_at(struct way_oreka *w, const char *text, struct reason *why)
{
	struct oreka_socket *s = &w->sockets[w->n_sockets];
	struct udp_options o = {
		.loop = w->cfg.loop, .clock = w->cfg.clock,
		.timers = w->cfg.timers,
	};
	struct listen_at at;
	int err = listen_parse(&at, text, "udp");

	if (!err && w->n_sockets == SOCKETS_MAX)
		err = -E2BIG;
	if (!err) {
		o.at = at.at;
		*s = (struct oreka_socket){ .way = w, .at = at.at };
		err = udp_open(&s->udp, &o, on_datagram, s);
	}
	if (err)
		snprintf(why->text, sizeof(why->text), "%s: %s; change listen, "
			 "or end what has it", text, strerror(-err));
	else
		w->n_sockets++;
	return err;
}

static int open_oreka(void **out, const struct way_config *cfg,
		      struct reason *why)
{
	static char four[] = "127.0.0.0/8", six[] = "::1";
	static char *const nearby[] = { four, six, NULL };
	const struct config *c = cfg->config;
	struct way_oreka *w = calloc(1, sizeof(*w));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->permit = c->oreka.permit ? c->oreka.permit : nearby;
	w->max_calls = c->oreka.max_calls;
	w->mixed = c->oreka.mixed;
	w->party = !strcmp(c->oreka.party, "agent") ? ROLE_AGENT : ROLE_CALLER;
	list_init(&w->calls);
	for (size_t i = 0; c->oreka.listen[i] && !err; i++)
		err = listen_at(w, c->oreka.listen[i], why);
	if (err) {
		free_all(w);
		return err;
	}
	*out = w;
	return 0;
}

static void drain(void *way)
{
	((struct way_oreka *)way)->draining = true;
}

static void resume(void *way)
{
	((struct way_oreka *)way)->draining = false;
}

/* Only of ours: FreeSWITCH goes on sending, to nobody. */
static bool command(void *way, const struct command *c, struct answer *a)
{
	struct way_oreka *w = way;

	(void)a;
	if (c->kind != COMMAND_HANGUP)
		return false;
	list_each(&w->calls, x)
		if (!strcmp(call_id(call_of(x)->call), c->call)) {
			call_over(call_of(x), "ctl");
			return true;
		}
	return false;
}

static void end(void *way, const char *reason)
{
	close_all(way, reason);
}

static void close_oreka(void *way)
{
	struct way_oreka *w = way;

	if (!w)
		return;
	log_info("oreka", "%llu legs announced, %llu messages refused",
		 (unsigned long long)w->announced,
		 (unsigned long long)w->refused);
	free_all(w);
}

const struct way way_oreka = {
	.name = "oreka", .wanted = wanted, .open = open_oreka, .drain = drain,
	.resume = resume, .command = command, .end = end,
	.close = close_oreka,
};
