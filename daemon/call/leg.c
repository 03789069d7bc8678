/** @file leg.c  One direction of a call: from packets to published segments */
#include "daemon/call/leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/log.h"
#include "daemon/base/must.h"
#include "daemon/call/account.h"
#include "daemon/call/decoder.h"
#include "daemon/call/leg_events.h"
#include "daemon/call/losses.h"
#include "daemon/call/uplink.h"

enum {
	STREAM_PACKET = 720, /* samples; L16 of RTP_PAYLOAD_MAX at most */
	SAMPLE_US = 125,
	SOCKET_US = 20000,   /* what came by then has been read */
};

struct leg {
	struct list in_call;
	struct call *call;
	char id[EVENT_ID];
	enum role role;
	struct event_rtp rtp;
	struct service *service;       /* NULL: none */
	char unusable[16];             /* why nothing goes to an ASR; "" */

	struct receiver *receiver;
	struct timer gap_timer;        /* when a missing packet is given up */
	struct losses losses;
	struct uplink *uplink;         /* NULL: no ASR, or it is over */
	struct decoder *decoder;       /* for the audio sink, or without ASR */
	void *audio;                   /* handle of the sink */
	struct account account;
	struct history history;
	bool media;                    /* leg.media was told */
	uint64_t media_us;             /* arrival of sample 0 */
	char reason[32];               /* of leg_end(); "" */
	bool holds;                    /* up a replay */
	bool paused;                   /* nobody hears what comes ... */
	uint64_t paused_from;          /* ... since there [samples] ... */
	uint64_t resumed_us;           /* ... up to what came then; 0: on */
	char resumed[16];              /* ... for this reason */
	bool stream;                   /* no RTP: its numbers are ours */
	void (*final)(const struct event *e, void *arg); /* or NULL */
	void *final_arg;
	struct rtp next;               /* ... what the next samples get */
	uint64_t next_us;              /* ... the latest arrival so far */
};

static const struct calls_config *cfg(const struct leg *l)
{
	return &l->call->calls->cfg;
}

static struct event event_of(const struct leg *l, enum event_type type)
{
	return (struct event){
		.type = type, .now_us = timers_now_us(cfg(l)->timers),
		.call = l->call->id, .leg = l->id, .role = l->role,
	};
}

static void emit(const struct leg *l, const struct event *e)
{
	cfg(l)->events.emit(e, cfg(l)->events.arg);
}

struct leg *leg_of(struct list *in_call)
{
	return list_item(in_call, struct leg, in_call);
}

bool leg_ended(const struct leg *l)
{
	return l->reason[0];
}

/* -- what the uplink reports ------------------------------------------------ */

/* An outage hits all legs at once: one line tells it. */
static void log_state(const struct leg *l, const char *state,
		      const struct reason *why)
{
	uint64_t kept_back;

	log_debug("asr", "leg %s, asr \"%s\": %s: %s", l->id,
		  l->service->config->name, state, why->text);
	if (!strcmp(state, "failed") &&
	    log_limited(&l->call->calls->failed,
			timers_now_us(cfg(l)->timers), &kept_back))
		log_warn("asr", "leg %s failed: %s (%llu more since the last "
			 "such line)", l->id, why->text,
			 (unsigned long long)kept_back);
}

static void on_state(const char *state, const struct reason *why, void *arg)
{
	struct leg *l = arg;
	struct event e = event_of(l, EVENT_LEG_STATE);

	history_add(&l->history, e.now_us, state, NULL, why);
	if (l->paused)
		return; /* resuming tells */
	e.leg_state.asr_state = state;
	if (why) {
		e.leg_state.reason = reason_name(why->class);
		e.leg_state.code = why->code;
		e.leg_state.text = why->text;
		log_state(l, state, why);
	}
	emit(l, &e);
}

static const char *state_of(const struct leg *l)
{
	return !l->uplink  ? NULL
	       : l->paused ? "paused"
			   : uplink_state(l->uplink);
}

