/** @file uplink.c  A leg's way to its ASR service: its states */
#include "daemon/call/uplink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/call/retry.h"
#include "daemon/call/uplink_impl.h"
#include "daemon/net/random.h"

enum {
	STABLE_MS = 10000,     /* a connection that lasted forgets failures */
	DEAD_MS = 2000,        /* of a replay's patience, once it was in vain */
	FALLBACK_TRIES = 3,    /* passing failures before another service */
	FALLBACKS_MAX = 4,
	CLOSE_NORMAL = 1000,
};

void uplink_set_state(struct uplink *u, const char *state,
		      const struct reason *why)
{
	/* each try of an outage is the same news */
	if (u->state && !strcmp(u->state, state) &&
	    (!why || (why->class == u->told.class &&
		      why->code == u->told.code &&
		      !strcmp(why->text, u->told.text))))
		return;
	u->state = state;
	u->told = why ? *why : (struct reason){0};
	u->cb.state(state, why, u->arg);
}

bool uplink_streaming(const struct uplink *u)
{
	return u->link && u->link->streaming;
}

uint64_t uplink_unsent(const struct uplink *u)
{
	const uint64_t end = backlog_end(u->backlog);

	if (uplink_streaming(u))
		return feeder_available(u->link->feeder);
	return end > u->sent ? end - u->sent : 0;
}

void uplink_update_busy(struct uplink *u)
{
	const bool busy = !u->failed && !u->over &&
			  (!uplink_streaming(u) ||
			   uplink_unsent(u) > UPLINK_UNSENT_MAX);

	if (busy == u->busy)
		return;
	u->busy = busy;
	u->cb.busy(busy, u->arg);
}

/* -- the end -------------------------------------------------------------------- */

static void finish_all(struct uplink *u)
{
	uplink_drop_link(u);
	uplink_drop_side(&u->next);
	uplink_drop_side(&u->old);
	uplink_close_segments(u, 0, SEGMENT_FINAL);
	uplink_give_up_all(u);
	uplink_flush_gap(u);
	u->over = true;
	timer_once_stop(u->retry);
	timer_once_stop(u->end);
	uplink_update_busy(u);
	u->cb.over(u->arg); /* may close u: last line */
}

static bool too_long(const struct uplink *u)
{
	const uint64_t down_ms = uv_now(u->cfg.loop) - u->down_since_ms;
	uint32_t most_ms = u->cfg.give_up_ms;

	if (u->doubtful && u->service->dead)
		most_ms = MIN(most_ms, (uint32_t)DEAD_MS);
	return most_ms && down_ms >= most_ms;
}

static void fail(struct uplink *u)
{
	u->failed = true;
	u->service->dead |= too_long(u);
	timer_once_stop(u->retry);
	uplink_drop_link(u);
	uplink_drop_side(&u->next);
	uplink_set_state(u, "failed", &u->why);
	uplink_close_segments(u, 0, SEGMENT_FINAL);
	uplink_tell_unsettled(u, transcript_settled(u->transcript), u->sent);
	uplink_give_up_all(u);
	uplink_update_busy(u);
	if (u->finishing)
		finish_all(u); /* may close u: last line */
}

/* Is waiting on pointless, for this leg? */
static bool is_final(const struct uplink *u, const struct reason *why)
{
	const bool hopeless = retry_is_hopeless(why->class);

	return too_long(u) ||
	       (hopeless && (u->cfg.hopeless_is_final || u->finishing));
}

/* Another service takes the leg over, with its backlog?  Not where a
 * certificate is wrong: that may be an attack, and is for a person to see. */
static bool can_fall_back(const struct uplink *u, const struct reason *why)
{
	return u->service->fallback && u->fallbacks < FALLBACKS_MAX &&
	       why->class != REASON_TLS;
}

static bool fall_back(struct uplink *u, const struct reason *why)
{
	if (!can_fall_back(u, why) ||
	    (u->tries < FALLBACK_TRIES && !retry_is_hopeless(why->class) &&
	     !gate_down(u->service->gate)))
		return false;
	u->service = u->service->fallback;
	u->fallbacks++;
	u->tries = 0;
	u->down_since_ms = uv_now(u->cfg.loop);
	return true;
}

