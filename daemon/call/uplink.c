/** @file uplink.c  A leg's way to its ASR service */
#include "daemon/call/uplink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/base/must.h"
#include "daemon/call/connection.h"
#include "daemon/call/retry.h"
#include "daemon/call/wire.h"
#include "daemon/net/random.h"
#include "daemon/net/timer.h"

enum {
	RATE = 8000,               /* of the leg's timeline [samples/s] */
	UNSENT_MAX = 2 * RATE,     /* more holds up a replay */
	AT_ONCE_MAX = 2 * RATE,    /* backlog that is sent without pacing */
	STABLE_MS = 10000,         /* a connection that lasted forgets failures */
	END_MS = 30000,            /* for connecting once the leg is over */
	SESSION_ID = 128,
	PACE_MS = 20,
};

struct uplink {
	struct uplink_config cfg;
	struct uplink_cb cb;
	void *arg;

	struct backlog *backlog;
	struct feeder *feeder;         /* of the connection, while streaming */
	struct transcript *transcript;
	struct connection *connection;
	struct timer_once *retry;      /* back-off */
	struct timer_once *end;        /* END_MS when finishing */
	struct timer_once *pace;
	struct timer idle;             /* keep-alive, on the media clock */

	const char *state;
	bool streaming, finishing, finish_sent, failed, over, busy;
	unsigned connections;          /* opened */
	unsigned tries;                /* failures in a row */
	uint64_t down_since_ms;        /* loop time; 0: up */
	uint64_t up_since_ms;
	char session[SESSION_ID];
	struct reason why;             /* of the last failure */

	uint64_t sent;                 /* leg position sent up to, ever */
	uint64_t audio_at_us;          /* arrival of the last audio spans put */
	uint64_t idle_from_us;         /* nothing to send since, media clock */
	unsigned idles;                /* keep-alives since then */
	double budget;                 /* samples that may be sent [paced] */
	uint64_t budget_at_ms;

	uint64_t gap_start, gap_end;   /* being given up; equal: nothing is */
	const char *gap_cause;

	int16_t *pcm;                  /* one chunk */
	uint8_t *bytes;                /* ... on the wire */
};

static const struct asr_vendor *vendor(const struct uplink *u)
{
	return u->cfg.service->vendor;
}

static size_t samples_of(uint32_t ms)
{
	return (size_t)ms * RATE / 1000;
}

static void set_state(struct uplink *u, const char *state,
		      const struct reason *why)
{
	if (u->state && !strcmp(u->state, state) && !why)
		return;
	u->state = state;
	u->cb.state(state, why, u->arg);
}

/* -- what holds up a replay -------------------------------------------------- */

static uint64_t unsent(const struct uplink *u)
{
	if (u->feeder)
		return feeder_available(u->feeder);
	const uint64_t end = backlog_end(u->backlog);

	return end > u->sent ? end - u->sent : 0;
}

static void update_busy(struct uplink *u)
{
	const bool busy = !u->failed && !u->over &&
			  (!u->streaming || unsent(u) > UNSENT_MAX);

	if (busy == u->busy)
		return;
	u->busy = busy;
	u->cb.busy(busy, u->arg);
}

/* -- audio that is given up --------------------------------------------------- */

static const char *cause(const struct uplink *u)
{
	switch (u->why.class) {
	case REASON_AUTH:    return "auth";
	case REASON_PAYMENT: return "payment";
	case REASON_QUOTA:   return "quota";
	case REASON_TLS:     return "tls";
	case REASON_DNS:     return "dns";
	default:
		return u->streaming	? "asr_slow"
		       : u->connections ? "asr_disconnect"
					: "asr_connect";
	}
}

static void flush_gap(struct uplink *u)
{
	const uint64_t start = u->gap_start, end = u->gap_end;

	u->gap_start = u->gap_end = 0;
	if (start < end)
		u->cb.gap(start, end, u->gap_cause, u->arg);
}