static void on_segment(const struct uplink_segment *s, void *arg)
{
	struct leg *l = arg;
	struct event e = event_of(l, EVENT_SEGMENT);
	const struct transcript_segment *t = s->segment;
	uint64_t latency_ms = EVENT_UNKNOWN;

	if (s->arrived_us && s->result)
		latency_ms = e.now_us > s->arrived_us
				     ? (e.now_us - s->arrived_us) / 1000
				     : 0;
	if (t->state == SEGMENT_FINAL && latency_ms != EVENT_UNKNOWN)
		service_latency(s->service, latency_ms);
	account_segment(&l->account, t->state,
			l->media ? (e.now_us - l->media_us) / 1000 : 0,
			latency_ms);
	e.segment.lost = losses_within(&l->losses, t->start, t->end);
	e.segment.heard = t->end - t->start - e.segment.lost;
	e.segment.latency_ms = latency_ms;
	leg_events_segment(&e.segment, s);
	emit(l, &e);
	if (l->final && t->state == SEGMENT_FINAL && !l->reason[0])
		l->final(&e, l->final_arg);
	leg_events_segment_done(&e.segment);
}

static void on_speech(enum speech_event what, uint64_t at, void *arg)
{
	struct leg *l = arg;
	struct event e = event_of(l, EVENT_SPEECH);

	e.speech.ended = what == SPEECH_ENDED;
	e.speech.at = at;
	emit(l, &e);
}

static void on_taken(const struct feeder_taken *t, void *arg)
{
	struct leg *l = arg;

	l->account.sent += t->fresh;
	l->account.replayed += t->again;
	if (!l->decoder)
		l->account.concealed += t->concealed;
}

static void tell_discontinuity(struct leg *l, uint64_t at, const char *kind,
			       uint64_t skipped)
{
	struct event e = event_of(l, EVENT_DISCONTINUITY);

	e.discontinuity.at = at;
	e.discontinuity.kind = kind;
	e.discontinuity.skipped = skipped;
	emit(l, &e);
}

static void on_skipped(const struct feeder_skip *s, void *arg)
{
	tell_discontinuity(arg, s->at, "timestamp", s->skipped);
}

static void on_lost(uint64_t samples, void *arg)
{
	struct leg *l = arg;

	l->account.lost += samples;
}

static void tell_gap(struct leg *l, uint64_t start, uint64_t end,
		     const char *cause, const struct event_span *spans,
		     size_t n_spans)
{
	struct event e = event_of(l, EVENT_GAP);

	e.gap.start = start;
	e.gap.end = end;
	e.gap.cause = cause;
	e.gap.spans = spans;
	e.gap.n_spans = n_spans;
	emit(l, &e);
}

static void on_gap(uint64_t start, uint64_t end, const char *cause, void *arg)
{
	struct leg *l = arg;

	losses_add(&l->losses, start, end);
	tell_gap(l, start, end, cause, NULL, 0);
}

void leg_note(struct leg *l, const char *reason)
{
	struct event e = event_of(l, EVENT_LEG_STATE);

	e.leg_state.asr_state = state_of(l);
	e.leg_state.reason = reason;
	history_add(&l->history, e.now_us, e.leg_state.asr_state, reason, NULL);
	emit(l, &e);
}

static void on_note(const char *reason, void *arg)
{
	leg_note(arg, reason);
}

static void on_bad(void *arg)
{
	struct leg *l = arg;

	/* counted always, told of once: the service may send many */
	if (!l->account.bad_messages++)
		on_note("bad_message", l);
}

static void on_busy(bool busy, void *arg)
{
	struct leg *l = arg;
	struct calls *cs = l->call->calls;
	const unsigned before = cs->busy;

	must(busy != l->holds);
	l->holds = busy;
	cs->busy += busy ? 1 : -1u;
	if (cs->cfg.busy && (before == 0 || cs->busy == 0))
		cs->cfg.busy(cs->busy > 0, cs->cfg.arg);
}

static void on_inserted(unsigned connection, uint64_t at, uint64_t samples,
			void *arg)
{
	struct leg *l = arg;

	account_inserted(&l->account, connection, at, samples);
}

static void finish(struct leg *l);

