/** @file uplink_send.c  Chunks of audio to the service: pace, keep-alive, watch */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/list.h"
#include "daemon/call/uplink_impl.h"

enum {
	PACE_MS = 20,
	CAUGHT_UP = UPLINK_RATE / 2, /* unsent, at most [samples] */
	VOICE = 300,            /* mean magnitude of a chunk with a voice */
	MUTE_MS = 15000,        /* ... so much of it, so long no message */
	STUCK_S = 3,            /* looks without a byte taken */
	BEHIND_S = 5,           /* the lag is told again so often */
	ROLLOVER_MS = 30000,    /* before the session's limit, at most */
};

static bool has_voice(const int16_t *pcm, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (uint64_t)abs(pcm[i]);
	return n && sum / n >= VOICE;
}

/* The chunk just taken, as the service wants it. */
static ptrdiff_t on_wire(struct link *l, size_t n, bool end,
			 const uint8_t **data)
{
	if (l->wire)
		return wire_encode(l->wire, l->uplink->pcm, n, end, data);
	*data = feeder_codes(l->feeder);
	return (ptrdiff_t)n;
}

/* Send one chunk of `n` samples.  @return 0 or -errno */
static int send_chunk(struct link *l, size_t n, bool end)
{
	struct uplink *u = l->uplink;
	struct feeder_taken taken;
	struct feeder_skip skip;
	const uint8_t *data;
	int err = feeder_take(l->feeder, u->pcm, n, &taken, &skip);

	if (err)
		return err;
	const ptrdiff_t len = on_wire(l, n, end, &data);
	if (len < 0)
		return (int)len;
	err = len ? connection_audio(l->connection, data, (size_t)len) : 0;
	if (err)
		return err;

	l->upto = taken.upto;
	if (taken.upto > u->gap_end)
		uplink_flush_gap(u); /* what was given up is over */
	u->sent = MAX(u->sent, taken.upto);
	u->speech += has_voice(u->pcm, n) ? n : 0;
	u->cb.taken(&taken, u->arg);
	if (skip.skipped)
		u->cb.skipped(&skip, u->arg);
	return 0;
}

/* Samples that may go out now, so that catching up keeps the service's rate:
 * what exceeds UPLINK_UNSENT_MAX is sent at `catchup` times real time. */
static size_t allowed(struct uplink *u)
{
	const double rate = link_vendor(u->link)->catchup;

	if (!u->cfg.paced || rate <= 0)
		return SIZE_MAX;

	const uint64_t now_ms = uv_now(u->cfg.loop);
	u->budget += (double)(now_ms - u->budget_at_ms) * rate * UPLINK_RATE /
		     1000;
	u->budget = MIN(u->budget, (double)UPLINK_BURST);
	u->budget_at_ms = now_ms;
	return u->budget > 0 ? (size_t)u->budget : 0;
}

/* The last chunk: never below the least the service takes, and what a filter
 * holds back goes with it. */
static int send_last(struct link *l)
{
	const size_t least = uplink_samples(link_vendor(l)->chunk_min_ms);
	const size_t left = (size_t)feeder_available(l->feeder);

	if (!left && !(l->wire && wire_holds(l->wire)))
		return 0;
	return send_chunk(l, MAX(left, least), true);
}

void uplink_finish_link(struct link *l)
{
	const size_t chunk = uplink_samples(l->service->settings.chunk_ms);
	const size_t pad = uplink_samples(link_vendor(l)->tail_pad_ms);

	l->finish_sent = true;
	if (pad)
		feeder_insert(l->feeder, pad);
	while (feeder_available(l->feeder) > chunk &&
	       !send_chunk(l, chunk, false))
		;
	send_last(l);
	connection_finish(l->connection);
}

static void follow_state(struct uplink *u)
{
	if (!uplink_streaming(u) || u->link->finish_sent)
		return;
	const uint64_t unsent = uplink_unsent(u);

	/* once behind, it is told until nearly all of it is made up; a replay
	 * that waits for the service is never behind */
	if (unsent > UPLINK_UNSENT_MAX && u->cfg.paced)
		uplink_set_state(u, "catching_up", NULL);
	else if (unsent <= CAUGHT_UP || strcmp(u->state, "catching_up") != 0)
		uplink_set_state(u, "streaming", NULL);
}