static void give_up(struct uplink *u, const struct span *s)
{
	const uint64_t from = MAX(s->pos, u->sent);
	const uint64_t end = s->pos + s->len;

	if (end <= from)
		return;
	if (span_is_audio(s))
		u->cb.lost(end - from, u->arg);
	u->sent = end;

	const char *why = cause(u);
	if (u->gap_start < u->gap_end &&
	    (u->gap_end != from || strcmp(u->gap_cause, why) != 0))
		flush_gap(u);
	if (u->gap_start == u->gap_end)
		u->gap_start = from;
	u->gap_end = end;
	u->gap_cause = why;
}

static void give_up_all(struct uplink *u)
{
	struct span s;

	while (backlog_drop(u->backlog, &s))
		give_up(u, &s);
}

static void trim(struct uplink *u)
{
	struct span s;

	while (backlog_over(u->backlog) && backlog_drop(u->backlog, &s)) {
		if (u->feeder &&
		    feeder_span(u->feeder) < backlog_first(u->backlog)) {
			u->sent = MAX(u->sent, feeder_position(u->feeder));
			give_up(u, &s);
			feeder_overtaken(u->feeder);
		} else if (!u->feeder) {
			give_up(u, &s);
		}
	}
}

/* -- segments ----------------------------------------------------------------- */

static uint64_t arrival(const struct uplink *u, uint64_t end)
{
	struct span s;

	if (end == 0 ||
	    !backlog_span(u->backlog, backlog_find(u->backlog, end - 1), &s) ||
	    s.pos >= end)
		return 0;
	return s.at_us;
}

static void publish(struct uplink *u, const struct transcript_segment *s,
		    const struct asr_result *r)
{
	const struct uplink_segment out = {
		.segment = s, .result = r,
		.map = u->feeder ? feeder_map(u->feeder) : NULL,
		.arrived_us = arrival(u, s->end),
		.session = u->session[0] ? u->session : NULL,
		.connection = s->connection,
	};

	u->cb.segment(&out, u->arg);
}

static void close_segments(struct uplink *u, enum segment_state state)
{
	const struct transcript_segment *s;

	while ((s = transcript_close(u->transcript, state)))
		publish(u, s, NULL);
}

/* Microseconds on the connection to samples; unknown stays unknown. */
static uint64_t samples_at(int64_t us)
{
	return us < 0 ? 0 : ((uint64_t)us * RATE + 500000) / 1000000;
}

static void on_result(const struct asr_result *r, void *arg)
{
	struct uplink *u = arg;

	if (!u->feeder)
		return; /* before it was ready: about nothing we sent */
	const struct positions *map = feeder_map(u->feeder);
	const uint64_t now = feeder_position(u->feeder);
	uint64_t start = r->start_us == TIME_UNKNOWN
				 ? transcript_settled(u->transcript)
				 : positions_start(map, samples_at(r->start_us));
	uint64_t end = r->end_us == TIME_UNKNOWN
			       ? now
			       : positions_end(map, samples_at(r->end_us));

	end = MIN(end, now);
	start = MIN(start, end);
	const struct transcript_segment *s = transcript_result(
		u->transcript, u->connections, r, start, end);
	if (s)
		publish(u, s, r);
	backlog_forget(u->backlog, MIN(transcript_settled(u->transcript), now));
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	struct uplink *u = arg;

	if (!u->feeder)
		return;
	u->cb.speech(e,
		     at_us == TIME_UNKNOWN
			     ? feeder_position(u->feeder)
			     : positions_start(feeder_map(u->feeder),
					       samples_at(at_us)),
		     u->arg);
}

static void on_session(const char *id, void *arg)
{
	struct uplink *u = arg;
	const size_t n = strnlen(id, SESSION_ID - 1);

	memcpy(u->session, id, n);
	u->session[n] = '\0';
}

static void on_bad(void *arg)
{
	struct uplink *u = arg;

	u->cb.bad(u->arg);
}