static void on_over(void *arg)
{
	struct leg *l = arg;

	l->account.connections = uplink_connections(l->uplink);
	uplink_close(l->uplink);
	l->uplink = NULL;
	finish(l); /* frees l: last line */
}

static const struct uplink_cb uplink_cb = {
	.state = on_state, .segment = on_segment, .speech = on_speech,
	.taken = on_taken, .skipped = on_skipped, .lost = on_lost,
	.gap = on_gap, .bad = on_bad, .note = on_note, .busy = on_busy,
	.inserted = on_inserted, .over = on_over,
};

/* -- the timeline --------------------------------------------------------------- */

static void tell_loss_group(struct leg *l)
{
	const struct event_span *spans;
	const size_t n = losses_group(&l->losses, &spans);

	if (n)
		tell_gap(l, spans[0].start, spans[n - 1].end, "rtp_loss",
			 spans, n > 1 ? n : 0);
	losses_group_done(&l->losses);
}

static void note_loss(struct leg *l, const struct media_item *m)
{
	losses_add(&l->losses, m->pos, m->pos + m->len);
	if (!losses_gather(&l->losses, m->pos, m->pos + m->len))
		return;
	tell_loss_group(l);
	losses_gather(&l->losses, m->pos, m->pos + m->len);
}

/* Without an ASR decoding is sending; with one the sink may want it, too. */
static void decode(struct leg *l, const struct span *s)
{
	const int16_t *pcm = decoder_span(l->decoder, s);

	if (decoder_conceals(s))
		l->account.concealed += s->len;
	if (l->audio)
		cfg(l)->audio.samples(l->audio, pcm, s->len);
}

/* -- pause ---------------------------------------------------------------------- */

static void tell_pause(struct leg *l, enum event_type type, uint64_t at,
		       const char *reason)
{
	struct event e = event_of(l, type);
	struct event s = event_of(l, EVENT_LEG_STATE);

	e.pause.at = at;
	e.pause.reason = reason;
	emit(l, &e);
	s.leg_state.asr_state = state_of(l);
	if (!s.leg_state.asr_state)
		return;
	history_add(&l->history, s.now_us, s.leg_state.asr_state, NULL, NULL);
	emit(l, &s);
}

void leg_pause(struct leg *l, const char *reason)
{
	if (leg_ended(l) || (l->paused && !l->resumed_us))
		return;
	l->resumed_us = 0;
	if (l->paused)
		return; /* it had not ended yet */
	tell_loss_group(l);
	l->paused = true;
	l->paused_from = receiver_position(l->receiver);
	tell_pause(l, EVENT_PAUSE, l->paused_from, reason);
}

/* What comes from `to` on is heard again: at the leg's end, nothing is. */
static void end_pause(struct leg *l, uint64_t to)
{
	const struct span s = {
		.pos = l->paused_from, .len = to - l->paused_from,
		.at_us = timers_now_us(cfg(l)->timers), .kind = SPAN_PAUSED,
	};

	l->paused = false;
	l->resumed_us = 0;
	if (s.len) {
		losses_add(&l->losses, s.pos, to);
		tell_gap(l, s.pos, to, "paused", NULL, 0);
		if (l->uplink && !leg_ended(l))
			uplink_span(l->uplink, &s);
	}
	if (!leg_ended(l))
		tell_pause(l, EVENT_RESUME, to, l->resumed);
}

static void take_items(struct leg *l, uint64_t now_us);

/* What has come already, and waits for what is missing or in the socket, was
 * said while it was paused. */
void leg_resume(struct leg *l, const char *reason)
{
	if (!l->paused || l->resumed_us || leg_ended(l))
		return;
	l->resumed_us = timers_now_us(cfg(l)->timers);
	snprintf(l->resumed, sizeof(l->resumed), "%s", reason);
	take_items(l, timers_now_us(cfg(l)->timers));
}