/* As much as may go, in whole chunks; when the leg is over, the rest. */
void uplink_pump(struct uplink *u)
{
	struct link *l = u->link;

	follow_state(u); /* before the rest of a leg goes out at once */
	while (uplink_streaming(u) && !l->finish_sent &&
	       connection_room(l->connection)) {
		const size_t chunk =
			uplink_samples(l->service->settings.chunk_ms);

		if (feeder_available(l->feeder) < chunk) {
			if (u->finishing)
				uplink_finish_link(l);
			break;
		}
		if (allowed(u) < chunk) {
			timer_once_start(u->pace, PACE_MS);
			break;
		}
		if (send_chunk(l, chunk, false))
			break; /* the connection's end will be told */
		u->budget -= (double)chunk;
	}
	follow_state(u);
	uplink_update_busy(u);
}

void uplink_on_pace(void *arg)
{
	uplink_pump(arg);
}

/* -- keep-alive, on the media clock ------------------------------------------- */

void uplink_arm_idle(struct uplink *u)
{
	const struct asr_vendor *v;

	if (!uplink_streaming(u) || u->link->finish_sent)
		return;
	v = link_vendor(u->link);
	if (v->idle != ASR_IDLE_NONE)
		timers_arm(u->cfg.timers, &u->idle,
			   u->idle_from_us +
				   (v->idle_ms + (uint64_t)v->idle_next_ms *
							 u->idles) * 1000);
}

void uplink_on_idle(struct timer *t, uint64_t now_us)
{
	struct uplink *u = list_item(t, struct uplink, idle);
	struct link *l = u->link;
	const struct asr_vendor *v = link_vendor(l);
	/* while it is behind there is enough to send; in a replay that waits
	 * for the service that must not depend on how fast it is */
	const uint64_t behind = u->cfg.paced
				? uplink_samples(l->service->settings.chunk_ms)
				: UPLINK_UNSENT_MAX;
	const uint64_t since = uplink_unsent(u) > behind
				       ? now_us
				       : MAX(u->audio_at_us, u->idle_from_us);

	if (since > u->idle_from_us) { /* audio came meanwhile */
		u->idle_from_us = since;
		u->idles = 0;
		uplink_arm_idle(u);
		return;
	}
	if (v->idle == ASR_IDLE_SILENCE || v->idle == ASR_IDLE_PING)
		feeder_insert(l->feeder,
			      uplink_samples(u->idles
						     ? l->service->settings.chunk_ms
						     : v->idle_first_ms));
	connection_keepalive(l->connection);
	u->idles++;
	uplink_arm_idle(u);
	uplink_pump(u);
}

/* -- once a second ---------------------------------------------------------------- */

static bool is_stuck(struct uplink *u)
{
	const size_t queued = connection_unacknowledged(u->link->connection);
	const bool same = queued > 0 && queued == u->queued &&
			  uplink_unsent(u) > UPLINK_UNSENT_MAX;

	u->queued = queued;
	u->stuck_s = same ? u->stuck_s + 1 : 0;
	return u->stuck_s >= STUCK_S;
}

static bool is_mute(const struct uplink *u)
{
	return u->speech >= uplink_samples(MUTE_MS) &&
	       uv_now(u->cfg.loop) - u->message_ms >= MUTE_MS;
}

static void tell_lag(struct uplink *u)
{
	struct reason why;
	const uint64_t unsent = uplink_unsent(u);

	if (unsent <= UPLINK_UNSENT_MAX) {
		u->behind_s = 0;
		return;
	}
	if (++u->behind_s % BEHIND_S)
		return;
	reason_set(&why, REASON_SPEED, 0, "%u s behind",
		   (unsigned)(unsent / UPLINK_RATE));
	uplink_set_state(u, "catching_up", &why);
}

void uplink_watch(struct uplink *u)
{
	const struct link *l = u->link;
	const uint32_t limit_ms = l->service->session_max_ms;
	const uint32_t before_ms = MIN(limit_ms / 2, (uint32_t)ROLLOVER_MS);

	if (l->finish_sent)
		return;
	if (limit_ms && !u->next && !u->old &&
	    uv_now(u->cfg.loop) - l->up_since_ms + before_ms >= limit_ms)
		uplink_rollover(u);
	tell_lag(u);
	if (is_stuck(u)) {
		uplink_lose(u, REASON_TIMEOUT,
			    "the service takes no audio any more");
	} else if (is_mute(u) && !u->asked_again) {
		u->asked_again = true;
		uplink_lose(u, REASON_TIMEOUT,
			    "15 s of speech and not a word from the service");
	} else if (is_mute(u) && !u->told_no_results) {
		u->told_no_results = true;
		u->cb.note("no_results", u->arg);
	}
}