static void retry_or_fail(struct uplink *u, const struct reason *why)
{
	uint32_t random, delay_ms;
	bool hopeless = retry_is_hopeless(why->class);

	u->why = *why;
	u->tries++;
	if (!u->down_since_ms)
		u->down_since_ms = uv_now(u->cfg.loop);
	uplink_tell_overflow(u);
	random_bytes(&random, sizeof(random));
	delay_ms = retry_delay_ms(why, u->tries, random);
	if (fall_back(u, why)) {
		hopeless = false;
		delay_ms = 0;
	} else if (is_final(u, why)) {
		fail(u); /* may close u: last line */
		return;
	} else if (hopeless && gate_down(u->service->gate)) {
		delay_ms = 0; /* wait at the gate: it may open sooner */
	}
	uplink_set_state(u,
			 hopeless	  ? "failed"
			 : u->connections ? "reconnecting"
					  : "connecting",
			 why);
	uplink_update_busy(u);
	timer_once_start(u->retry, delay_ms);
}

/* -- a connection has gone ------------------------------------------------------------ */

/* The predecessor has gone: what it did not settle is sent nowhere again. */
void uplink_old_over(struct uplink *u, const struct reason *why, bool drained)
{
	struct link *l = u->old;

	uplink_close_segments(u, l->number, SEGMENT_FINAL);
	if (!drained) {
		const struct reason kept = u->why;

		u->why = *why;
		uplink_tell_unsettled(u, l->settled, l->upto);
		uplink_flush_gap(u);
		u->why = kept;
	}
	uplink_drop_side(&u->old);
	if (u->finishing && !u->link && !u->failed)
		finish_all(u); /* may close u: last line */
}

/* The current one has gone. */
void uplink_link_over(struct uplink *u, const struct reason *why, bool drained)
{
	const struct link *l = u->link;
	const bool ended = l->finish_sent;
	const bool mute = ended && why->class == REASON_TIMEOUT;
	/* closed in order behind a final that reaches to the end: one without
	 * times settles less than it says */
	const bool orderly = why->code == CLOSE_NORMAL &&
			     transcript_told(u->transcript) >= u->sent;
	const bool settled =
		ended && (orderly ||
			  transcript_settled(u->transcript) >= u->sent);

	if (l->streaming &&
	    uv_now(u->cfg.loop) - l->up_since_ms >= STABLE_MS) {
		u->tries = 0;
		u->down_since_ms = 0;
	}
	if (ended && (drained || mute || settled)) {
		if (!drained) {
			u->why = *why;
			uplink_close_segments(u, 0, SEGMENT_FINAL);
		}
		uplink_drop_link(u);
		if (!drained && !orderly)
			uplink_tell_unsettled(
				u, transcript_settled(u->transcript), u->sent);
		if (!u->old)
			finish_all(u); /* may close u: last line */
		return;
	}
	uplink_drop_link(u);
	if (u->next) { /* a successor is on its way: let it take over */
		u->link = u->next;
		u->next = NULL;
		u->why = *why;
		uplink_tell_overflow(u);
		uplink_set_state(u, "reconnecting", why);
		uplink_update_busy(u);
		return;
	}
	retry_or_fail(u, why); /* may close u: last line */
}

void uplink_lose(struct uplink *u, enum reason_class class, const char *text)
{
	struct reason why;

	reason_set(&why, class, 0, "%s", text);
	uplink_link_over(u, &why, false);
}

/* -- timers ---------------------------------------------------------------------------- */

/* While waiting at the gate: has the service been found hopeless meanwhile? */
static void look_at_gate(struct uplink *u)
{
	const struct reason *down = gate_down(u->link->service->gate);
	struct reason why;

	if (u->link->connection)
		return;
	if (down)
		why = *down;
	else
		reason_set(&why, REASON_TIMEOUT, 0,
			   "no turn to connect: too many at once");
	if (is_final(u, &why) ||
	    (down && can_fall_back(u, &why))) {
		uplink_drop_link(u);
		retry_or_fail(u, &why); /* may close u: last line */
		return;
	}
	if (down && strcmp(u->state, "failed") != 0 &&
	    retry_is_hopeless(why.class)) {
		u->why = why;
		uplink_set_state(u, "failed", &why);
	}
	timer_once_start(u->retry, UPLINK_LOOK_MS);
}