/* Is nobody to hear it? */
static bool is_paused(struct leg *l, const struct media_item *m)
{
	if (l->paused && l->resumed_us && m->at_us > l->resumed_us)
		end_pause(l, m->pos);
	if (!l->paused)
		return false;
	if (m->kind != MEDIA_AUDIO && m->kind != MEDIA_SILENCE &&
	    m->kind != MEDIA_LOSS)
		return true;
	if (m->kind == MEDIA_AUDIO) {
		l->account.received += m->len;
		l->account.paused += m->len;
	}
	if (l->audio)
		cfg(l)->audio.samples(l->audio, NULL, m->len);
	return true;
}

static void take_span(struct leg *l, const struct media_item *m)
{
	static const enum span_kind kinds[] = {
		[PAYLOAD_PCMU] = SPAN_PCMU,
		[PAYLOAD_PCMA] = SPAN_PCMA,
		[PAYLOAD_L16] = SPAN_L16,
	};
	const struct span s = {
		.pos = m->pos, .len = m->len, .at_us = m->at_us,
		.data = m->data,
		.kind = m->kind == MEDIA_AUDIO	   ? kinds[m->payload]
			: m->kind == MEDIA_SILENCE ? SPAN_SILENCE
						   : SPAN_LOSS,
	};

	if (l->losses.n_group && losses_due(&l->losses, m->pos))
		tell_loss_group(l);
	if (m->kind == MEDIA_LOSS)
		note_loss(l, m);
	if (m->kind == MEDIA_AUDIO)
		l->account.received += m->len;
	if (l->decoder)
		decode(l, &s);
	if (l->uplink)
		uplink_span(l->uplink, &s);
	else if (m->kind == MEDIA_AUDIO)
		l->account.sent += m->len;
}

static void take_dtmf(struct leg *l, const struct media_item *m)
{
	struct event e = event_of(l, EVENT_DTMF);

	if (!cfg(l)->dtmf || l->paused)
		return;
	e.dtmf.digit = m->digit;
	e.dtmf.at = m->pos;
	e.dtmf.duration = m->len;
	emit(l, &e);
}

static void take_items(struct leg *l, uint64_t now_us)
{
	static const char *const breaks[] = { "ssrc", "timestamp", "codec" };
	struct media_item m;

	while (receiver_next(l->receiver, &m, now_us)) {
		if (is_paused(l, &m))
			continue;
		switch (m.kind) {
		case MEDIA_AUDIO:
		case MEDIA_SILENCE:
		case MEDIA_LOSS:
			take_span(l, &m);
			break;
		case MEDIA_DISCONTINUITY:
			tell_discontinuity(l, m.pos, breaks[m.what], 0);
			break;
		case MEDIA_DTMF:
			take_dtmf(l, &m);
			break;
		}
	}

	uint64_t due_us = receiver_deadline_us(l->receiver);
	if (due_us == UINT64_MAX && l->paused && l->resumed_us) {
		due_us = l->resumed_us + SOCKET_US;
		if (now_us >= due_us) {
			end_pause(l, receiver_position(l->receiver));
			due_us = UINT64_MAX;
		}
	}
	if (due_us == UINT64_MAX)
		timers_disarm(cfg(l)->timers, &l->gap_timer);
	else
		timers_arm(cfg(l)->timers, &l->gap_timer, due_us);
}

static void on_gap_timer(struct timer *t, uint64_t now_us)
{
	take_items(list_item(t, struct leg, gap_timer), now_us);
}

static void tell_media(struct leg *l, const struct rtp *h, uint64_t at_us)
{
	struct event e = event_of(l, EVENT_LEG_MEDIA);

	l->media = true;
	l->media_us = at_us;
	if (!l->stream)
		l->rtp.payload_type = h->pt;
	e.leg_media.at_us = at_us;
	e.leg_media.offset_us = at_us > l->call->started_us
					? at_us - l->call->started_us
					: 0;
	e.leg_media.rtp = l->rtp;
	emit(l, &e);
}

/* To the receiver a stream is RTP without a flaw. */
static void put_samples(struct leg *l, const uint8_t *l16, size_t n)
{
	l->next.payload = l16;
	l->next.len = l->next.wire_len = 2 * n;
	leg_packet(l, &l->next, l->next_us);
	l->next.seq++;
	l->next.ts += (uint32_t)n;
}