/* -- sending ------------------------------------------------------------------ */

/* Send one chunk of `n` samples.  @return 0 or -errno */
static int send_chunk(struct uplink *u, size_t n)
{
	struct feeder_taken taken;
	struct feeder_skip skip;
	int err = feeder_take(u->feeder, u->pcm, n, &taken, &skip);

	if (err)
		return err;
	const size_t len = wire_encode(u->bytes, u->pcm, n,
				       u->cfg.service->settings.wire.encoding);
	err = connection_audio(u->connection, u->bytes, len);
	if (err)
		return err;

	u->sent = MAX(u->sent, taken.upto);
	u->cb.taken(&taken, u->arg);
	if (skip.skipped)
		u->cb.skipped(&skip, u->arg);
	return 0;
}

/* Samples that may go out now, so that catching up keeps the service's rate:
 * what exceeds AT_ONCE_MAX is sent at `catchup` times real time. */
static size_t allowed(struct uplink *u)
{
	const double rate = vendor(u)->catchup;

	if (!u->cfg.paced || rate <= 0)
		return SIZE_MAX;

	const uint64_t now_ms = uv_now(u->cfg.loop);
	u->budget += (double)(now_ms - u->budget_at_ms) * rate * RATE / 1000;
	u->budget = MIN(u->budget, (double)AT_ONCE_MAX);
	u->budget_at_ms = now_ms;
	return u->budget > 0 ? (size_t)u->budget : 0;
}

static void finish_connection(struct uplink *u)
{
	const size_t pad = samples_of(vendor(u)->tail_pad_ms);
	const size_t chunk = samples_of(u->cfg.service->settings.chunk_ms);

	u->finish_sent = true;
	if (pad)
		feeder_insert(u->feeder, pad);
	while (feeder_available(u->feeder) &&
	       !send_chunk(u, MIN(chunk, (size_t)feeder_available(u->feeder))))
		;
	connection_finish(u->connection);
}

static void follow_state(struct uplink *u)
{
	if (!u->streaming || u->finish_sent)
		return;
	set_state(u, unsent(u) > UNSENT_MAX ? "catching_up" : "streaming", NULL);
}

/* As much as may go: whole chunks; at the end the rest, not below the least
 * the service takes. */
static void pump(struct uplink *u)
{
	const size_t chunk = samples_of(u->cfg.service->settings.chunk_ms);
	const size_t least = samples_of(vendor(u)->chunk_min_ms);

	while (u->streaming && !u->finish_sent &&
	       connection_room(u->connection)) {
		const uint64_t available = feeder_available(u->feeder);
		size_t n = chunk;

		if (available < chunk) {
			if (!u->finishing)
				break;
			if (!available) {
				finish_connection(u);
				break;
			}
			n = MAX((size_t)available, least);
		}
		if (allowed(u) < n) {
			timer_once_start(u->pace, PACE_MS);
			break;
		}
		if (send_chunk(u, n))
			break; /* the connection's end will be told */
		u->budget -= (double)n;
	}
	follow_state(u);
	update_busy(u);
}

static void on_pace(void *arg)
{
	pump(arg);
}

/* -- keep-alive ---------------------------------------------------------------- */

static void arm_idle(struct uplink *u)
{
	const struct asr_vendor *v = vendor(u);
	const uint64_t ms =
		v->idle_ms + (uint64_t)v->idle_next_ms * u->idles;

	if (v->idle != ASR_IDLE_NONE && u->streaming && !u->finish_sent)
		timers_arm(u->cfg.timers, &u->idle,
			   u->idle_from_us + ms * 1000);
}

