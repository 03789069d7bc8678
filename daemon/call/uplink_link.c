/** @file uplink_link.c  A leg's connections: begun, ready, handed over, gone */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/list.h"
#include "daemon/call/uplink_impl.h"
#include "daemon/net/random.h"

static const struct connection_cb connection_cb;

static void link_free(struct link *l)
{
	struct uplink *u = l->uplink;
	uint64_t at, samples;

	gate_cancel(l->service->gate, &l->ticket);
	service_gate_run(l->service);
	connection_close(l->connection);
	for (size_t i = 0; l->feeder &&
			   positions_inserted_at(feeder_map(l->feeder), i, &at,
						 &samples); i++)
		u->cb.inserted(l->number, at, samples, u->arg);
	feeder_free(l->feeder);
	wire_free(l->wire);
	free(l);
}

void uplink_drop_link(struct uplink *u)
{
	if (!u->link)
		return;
	if (u->link->number) {
		u->lost = u->link->service;
		u->lost_number = u->link->number;
	}
	link_free(u->link);
	u->link = NULL;
	timers_disarm(u->cfg.timers, &u->idle);
	timer_once_stop(u->pace);
	timer_once_stop(u->watch);
}

void uplink_drop_side(struct link **side)
{
	if (*side)
		link_free(*side);
	*side = NULL;
}

void uplink_connect(struct link *l)
{
	struct uplink *u = l->uplink;

	if (connection_open(&l->connection, u->cfg.loop, l->service,
			    &connection_cb, l))
		timer_once_start(u->retry, UPLINK_LOOK_MS); /* memory, files */
}

static void on_granted(struct gate_ticket *t)
{
	uplink_connect(list_item(t, struct link, ticket));
}

struct link *uplink_new_link(struct uplink *u)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->uplink = u;
	l->service = u->service;
	l->ticket.leg = u->cfg.leg;
	l->ticket.granted = on_granted;
	gate_enter(l->service->gate, &l->ticket);
	return l;
}

/* -- what the connection reports ---------------------------------------------------- */

static void tell_gate(struct link *l, const struct reason *why)
{
	struct service *s = l->service;
	uint32_t random;

	if (!why)
		s->dead = false;
	if (why && why->class != REASON_NONE && !l->finish_sent) {
		s->last = *why;
		s->last_ms = uv_now(s->loop);
	}
	if (why && why->class == REASON_AUTH)
		service_reread_key(s);
	random_bytes(&random, sizeof(random));
	if (l->ticket.state != TICKET_INSIDE) {
		if (why && !l->finish_sent)
			gate_lost(s->gate, l->ticket.leg, why, uv_now(s->loop),
				  random);
		service_gate_run(s);
		return;
	}
	if (why)
		gate_failure(s->gate, &l->ticket, why, uv_now(s->loop), random);
	else
		gate_success(s->gate, &l->ticket);
	service_gate_run(s);
}

/* Give the link its audio: from `from` on. */
static int start_link(struct link *l, uint64_t from)
{
	struct uplink *u = l->uplink;
	const struct asr_wire *w = &l->service->settings.wire;
	int err = feeder_new(&l->feeder, u->backlog, from, u->sent);

	if (!err && w->encoding == ASR_PCM_S16LE)
		err = wire_new(&l->wire, w);
	else if (!err)
		feeder_set_law(l->feeder, w->encoding == ASR_MULAW
						  ? SPAN_PCMU : SPAN_PCMA);
	if (err)
		return err;
	l->number = ++u->connections;
	l->streaming = true;
	l->up_since_ms = uv_now(u->cfg.loop);
	l->settled = l->upto = feeder_position(l->feeder);
	u->budget = UPLINK_BURST;
	u->budget_at_ms = l->up_since_ms;
	u->message_ms = l->up_since_ms;
	u->speech = 0;
	u->stuck_s = 0;
	u->idle_from_us = timers_now_us(u->cfg.timers);
	u->idles = 0;
	timer_once_start(u->watch, UPLINK_WATCH_MS);
	return 0;
}

/* The successor is ready: it goes on where the current one is. */
static void take_over(struct uplink *u)
{
	struct link *l = u->next;

	if (start_link(l, feeder_position(u->link->feeder)))
		return; /* no memory: the old one stays */
	u->old = u->link;
	u->link = l;
	u->next = NULL;
	u->old->streaming = false;
	u->old->finish_sent = true;
	connection_finish(u->old->connection);
	u->cb.note("rollover", u->arg);
}

static void look_at_certificate(struct link *l)
{
	struct tls_facts f;

	if (connection_tls(l->connection, &f))
		service_certificate(l->service, f.not_after_s);
}

static void on_ready(void *arg)
{
	struct link *l = arg;
	struct uplink *u = l->uplink;

	tell_gate(l, NULL);
	look_at_certificate(l);
	if (l == u->next) {
		take_over(u);
	} else {
		if (u->lost_number) /* its audio is sent again */
			uplink_close_segments(u, u->lost_number,
					      SEGMENT_RETRACTED);
		u->lost_number = 0;
		transcript_reconnect(u->transcript);
		if (start_link(l, transcript_settled(u->transcript)))
			return; /* no memory: the service will close it */
		uplink_flush_gap(u);
	}
	if (u->finishing && !u->overtime) {
		u->overtime = true;
		timer_once_start(u->end, UPLINK_END_MS);
	}
	uplink_arm_idle(u);
	uplink_pump(u);
}

static void on_room(void *arg)
{
	struct link *l = arg;

	if (l == l->uplink->link)
		uplink_pump(l->uplink);
}

static void on_heard(void *arg)
{
	struct link *l = arg;

	l->uplink->message_ms = uv_now(l->uplink->cfg.loop);
	l->uplink->speech = 0;
}

static void on_bad(void *arg)
{
	struct link *l = arg;

	l->uplink->cb.bad(l->uplink->arg);
}

static void on_session(const char *id, void *arg)
{
	struct link *l = arg;
	const size_t n = strnlen(id, UPLINK_SESSION_ID - 1);

	memcpy(l->session, id, n);
	l->session[n] = '\0';
}

static bool on_result(const struct asr_result *r, void *arg)
{
	return uplink_result(arg, r);
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	uplink_speech(arg, e, at_us);
}

static void on_over(const struct reason *why, bool drained, void *arg)
{
	struct link *l = arg;
	struct uplink *u = l->uplink;

	tell_gate(l, why);
	if (l == u->old)
		uplink_old_over(u, why, drained);
	else if (l == u->next)
		uplink_drop_side(&u->next); /* the watch will try again */
	else
		uplink_link_over(u, why, drained);
}

static const struct connection_cb connection_cb = {
	.ready = on_ready, .room = on_room, .session = on_session,
	.result = on_result, .speech = on_speech, .heard = on_heard,
	.bad = on_bad, .over = on_over,
};

void uplink_rollover(struct uplink *u)
{
	u->next = uplink_new_link(u);
	if (u->next)
		service_gate_run(u->next->service);
}