void leg_samples(struct leg *l, uint64_t silence, const uint8_t *l16, size_t n,
		 uint64_t at_us)
{
	l->next.ts += (uint32_t)silence;
	for (size_t i = 0, m; i < n; i += m) {
		m = MIN(n - i, (size_t)STREAM_PACKET);
		/* what fills the hole came later than that perhaps, but all at
		 * once: the clock confirms so much silence, not less or more */
		const uint64_t due_us = l->next_us + (silence + m) *
						     SAMPLE_US;

		l->next_us = i || !silence || due_us > at_us
				     ? MAX(l->next_us, at_us) : due_us;
		put_samples(l, l16 + 2 * i, m);
	}
}

void leg_digit(struct leg *l, char digit)
{
	const struct media_item m = {
		.digit = digit, .pos = receiver_position(l->receiver),
	};

	take_dtmf(l, &m);
}

void leg_packet(struct leg *l, const struct rtp *h, uint64_t at_us)
{
	if (l->unusable[0])
		return;
	/* one that is refused is counted there, and may have its place in
	 * the sequence all the same */
	if (!receiver_put(l->receiver, h, at_us) && !l->media)
		tell_media(l, h, at_us);
	take_items(l, at_us);
}

/* -- life ------------------------------------------------------------------------- */

const char *leg_id(const struct leg *l)
{
	return l->id;
}

void leg_update(struct leg *l, enum role role, const char *role_source,
		const char *label)
{
	struct event e = event_of(l, EVENT_LEG_UPDATE);

	l->role = e.role = role;
	e.leg_update.role_source = role_source;
	e.leg_update.label = label;
	e.leg_update.rtp.payload_type = -1;
	emit(l, &e);
}

void leg_set_rtp(struct leg *l, const struct event_rtp *rtp)
{
	l->rtp = *rtp;
}

void leg_set_kinds(struct leg *l, const uint8_t kinds[128])
{
	receiver_set_kinds(l->receiver, kinds);
}

void leg_unusable(struct leg *l, const char *reason)
{
	struct event e = event_of(l, EVENT_LEG_STATE);

	if (!strcmp(l->unusable, reason))
		return;
	snprintf(l->unusable, sizeof(l->unusable), "%s", reason);
	e.leg_state.reason = reason;
	emit(l, &e);
}

static void tell_start(struct leg *l, const struct leg_info *i)
{
	struct event e = event_of(l, EVENT_LEG_START);

	e.leg_start.role_source = i->role_source;
	e.leg_start.label = i->label;
	e.leg_start.codec = i->codec;
	e.leg_start.rtp = i->rtp;
	e.leg_start.asr = l->service ? l->service->config->name : "none";
	emit(l, &e);
}

static int start(struct leg *l, const struct leg_info *i)
{
	struct receiver_config rc;

	receiver_config_default(&rc);
	memcpy(rc.kind, i->kinds, sizeof(rc.kind));
	if (i->stream) {
		rc.kind[0] = PAYLOAD_L16;
		rc.window_us = 0; /* nothing is late or out of order */
	}
	int err = receiver_new(&l->receiver, &rc);
	if (err)
		return err;

	tell_start(l, i);
	if (i->unusable) {
		leg_unusable(l, i->unusable);
		return 0;
	}
	if (cfg(l)->audio.open)
		l->audio = cfg(l)->audio.open(l->id, cfg(l)->audio.arg);
	if (l->audio || !l->service)
		err = decoder_new(&l->decoder);
	if (err || !l->service)
		return err;

	const struct uplink_config uc = {
		.loop = cfg(l)->loop, .timers = cfg(l)->timers,
		.service = l->service, .leg = (uint64_t)(uintptr_t)l,
		.backlog = cfg(l)->backlog,
		.paced = cfg(l)->paced,
		.hopeless_is_final = cfg(l)->hopeless_is_final,
		.give_up_ms = cfg(l)->give_up_ms,
	};
	return uplink_open(&l->uplink, &uc, &uplink_cb, l);
}

