/**
 * @file vendor_fireworks.c  Fireworks AI, streaming ASR
 *
 * Sources: docs.fireworks.ai "Streaming transcription", the notebooks of
 * github.com/fw-ai/cookbook, and the client in github.com/livekit/agents, read
 * in 2026.
 *
 *   -> GET /v1/audio/transcriptions/streaming?response_format=verbose_json&..
 *      Authorization: <key>              as it is, without "Bearer"
 *   -> binary: PCM s16le, 16 kHz, mono, 50-400 ms each
 *   <- {"task":"transcribe","language":"en","text":"..","segments":[
 *       {"id":"1","text":"..","language":"en","start":2.1,"end":4.0,
 *        "words":[{"word":"..","probability":0.99,"start":2.1,"end":2.3,
 *                  "is_final":true}]},{"id":2,"text":".."}]}
 *      only segments that are new or changed; each replaces what was said
 *      under its id
 *   -> {"event_id":"e1","object":"stt.input.trace","trace_id":"flush-1"}
 *   <- {"object":"stt.output.trace","trace_id":"flush-1"}
 *   -> {"checkpoint_id":"final"}
 *   <- ... {"checkpoint_id":"final"}, perhaps with segments; then we close
 *   <- {"error":".."}  or  {"error":{"message":"..","code":".."}}
 *
 * ids are numbers, sometimes written as strings, and compared as numbers.  A
 * message whose highest id is below an open segment's takes that one back.
 *
 * When is a segment final?  When its last word is.  Where no such thing is
 * said: when a higher id appears, when nothing has changed for twice the
 * service's text_timeout, at the checkpoint and at the end; and of any kind
 * when a higher segment is final.  Those are marked as synthesised.  A final
 * that changes is a revision; one that was taken back and comes again is
 * another segment ("7.1").
 *
 * params are query parameters by their own names.  Sent unless params say
 * otherwise: response_format=verbose_json, timestamp_granularities=word,segment
 * (else there are no times).  `auth_prefix=Bearer` is ours: for gateways that
 * want the key so.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/asr/compose.h"
#include "daemon/asr/json.h"
#include "daemon/asr/reply.h"
#include "daemon/asr/segments.h"
#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"

struct state {
	struct segments segments;
	unsigned traces;            /* sent so far */
};

static const char *const consumed[] = { "auth_prefix", NULL };
static const char *const secret[] = { "Authorization", NULL };

static const char *check(const struct asr_settings *s)
{
	if (compose_params_clash(s, secret) || compose_url_clash(s, secret))
		return "a key in params or url would be seen in logs: put it "
		       "into a file and name that in api-key-file";
	return compose_own_keys(s);
}

static void target(const struct asr_session *s, struct buf *out)
{
	const struct asr_settings *set = s->settings;
	const struct compose_pair fixed[] = {
		{ "model", set->model },
		{ "language", set->language },
		{ NULL, NULL },
	};
	static const struct compose_pair defaults[] = {
		{ "response_format", "verbose_json" },
		{ "timestamp_granularities", "word,segment" },
		{ NULL, NULL },
	};

	compose_target(out, set, fixed, defaults, consumed);
}

static void headers(const struct asr_session *s, struct buf *out)
{
	compose_authorization(out, s->settings, "");
}

static void flush(const struct asr_session *s, struct asr_message *out)
{
	struct state *st = s->state;

	st->traces++;
	out->binary = false;
	buf_printf(&out->bytes, "{\"event_id\":\"e%u\",\"object\":"
		   "\"stt.input.trace\",\"trace_id\":\"flush-%u\"}",
		   st->traces, st->traces);
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"checkpoint_id\":\"final\"}");
}

static const struct reply_meaning meanings[] = {
	{ 400, REASON_CONFIG, "Fireworks does not accept our parameters: check "
			      "language and params" },
	{ 401, REASON_AUTH, "Fireworks does not know this API key: check "
			    "api-key-file" },
	{ 402, REASON_PAYMENT, "the account's balance is used up: top it up at "
			       "Fireworks" },
	{ 403, REASON_AUTH, "the key may not use streaming transcription: check "
			    "the account at Fireworks" },
	{ 404, REASON_CONFIG, "no such path at this host: check url" },
	{ 429, REASON_QUOTA, "too many streams at once for this account" },
	{ 0, REASON_NONE, NULL },
};

static enum reason_class meaning(unsigned code, const char **why)
{
	return reply_meaning(meanings, code, why);
}

/* -- one segment of a message ------------------------------------------------------ */

static const char *language_of(const json_t *seg, const json_t *msg)
{
	const char *own = json_text(seg, "language");

	if (!own || !*own)
		own = json_text(msg, "language");
	return own && *own ? own : NULL;
}

/* The words of a lone segment may stand beside it. */
static const json_t *words_of(const json_t *seg, const json_t *msg)
{
	const json_t *own = json_object_get(seg, "words");

	if (json_array_size(own) > 0 ||
	    json_array_size(json_object_get(msg, "segments")) > 1)
		return own;
	return json_object_get(msg, "words");
}