static void on_retry(void *arg)
{
	struct uplink *u = arg;

	if (!u->link) {
		u->link = uplink_new_link(u);
		if (!u->link) {
			timer_once_start(u->retry, UPLINK_LOOK_MS);
			return;
		}
		service_gate_run(u->link->service);
	} else if (!u->link->connection &&
		   u->link->ticket.state == TICKET_INSIDE) {
		uplink_connect(u->link);
	}
	look_at_gate(u); /* may close u: last line */
}

static void on_end(void *arg)
{
	struct uplink *u = arg;

	if (uplink_streaming(u) && u->link->finish_sent)
		return; /* the drain has its own limits */
	if (uplink_streaming(u))
		reason_set(&u->why, REASON_SPEED, 0,
			   "the service did not take the rest in time");
	else if (u->why.class == REASON_NONE)
		reason_set(&u->why, REASON_TIMEOUT, 0,
			   "no connection until the call was over");
	fail(u);
}

static void on_watch(void *arg)
{
	struct uplink *u = arg;

	timer_once_start(u->watch, UPLINK_WATCH_MS);
	uplink_watch(u); /* may close u: last line */
}

/* -- for the leg ------------------------------------------------------------------------ */

static int take_memory(struct uplink *u)
{
	uv_loop_t *loop = u->cfg.loop;
	int err = backlog_new(&u->backlog, u->cfg.backlog);

	if (!err)
		err = transcript_new(&u->transcript);
	u->pcm = calloc(uplink_samples(UPLINK_CHUNK_MAX_MS), sizeof(*u->pcm));
	if (!err && !u->pcm)
		err = -ENOMEM;
	if (!err)
		err = timer_once_open(&u->retry, loop, on_retry, u);
	if (!err)
		err = timer_once_open(&u->end, loop, on_end, u);
	if (!err)
		err = timer_once_open(&u->pace, loop, uplink_on_pace, u);
	if (!err)
		err = timer_once_open(&u->watch, loop, on_watch, u);
	return err;
}

int uplink_open(struct uplink **out, const struct uplink_config *cfg,
		const struct uplink_cb *cb, void *arg)
{
	struct uplink *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->cfg = *cfg;
	u->cb = *cb;
	u->arg = arg;
	u->service = cfg->service;
	u->doubtful = cfg->service->dead && !cfg->paced;
	u->idle.due = uplink_on_idle;

	const int err = take_memory(u);
	if (err) {
		uplink_close(u);
		return err;
	}
	u->down_since_ms = uv_now(cfg->loop);
	uplink_set_state(u, "connecting", NULL);
	uplink_update_busy(u);
	timer_once_start(u->retry, 0);
	*out = u;
	return 0;
}

void uplink_close(struct uplink *u)
{
	if (!u)
		return;
	uplink_drop_link(u);
	uplink_drop_side(&u->next);
	uplink_drop_side(&u->old);
	timers_disarm(u->cfg.timers, &u->idle);
	timer_once_close(u->retry);
	timer_once_close(u->end);
	timer_once_close(u->pace);
	timer_once_close(u->watch);
	if (u->busy)
		u->cb.busy(false, u->arg);
	transcript_free(u->transcript);
	backlog_free(u->backlog);
	losses_free(&u->given_up);
	free(u->pcm);
	free(u);
}

void uplink_span(struct uplink *u, const struct span *s)
{
	if (span_is_audio(s))
		u->audio_at_us = s->at_us;
	if (s->kind == SPAN_PAUSED) /* and never is a gap of ours */
		losses_add(&u->given_up, s->pos, s->pos + s->len);
	if (u->failed || backlog_put(u->backlog, s)) {
		uplink_give_up(u, s);
		return;
	}
	if (uplink_streaming(u))
		feeder_more(u->link->feeder, s);
	uplink_trim(u);
	uplink_pump(u);
}

void uplink_finish(struct uplink *u)
{
	u->finishing = true;
	uplink_drop_side(&u->next);
	if (u->failed) {
		finish_all(u); /* may close u: last line */
		return;
	}
	if (!uplink_streaming(u) && retry_is_hopeless(u->why.class)) {
		fail(u); /* may close u: last line */
		return;
	}
	timer_once_start(u->end, UPLINK_END_MS);
	uplink_pump(u);
}

unsigned uplink_connections(const struct uplink *u)
{
	return u->connections;
}

uint64_t uplink_backlog(const struct uplink *u)
{
	return uplink_unsent(u);
}

const char *uplink_state(const struct uplink *u)
{
	return u->state;
}