static void on_idle(struct timer *t, uint64_t now_us)
{
	struct uplink *u = list_item(t, struct uplink, idle);
	const struct asr_vendor *v = vendor(u);
	const uint64_t since = MAX(u->audio_at_us, u->idle_from_us);

	(void)now_us;
	if (since > u->idle_from_us) { /* audio came meanwhile */
		u->idle_from_us = since;
		u->idles = 0;
		arm_idle(u);
		return;
	}
	if (v->idle == ASR_IDLE_SILENCE || v->idle == ASR_IDLE_PING)
		feeder_insert(u->feeder,
			      samples_of(u->idles ? u->cfg.service->settings
							    .chunk_ms
						  : v->idle_first_ms));
	connection_keepalive(u->connection);
	u->idles++;
	arm_idle(u);
	pump(u);
}

/* -- connections ---------------------------------------------------------------- */

static void finish_all(struct uplink *u)
{
	close_segments(u, SEGMENT_FINAL);
	give_up_all(u);
	flush_gap(u);
	u->over = true;
	timer_once_stop(u->retry);
	timer_once_stop(u->end);
	update_busy(u);
	u->cb.over(u->arg); /* may close u: last line */
}

/* What was sent and will neither be sent again nor be settled is a gap, too. */
static void tell_unsettled(struct uplink *u)
{
	const uint64_t settled = transcript_settled(u->transcript);

	if (settled >= u->sent)
		return;
	flush_gap(u);
	u->gap_start = settled;
	u->gap_end = u->sent;
	u->gap_cause = cause(u);
}

static void fail(struct uplink *u)
{
	u->failed = true;
	set_state(u, "failed", &u->why);
	close_segments(u, SEGMENT_FINAL);
	tell_unsettled(u);
	give_up_all(u);
	update_busy(u);
	if (u->finishing)
		finish_all(u); /* may close u: last line */
}

static bool too_long(const struct uplink *u)
{
	const uint64_t down_ms = uv_now(u->cfg.loop) - u->down_since_ms;

	return u->cfg.give_up_ms && down_ms >= u->cfg.give_up_ms;
}

static void retry_or_fail(struct uplink *u, const struct reason *why)
{
	uint32_t random;

	u->why = *why;
	u->tries++;
	if (!u->down_since_ms)
		u->down_since_ms = uv_now(u->cfg.loop);
	if (too_long(u) || (u->cfg.hopeless_is_final &&
			    retry_is_hopeless(why->class))) {
		fail(u);
		return;
	}
	close_segments(u, SEGMENT_RETRACTED); /* their audio is sent again */
	set_state(u, u->connections ? "reconnecting" : "connecting", why);
	update_busy(u);
	random_bytes(&random, sizeof(random));
	timer_once_start(u->retry, retry_delay_ms(why, u->tries, random));
}

static void tell_inserted(struct uplink *u)
{
	uint64_t at, samples;

	for (size_t i = 0; positions_inserted_at(feeder_map(u->feeder), i, &at,
						 &samples); i++)
		u->cb.inserted(u->connections, at, samples, u->arg);
}

static void drop_connection(struct uplink *u)
{
	connection_close(u->connection);
	u->connection = NULL;
	u->streaming = false;
	timers_disarm(u->cfg.timers, &u->idle);
	timer_once_stop(u->pace);
	if (!u->feeder)
		return;
	tell_inserted(u);
	feeder_free(u->feeder);
	u->feeder = NULL;
}

static void on_over(const struct reason *why, bool drained, void *arg)
{
	struct uplink *u = arg;
	const bool ended = u->finish_sent;
	const bool mute = ended && why->class == REASON_TIMEOUT;
	const bool settled =
		ended && transcript_settled(u->transcript) >= u->sent;

	if (u->streaming &&
	    uv_now(u->cfg.loop) - u->up_since_ms >= STABLE_MS)
		u->tries = 0;
	drop_connection(u);
	u->finish_sent = false;
	if (ended && (drained || mute || settled)) {
		if (!drained) {
			u->why = *why;
			close_segments(u, SEGMENT_FINAL);
			tell_unsettled(u);
		}
		finish_all(u);
		return;
	}
	retry_or_fail(u, why);
}

