/** @file line.c  An event -> one line of JSON */
#include "daemon/pub/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"
#include "daemon/base/wall.h"
#include "daemon/pub/writer.h"

enum {
	SAMPLES_PER_MS = 8,
	/* Kept free behind a list: a segment's last fields, six strings of
	   three times LINE_STRING_MAX and their names. */
	TAIL = 24 * 1024,
};

/* The whole text of a segment always fits: three bytes for one, twice the
   tail for what stands before and behind. */
_Static_assert(3 * LINE_TEXT_MAX + 2 * TAIL <= LINE_MAX_BYTES, "line limits");

/* A list that stops before the line grows too long. */
struct list_in_line {
	size_t limit;     /* Length of the buffer it must stay below */
	size_t omitted;
};

static uint64_t ms(uint64_t samples)
{
	return samples == EVENT_UNKNOWN ? EVENT_UNKNOWN
					: samples / SAMPLES_PER_MS;
}

static uint64_t us_to_ms(uint64_t us)
{
	return us == EVENT_UNKNOWN ? EVENT_UNKNOWN : us / 1000;
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

static void str(struct writer *w, const char *key, const char *text)
{
	writer_str(w, key, text, LINE_STRING_MAX);
}

static void time_field(struct writer *w, const char *key, uint64_t us)
{
	char text[WALL_TEXT];

	if (us != EVENT_UNKNOWN)
		str(w, key, wall_print(text, us));
}

/* Take the item that was written from `at` on back out if the line is full. */
static void item_done(struct writer *w, struct list_in_line *l, size_t at,
		      bool comma)
{
	if (l->omitted == 0 && w->out->len <= l->limit)
		return;
	if (!w->out->err) {
		w->out->len = at;
		w->out->data[at] = 0;
	}
	w->comma = comma;
	l->omitted++;
}

static void omitted(struct writer *w, const char *key,
		    const struct list_in_line *l)
{
	if (l->omitted)
		writer_uint(w, key, l->omitted);
}

static void ids(struct writer *w, const struct event_id *id, size_t n,
		struct list_in_line l)
{
	if (!n)
		return;
	writer_open(w, "ids", '{');
	for (size_t i = 0; i < n; i++) {
		const size_t at = w->out->len;
		const bool comma = w->comma;

		/* a name of foreign make may be anything but endless */
		if (id[i].name && strlen(id[i].name) <= LINE_STRING_MAX)
			str(w, id[i].name, id[i].value);
		item_done(w, &l, at, comma);
	}
	writer_close(w, '}');
	omitted(w, "ids_omitted", &l);
}

static void participants(struct writer *w, const struct event_participant *p,
			 size_t n, struct list_in_line l)
{
	if (!p)
		return;
	writer_open(w, "participants", '[');
	for (size_t i = 0; i < n; i++) {
		const size_t at = w->out->len;
		const bool comma = w->comma;

		writer_open(w, NULL, '{');
		str(w, "id", p[i].id);
		str(w, "aor", p[i].aor);
		str(w, "name", p[i].name);
		str(w, "role", role_name(p[i].role));
		str(w, "label", p[i].label);
		str(w, "stream", p[i].stream);
		writer_close(w, '}');
		item_done(w, &l, at, comma);
	}
	writer_close(w, ']');
	omitted(w, "participants_omitted", &l);
}

static void rtp(struct writer *w, const struct event_rtp *r)
{
	char text[ADDR_TEXT];

	if (!r->known && !r->src.family && !r->dst.family)
		return;
	writer_open(w, "rtp", '{');
	if (r->known)
		writer_uint(w, "ssrc", r->ssrc);
	if (r->src.family)
		str(w, "src", addr_print(text, &r->src));
	if (r->dst.family)
		str(w, "dst", addr_print(text, &r->dst));
	if (r->payload_type >= 0)
		writer_uint(w, "payload_type", (uint64_t)r->payload_type);
	writer_close(w, '}');
}

static void words(struct writer *w, const struct event_segment *s,
		  struct list_in_line l)
{
	if (!s->n_words)
		return;
	writer_open(w, "words", '[');
	for (size_t i = 0; i < s->n_words; i++) {
		const struct event_word *word = &s->words[i];
		const size_t at = w->out->len;
		const bool comma = w->comma;

		if (l.omitted) { /* full: only counted */
			l.omitted += s->n_words - i;
			break;
		}
		writer_open(w, NULL, '{');
		str(w, "text", word->text);
		writer_uint(w, "start_ms", ms(word->start));
		writer_uint(w, "end_ms", ms(word->end));
		writer_real(w, "confidence", word->confidence);
		writer_close(w, '}');
		item_done(w, &l, at, comma);
	}
	writer_close(w, ']');
	omitted(w, "words_omitted", &l);
}

static void coverage(struct writer *w, const struct event_segment *s)
{
	const uint64_t whole = less(ms(s->end), ms(s->start));
	const uint64_t lost = MIN(ms(s->lost), whole);

	writer_open(w, "coverage", '{');
	writer_uint(w, "heard_ms", whole - lost);
	writer_uint(w, "lost_ms", lost);
	writer_close(w, '}');
}

static void segment(struct writer *w, const struct event_segment *s,
		    struct list_in_line l)
{
	static const char *const states[] = { "partial", "final", "retracted" };

	writer_uint(w, "segment", s->segment);
	writer_uint(w, "rev", s->rev);
	str(w, "state", states[s->state]);
	if (s->text) {
		const size_t len = strlen(s->text);
		const size_t n = utf8_cut(s->text, len, LINE_TEXT_MAX);

		writer_text(w, "text", s->text, n);
		if (n < len)
			writer_uint(w, "text_omitted", len - n);
	}
	writer_uint(w, "start_ms", ms(s->start));
	writer_uint(w, "end_ms", ms(s->end));
	writer_real(w, "confidence", s->confidence);
	str(w, "language", s->language);
	words(w, s, l);
	writer_true(w, "synthesised", s->synthesised);
	writer_true(w, "overlap", s->overlap);
	if (s->start != EVENT_UNKNOWN && s->end != EVENT_UNKNOWN)
		coverage(w, s);
	writer_uint(w, "latency_ms", s->latency_ms);
	if (!s->asr)
		return;
	writer_open(w, "asr", '{');
	str(w, "name", s->asr);
	str(w, "vendor", s->vendor);
	str(w, "model", s->model);
	str(w, "session", s->session);
	if (s->connection)
		writer_uint(w, "connection", s->connection);
	str(w, "segment", s->vendor_segment);
	writer_close(w, '}');
}

static void spans(struct writer *w, const struct event_span *span, size_t n,
		  struct list_in_line l)
{
	if (!n)
		return;
	writer_open(w, "spans", '[');
	for (size_t i = 0; i < n; i++) {
		const size_t at = w->out->len;
		const bool comma = w->comma;

		writer_open(w, NULL, '[');
		writer_uint(w, NULL, span[i].start / SAMPLES_PER_MS);
		writer_uint(w, NULL, span[i].end / SAMPLES_PER_MS);
		writer_close(w, ']');
		item_done(w, &l, at, comma);
	}
	writer_close(w, ']');
	omitted(w, "spans_omitted", &l);
}

static void audio(struct writer *w, const struct event_leg_end *e)
{
	const uint64_t received = ms(e->received);
	const uint64_t lost = ms(e->lost), paused = ms(e->paused);

	writer_open(w, "audio", '{');
	writer_open(w, "samples", '{');
	writer_uint(w, "received", e->received);
	writer_uint(w, "sent", e->sent);
	writer_uint(w, "lost", e->lost);
	writer_uint(w, "paused", e->paused);
	writer_close(w, '}');
	writer_uint(w, "received_ms", received);
	writer_uint(w, "sent_ms", less(received, lost + paused));
	writer_uint(w, "lost_ms", lost);
	writer_uint(w, "paused_ms", paused);
	writer_uint(w, "replayed_ms", ms(e->replayed));
	writer_uint(w, "concealed_ms", ms(e->concealed));
	writer_close(w, '}');
}

static void asr_figures(struct writer *w, const struct event_leg_end *e,
			struct list_in_line l)
{
	writer_open(w, "asr", '{');
	writer_uint(w, "connections", e->connections);
	writer_uint(w, "partials", e->partials);
	writer_uint(w, "finals", e->finals);
	writer_uint(w, "first_partial_ms", e->first_partial_ms);
	writer_uint(w, "final_latency_p95_ms", e->final_latency_p95_ms);
	if (e->n_inserted) {
		writer_open(w, "inserted", '[');
		for (size_t i = 0; i < e->n_inserted; i++) {
			const size_t at = w->out->len;
			const bool comma = w->comma;

			writer_open(w, NULL, '{');
			writer_uint(w, "connection", e->inserted[i].connection);
			writer_uint(w, "at_samples", e->inserted[i].at);
			writer_uint(w, "samples", e->inserted[i].samples);
			writer_close(w, '}');
			item_done(w, &l, at, comma);
		}
		writer_close(w, ']');
		omitted(w, "inserted_omitted", &l);
	}
	writer_close(w, '}');
}

static void rtp_figures(struct writer *w, const struct event_leg_end *e)
{
	writer_open(w, "rtp", '{');
	writer_uint(w, "packets", e->rtp_packets);
	writer_uint(w, "lost", e->rtp_lost);
	writer_uint(w, "late", e->rtp_late);
	writer_uint(w, "duplicate", e->rtp_duplicate);
	writer_uint(w, "reordered", e->rtp_reordered);
	writer_real(w, "jitter_ms", e->jitter_ms);
	writer_real(w, "mos", e->mos);
	writer_close(w, '}');
}

static void leg_end(struct writer *w, const struct event_leg_end *e,
		    struct list_in_line l)
{
	str(w, "reason", e->reason);
	writer_uint(w, "duration_ms", ms(e->duration));
	writer_uint(w, "offset_ms", us_to_ms(e->offset_us));
	audio(w, e);
	if (!e->stream)
		rtp_figures(w, e);
	if (e->asr)
		asr_figures(w, e, l);
}

static void call(struct writer *w, const struct event *e, struct list_in_line l)
{
	if (e->type == EVENT_CALL_START)
		str(w, "source", e->call_start.source);
	str(w, "from", e->call_start.from);
	str(w, "to", e->call_start.to);
	str(w, "sip_call_id", e->call_start.sip_call_id);
	ids(w, e->call_start.ids, e->call_start.n_ids, l);
	participants(w, e->call_start.participants,
		     e->call_start.n_participants, l);
}

static void leg(struct writer *w, const struct event *e)
{
	str(w, "role_source", e->leg_start.role_source);
	str(w, "label", e->leg_start.label);
	str(w, "codec", e->leg_start.codec);
	rtp(w, &e->leg_start.rtp);
	str(w, "asr", e->leg_start.asr);
}

/* Everything behind the common fields but the long ones above. */
static void short_fields(struct writer *w, const struct event *e)
{
	switch (e->type) {
	case EVENT_LEG_MEDIA:
		time_field(w, "at", e->leg_media.at_us);
		writer_uint(w, "offset_ms", us_to_ms(e->leg_media.offset_us));
		rtp(w, &e->leg_media.rtp);
		break;
	case EVENT_LEG_STATE:
		str(w, "asr_state", e->leg_state.asr_state);
		str(w, "reason", e->leg_state.reason);
		if (e->leg_state.code)
			writer_uint(w, "code", e->leg_state.code);
		str(w, "text", e->leg_state.text);
		break;
	case EVENT_SPEECH:
		str(w, "event", e->speech.ended ? "ended" : "started");
		writer_uint(w, "at_ms", ms(e->speech.at));
		break;
	case EVENT_DISCONTINUITY:
		writer_uint(w, "at_ms", ms(e->discontinuity.at));
		str(w, "kind", e->discontinuity.kind);
		if (ms(e->discontinuity.skipped) > 0)
			writer_uint(w, "skipped_ms",
				    ms(e->discontinuity.skipped));
		break;
	case EVENT_DTMF:
		writer_str(w, "digit", (char[]){ e->dtmf.digit, 0 }, 1);
		writer_uint(w, "at_ms", ms(e->dtmf.at));
		writer_uint(w, "duration_ms", ms(e->dtmf.duration));
		break;
	case EVENT_PAUSE:
	case EVENT_RESUME:
		writer_uint(w, "at_ms", ms(e->pause.at));
		str(w, "reason", e->pause.reason);
		break;
	case EVENT_CALL_END:
		str(w, "reason", e->call_end.reason);
		writer_uint(w, "duration_ms", us_to_ms(e->call_end.duration_us));
		writer_uint(w, "legs", e->call_end.legs);
		break;
	case EVENT_DAEMON:
		str(w, "asr", e->daemon.asr);
		str(w, "reason", e->daemon.reason);
		str(w, "text", e->daemon.text);
		break;
	default:
		break;
	}
}

static void fields(struct writer *w, const struct event *e,
		   struct list_in_line l)
{
	switch (e->type) {
	case EVENT_CALL_START:
	case EVENT_CALL_UPDATE:
		call(w, e, l);
		break;
	case EVENT_LEG_START:
	case EVENT_LEG_UPDATE:
		leg(w, e);
		break;
	case EVENT_SEGMENT:
		segment(w, &e->segment, l);
		break;
	case EVENT_GAP:
		writer_uint(w, "start_ms", ms(e->gap.start));
		writer_uint(w, "end_ms", ms(e->gap.end));
		str(w, "cause", e->gap.cause);
		spans(w, e->gap.spans, e->gap.n_spans, l);
		break;
	case EVENT_LEG_END:
		leg_end(w, &e->leg_end, l);
		break;
	default:
		short_fields(w, e);
	}
}

bool line_durable(const struct event *e)
{
	return e->type != EVENT_SPEECH &&
	       !(e->type == EVENT_SEGMENT && e->segment.state == SEGMENT_PARTIAL);
}

const char *line_type_name(enum event_type type)
{
	static const char *const names[] = {
		[EVENT_CALL_START] = "call.start",
		[EVENT_CALL_UPDATE] = "call.update",
		[EVENT_LEG_START] = "leg.start",
		[EVENT_LEG_UPDATE] = "leg.update",
		[EVENT_LEG_MEDIA] = "leg.media",
		[EVENT_LEG_STATE] = "leg.state",
		[EVENT_SEGMENT] = "segment",
		[EVENT_SPEECH] = "speech",
		[EVENT_GAP] = "gap",
		[EVENT_DISCONTINUITY] = "discontinuity",
		[EVENT_DTMF] = "dtmf",
		[EVENT_PAUSE] = "pause",
		[EVENT_RESUME] = "resume",
		[EVENT_LEG_END] = "leg.end",
		[EVENT_CALL_END] = "call.end",
		[EVENT_DAEMON] = "daemon",
	};

	return names[type];
}

int line_print(struct buf *out, const struct event *e, uint64_t seq)
{
	const size_t begin = out->len;
	const struct list_in_line l = { .limit = begin + LINE_MAX_BYTES - TAIL };
	struct writer w = { .out = out };
	char type[64];

	writer_open(&w, NULL, '{');
	writer_uint(&w, "v", 1);
	if (e->type == EVENT_DAEMON) {
		snprintf(type, sizeof(type), "daemon.%s",
			 e->daemon.what ? e->daemon.what : "event");
		str(&w, "type", type);
	} else {
		str(&w, "type", line_type_name(e->type));
	}
	if (seq)
		writer_uint(&w, "seq", seq);
	time_field(&w, "ts", e->now_us);
	str(&w, "call", e->call);
	str(&w, "leg", e->leg);
	if (e->leg)
		str(&w, "role", role_name(e->role));
	fields(&w, e, l);
	writer_close(&w, '}');
	buf_puts(out, "\n");

	if (!out->err)
		return 0;
	out->len = begin;
	if (out->data)
		out->data[begin] = 0;
	return -ENOMEM;
}