static int on_segment(struct state *st, json_t *seg, const json_t *msg,
		      uint64_t now_us, const struct asr_sink *sink)
{
	static const struct json_word_names names = {
		.text = "word", .start = "start", .end = "end",
		.confidence = "probability",
	};
	const int64_t id = json_count(json_object_get(seg, "id"));
	const json_t *list = words_of(seg, msg);
	const json_t *last = json_object_get(
		json_array_get(list, json_array_size(list) - 1), "is_final");
	const char *text = json_transcript(seg, "text");
	struct asr_word *words = NULL;
	struct segment_said said = {
		.r = { .text = text, .confidence = -1,
		       .language = language_of(seg, msg) },
		.judged = json_is_boolean(last), .final = json_is_true(last),
	};

	if (id < 0 || !text)
		return -EBADMSG;
	/* without memory the words are missing, the text is not */
	json_words(&words, &said.r.n_words, list, &names);
	said.r.words = words;
	said.r.start_us = json_seconds_us(json_object_get(seg, "start"));
	said.r.end_us = json_seconds_us(json_object_get(seg, "end"));
	reply_check_times(&said.r);
	reply_times_of_words(&said.r);
	const bool wild = reply_is_wild(&said.r);
	if (!wild)
		segments_said(&st->segments, id, &said, now_us, sink);
	free(words);
	return wild ? -EBADMSG : 0;
}

/* -- the whole of it ----------------------------------------------------------------- */

static int on_segments(struct state *st, const json_t *msg, const json_t *list,
		       uint64_t now_us, const struct asr_sink *sink)
{
	int64_t highest = -1;
	int ret = json_is_array(list) ? 0 : -EBADMSG;
	size_t i;
	json_t *seg;

	json_array_foreach(list, i, seg) {
		if (on_segment(st, seg, msg, now_us, sink))
			ret = -EBADMSG; /* the others are used */
		highest = MAX(highest, json_count(json_object_get(seg, "id")));
	}
	if (highest < 0)
		return ret;
	segments_shrink(&st->segments, highest, sink);
	segments_close_passed(&st->segments, highest, sink);
	return ret;
}

static bool refused(const struct asr_session *s, const json_t *msg,
		    const struct asr_sink *sink)
{
	const json_t *error = json_object_get(msg, "error");
	const json_t *from = json_is_object(error) ? error : msg;
	const char *why = json_text(from, "message");

	if (!error || json_is_null(error))
		return false;
	reply_refused(s, sink, meanings, REASON_NONE,
		      json_code(json_object_get(from, "code")),
		      why && *why ? why : json_string_value(error));
	return true;
}

/* Answers to our own messages.  1: another. */
static int on_object(const struct state *st, const json_t *msg,
		     const char *object, const struct asr_sink *sink)
{
	char ours[32];

	if (!strcmp(object, "stt.state.cleared"))
		return 0;
	if (strcmp(object, "stt.output.trace") != 0)
		return 1;
	const char *id = json_text(msg, "trace_id");

	snprintf(ours, sizeof(ours), "flush-%u", st->traces);
	if (st->traces && id && !strcmp(id, ours))
		sink->flushed(sink->arg);
	return 0;
}

static int on_message(const struct asr_session *s, json_t *msg, uint64_t now_us,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const json_t *list = json_object_get(msg, "segments");
	const char *checkpoint = json_text(msg, "checkpoint_id");
	const char *object = json_text(msg, "object");
	int ret = 1;

	if (refused(s, msg, sink))
		return 0;
	if (object)
		ret = on_object(st, msg, object, sink);
	if (list && !json_is_null(list))
		ret = on_segments(st, msg, list, now_us, sink);
	if (!checkpoint)
		return ret;
	if (!strcmp(checkpoint, "final")) {
		segments_close_all(&st->segments, sink);
		sink->done(sink->arg);
	}
	return ret < 0 ? ret : 0;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	json_t *msg = json_message(text, len);

	if (!msg)
		return -EBADMSG;
	const int ret = on_message(s, msg, now_us, sink);

	json_decref(msg);
	return ret;
}

/* So long without a change, where no word says that it is final. */
static uint64_t patience_us(const struct asr_settings *s)
{
	const char *asked = compose_param(s, "text_timeout_seconds");
	const double seconds = asked ? strtod(asked, NULL) : 1;

	/* reference: the service takes 1 to 29; written so that NaN fails */
	return (uint64_t)(2e6 * (seconds >= 1 && seconds <= 29 ? seconds : 1));
}

static void tick(const struct asr_session *s, uint64_t now_us, bool ending,
		 const struct asr_sink *sink)
{
	struct state *st = s->state;

	if (ending)
		segments_close_all(&st->segments, sink);
	else
		segments_close_unchanged(&st->segments, now_us,
					 patience_us(s->settings), sink);
}

static void close_state(const struct asr_session *s)
{
	struct state *st = s->state;

	segments_free(&st->segments);
}

static const struct asr_wire wires[] = { { ASR_PCM_S16LE, 16000 } };

const struct asr_vendor asr_vendor_fireworks = {
	.name = "fireworks",
	.url = "wss://audio-streaming.api.fireworks.ai"
	       "/v1/audio/transcriptions/streaming",
	.state_size = sizeof(struct state),
	.wires = wires,
	.n_wires = ARRAY_LEN(wires),
	.chunk_min_ms = 50, .chunk_ms = 100, .chunk_max_ms = 400,
	.catchup = 1.25,
	.idle = ASR_IDLE_SILENCE,
	.idle_ms = 5000, .idle_first_ms = 1500, .idle_next_ms = 5000,
	.drain_ms = 5000, .drain_max_ms = 15000,
	.closer = ASR_CLIENT_CLOSES,
	.check = check, .target = target, .headers = headers, .flush = flush,
	.finish = finish, .meaning = meaning, .parse = parse, .tick = tick,
	.close = close_state,
};