static void on_ready(void *arg)
{
	struct uplink *u = arg;

	transcript_reconnect(u->transcript);
	if (feeder_new(&u->feeder, u->backlog,
		       transcript_settled(u->transcript), u->sent))
		return; /* out of memory: the service will close an idle one */
	u->connections++;
	u->session[0] = '\0';
	u->streaming = true;
	u->down_since_ms = 0;
	u->up_since_ms = uv_now(u->cfg.loop);
	u->budget = AT_ONCE_MAX;
	u->budget_at_ms = u->up_since_ms;
	u->idle_from_us = timers_now_us(u->cfg.timers);
	u->idles = 0;
	flush_gap(u);
	arm_idle(u);
	pump(u);
}

static void on_room(void *arg)
{
	pump(arg);
}

static const struct connection_cb connection_cb = {
	.ready = on_ready, .room = on_room, .session = on_session,
	.result = on_result, .speech = on_speech, .bad = on_bad,
	.over = on_over,
};

static void on_retry(void *arg)
{
	struct uplink *u = arg;
	struct reason why;
	const int err = connection_open(&u->connection, u->cfg.loop,
					u->cfg.service, &connection_cb, u);

	if (!err)
		return;
	reason_set(&why, REASON_NETWORK, 0, "no connection could be made: %s",
		   strerror(-err));
	retry_or_fail(u, &why);
}

static void on_end(void *arg)
{
	struct uplink *u = arg;

	if (u->streaming)
		return; /* the drain has its own limits */
	drop_connection(u);
	fail(u);
}

/* -- for the leg ------------------------------------------------------------------ */

static int take_memory(struct uplink *u)
{
	const size_t chunk = samples_of(
		MAX(u->cfg.service->settings.chunk_ms, vendor(u)->chunk_min_ms));
	int err = backlog_new(&u->backlog, u->cfg.backlog);

	if (!err)
		err = transcript_new(&u->transcript);
	u->pcm = calloc(chunk, sizeof(*u->pcm));
	u->bytes = calloc(chunk, sizeof(*u->pcm));
	if (!err && (!u->pcm || !u->bytes))
		err = -ENOMEM;
	if (!err)
		err = timer_once_open(&u->retry, u->cfg.loop, on_retry, u);
	if (!err)
		err = timer_once_open(&u->end, u->cfg.loop, on_end, u);
	if (!err)
		err = timer_once_open(&u->pace, u->cfg.loop, on_pace, u);
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
	u->idle.due = on_idle;

	const int err = take_memory(u);
	if (err) {
		uplink_close(u);
		return err;
	}
	u->down_since_ms = uv_now(cfg->loop);
	u->state = "connecting";
	u->cb.state(u->state, NULL, u->arg);
	update_busy(u);
	timer_once_start(u->retry, 0);
	*out = u;
	return 0;
}

void uplink_close(struct uplink *u)
{
	if (!u)
		return;
	if (u->connection || u->feeder)
		drop_connection(u);
	timers_disarm(u->cfg.timers, &u->idle);
	timer_once_close(u->retry);
	timer_once_close(u->end);
	timer_once_close(u->pace);
	if (u->busy)
		u->cb.busy(false, u->arg);
	transcript_free(u->transcript);
	backlog_free(u->backlog);
	free(u->pcm);
	free(u->bytes);
	free(u);
}

void uplink_span(struct uplink *u, const struct span *s)
{
	if (span_is_audio(s))
		u->audio_at_us = s->at_us;
	if (u->failed || backlog_put(u->backlog, s)) {
		give_up(u, s);
		return;
	}
	if (u->feeder)
		feeder_more(u->feeder, s);
	trim(u);
	pump(u);
}

void uplink_finish(struct uplink *u)
{
	u->finishing = true;
	if (u->failed) {
		finish_all(u);
		return;
	}
	timer_once_start(u->end, END_MS);
	pump(u);
}

unsigned uplink_connections(const struct uplink *u)
{
	return u->connections;
}

const char *uplink_state(const struct uplink *u)
{
	return u->state;
}