static struct service *choose(const struct call *c, const struct leg_info *i)
{
	const struct leg_facts f = {
		.source = c->source, .calling = c->calling, .called = c->called,
		.language = i->language ? i->language : c->language,
		.role = i->role, .trunk = c->trunk,
		.ids = c->ids, .n_ids = c->n_ids,
	};

	return c->calls->cfg.choose(&f, c->calls->cfg.chooser);
}

int leg_open(struct leg **out, struct call *c, const struct leg_info *i)
{
	struct leg *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	list_init(&l->in_call);
	l->call = c;
	l->role = i->role;
	l->rtp = i->rtp;
	l->stream = i->stream;
	l->final = i->final;
	l->final_arg = i->final_arg;
	if (l->stream)
		l->rtp = (struct event_rtp){ .payload_type = -1 };
	l->gap_timer.due = on_gap_timer;
	if (!i->unusable && !i->no_asr)
		l->service = choose(c, i);
	snprintf(l->id, sizeof(l->id), "%.56s.%u", c->id, c->opened + 1);

	const int err = start(l, i);
	if (err) {
		leg_free(l);
		return err;
	}
	c->opened++;
	list_add(&c->legs, &l->in_call);
	if (c->paused)
		leg_pause(l, "call");
	*out = l;
	return 0;
}

void leg_free(struct leg *l)
{
	list_remove(&l->in_call);
	timers_disarm(cfg(l)->timers, &l->gap_timer);
	uplink_close(l->uplink);
	if (l->audio)
		cfg(l)->audio.close(l->audio);
	decoder_free(l->decoder);
	receiver_free(l->receiver);
	losses_free(&l->losses);
	account_free(&l->account);
	if (l->service && cfg(l)->release)
		cfg(l)->release(l->service, cfg(l)->chooser);
	free(l);
}

static void print_account(const struct leg *l, struct event_leg_end *out)
{
	const uint64_t begin_us = l->call->started_us;
	struct receiver_stats rs;

	receiver_stats(l->receiver, &rs);
	account_print(&l->account, out, &rs);
	out->reason = l->reason;
	out->duration = receiver_position(l->receiver);
	out->offset_us = !l->media		  ? EVENT_UNKNOWN
			 : l->media_us > begin_us ? l->media_us - begin_us
						  : 0;
	out->asr = l->service != NULL;
	out->stream = l->stream;
}

void leg_look(const struct leg *l, struct leg_look *out)
{
	*out = (struct leg_look){
		.id = l->id, .role = l->role,
		.asr = l->service ? l->service->config->name : "none",
		.state = state_of(l),
		.unusable = l->unusable[0] ? l->unusable : NULL,
		.media = l->media, .ended = leg_ended(l), .stream = l->stream,
		.rtp = l->rtp, .now_us = timers_now_us(cfg(l)->timers),
		.backlog = l->uplink ? uplink_backlog(l->uplink) : 0,
		.history = &l->history,
	};
	print_account(l, &out->so_far);
	if (l->uplink)
		out->so_far.connections = uplink_connections(l->uplink);
}

/* Everything was said: the leg's last event. */
static void finish(struct leg *l)
{
	struct call *c = l->call;
	struct event e = event_of(l, EVENT_LEG_END);

	print_account(l, &e.leg_end);
	emit(l, &e);
	leg_free(l);
	call_leg_over(c); /* may free the call: last line */
}

void leg_end(struct leg *l, const char *reason)
{
	snprintf(l->reason, sizeof(l->reason), "%s", reason);
	receiver_flush(l->receiver);
	take_items(l, timers_now_us(cfg(l)->timers));
	tell_loss_group(l);
	if (l->paused)
		end_pause(l, receiver_position(l->receiver));
	timers_disarm(cfg(l)->timers, &l->gap_timer);
	if (l->audio)
		cfg(l)->audio.close(l->audio);
	l->audio = NULL;
	if (l->uplink)
		uplink_finish(l->uplink); /* finish() follows by on_over() */
	else
		finish(l); /* frees l: last line */
}
