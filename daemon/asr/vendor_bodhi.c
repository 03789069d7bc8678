/**
 * @file vendor_bodhi.c  Bodhi by Navana, streaming ASR for Indian languages
 *
 * Sources: the service's pages "Streaming - Websocket", "Response structure"
 * and "Error responses" (docs.navana.ai), its Python SDK (bodhi-sdk 1.4,
 * bodhi-api-sdk 1.0) and examples at github.com/navana-tech, read in 2026.
 *
 *   -> GET /                             wss://stt.navana.ai
 *      x-api-key: <key>                  always
 *      x-customer-id: <uuid>             older host (wss://bodhi.navana.ai)
 *      Authorization: Bearer <key>       newer host; the older ignores it
 *   -> {"config":{"sample_rate":8000,"transaction_id":"<uuid>","model":"..."}}
 *      the first message, once; no answer, audio may follow at once
 *   -> binary: PCM s16le mono, 50-500 ms each, all of one size
 *   <- {"call_id":"..","segment_id":3,"eos":false,"type":"partial|complete",
 *       "text":"..","segment_meta":{"tokens":[..],"timestamps":[0.12,..],
 *       "start_time":12.4,"confidence":0.91,"words":[{"word":"..",
 *       "confidence":0.93,"start_time":12.52,"end_time":12.8}]},
 *       "language_code":"hi","aux_info":{..}}
 *      a partial replaces the one before; any member may be missing
 *   <- {"error":"..","code":400}  or
 *      {"error":"bodhi_error","message":"..","code":400,"timestamp":".."}
 *      and the service closes
 *   -> {"eof": 1}                        text
 *   <- ... "eos":true with the last complete; then we close
 *
 * timestamps are seconds from start_time, start_time and the words' times are
 * seconds of audio on the connection.  A segment ends at start_time + the last
 * timestamp (the SDK's own rule).  Without any message the service closes
 * after 15 s; silence keeps it, first longer than its longest end-of-utterance
 * pause (1.2 s), so that what was said is closed.
 *
 * Which form of authentication: with a customer-id the older one, else the
 * newer.  The language is part of the model's name; there is no field for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/asr/compose.h"
#include "daemon/asr/json.h"
#include "daemon/asr/reply.h"
#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"

enum { REMEMBERED = 16 };

/* Filled in by us; the user's params cannot replace them. */
static const char *const ours[] = {
	"sample_rate", "transaction_id", "model", "channels", NULL
};

static const struct json_word_names word_names = {
	.text = "word", .start = "start_time", .end = "end_time",
	.confidence = "confidence",
};

/* Hashes stand for ids and texts: nothing here needs them back. */
struct state {
	uint64_t call_id;           /* last one told; 0: none */
	uint64_t unnamed;           /* segments that came without an id */
	uint64_t spoken;            /* open segment that was told of; 0: none */
	struct {
		uint64_t key;       /* 0: free */
		uint64_t text;
	} complete[REMEMBERED];
	size_t next;
};

static const char *check(const struct asr_settings *s)
{
	if (!*s->model)
		return "Bodhi needs a model: set model, for example "
		       "\"hi-banking-v2-8khz\"";
	if (*s->language)
		return "Bodhi has no language of its own, it is the model's: "
		       "remove language and choose the model for it";
	if (!strcmp(s->host, "bodhi.navana.ai") && !*s->customer_id)
		return "Bodhi's older host needs the customer id: set "
		       "customer-id, or url to \"wss://stt.navana.ai\"";
	if (compose_params_clash(s, ours))
		return "sample_rate, transaction_id, model and channels are "
		       "filled in by the daemon: remove them from params";
	return NULL;
}

static void headers(const struct asr_session *s, struct buf *out)
{
	const struct asr_settings *set = s->settings;

	compose_header(out, "x-api-key", "", set->key);
	if (*set->customer_id)
		compose_header(out, "x-customer-id", "", set->customer_id);
	else
		compose_header(out, "Authorization", "Bearer ", set->key);
}

/* The service's treatment of fields it does not know is not documented, so
 * only what the user set is sent. */
static void hello(const struct asr_session *s, struct asr_message *out)
{
	const struct asr_settings *set = s->settings;
	struct buf *b = &out->bytes;

	out->binary = false;
	buf_printf(b, "{\"config\":{\"sample_rate\":%u,\"transaction_id\":",
		   (unsigned)set->wire.rate_hz);
	compose_string(b, s->id);
	if (*set->model) {
		buf_puts(b, ",\"model\":");
		compose_string(b, set->model);
	}
	compose_params(b, set, ours);
	buf_puts(b, "}}");
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"eof\": 1}");
}

static const struct reply_meaning meanings[] = {
	{ 400, REASON_CONFIG, "the service does not accept our settings: check "
			      "model and params" },
	{ 401, REASON_AUTH, "the service does not know this API key or customer "
			    "id: check api-key-file and customer-id" },
	{ 402, REASON_PAYMENT, "the account's balance is used up: top it up at "
			       "Navana" },
	{ 403, REASON_AUTH, "the account has been deactivated: ask Navana" },
	{ 500, REASON_SERVER, "the service had an unexpected error inside" },
	{ 503, REASON_SERVER, "the service is temporarily unable to answer or "
			      "cannot be reached" },
	{ 0, REASON_NONE, NULL },
};

static enum reason_class meaning(unsigned code, const char **why)
{
	return reply_meaning(meanings, code, why);
}

/* An error is there whatever its type; null is none. */
static bool refused(const struct asr_session *s, const json_t *msg,
		    const struct asr_sink *sink)
{
	const json_t *error = json_object_get(msg, "error");
	const char *why = json_text(msg, "message");

	if (!error || json_is_null(error))
		return false;
	reply_refused(s, sink, meanings, REASON_NONE,
		      json_code(json_object_get(msg, "code")),
		      why && *why ? why : json_string_value(error));
	return true;
}

/* Has this segment been completed, and with which text?  0: no. */
static uint64_t completed(const struct state *st, uint64_t key)
{
	for (size_t i = 0; i < ARRAY_LEN(st->complete); i++)
		if (st->complete[i].key == key)
			return st->complete[i].text;
	return 0;
}

static void remember(struct state *st, uint64_t key, uint64_t text)
{
	for (size_t i = 0; i < ARRAY_LEN(st->complete); i++)
		if (st->complete[i].key == key) {
			st->complete[i].text = text;
			return;
		}
	st->complete[st->next].key = key;
	st->complete[st->next].text = text;
	st->next = (st->next + 1) % ARRAY_LEN(st->complete);
}

/*
 * What becomes of a message's text.  Silence brings empty texts, which nobody
 * needs unless they take back a partial; the last complete may be repeated
 * with eos; a complete with another text is a revision.
 */
static bool wanted(struct state *st, struct asr_result *r)
{
	const uint64_t key = reply_mark(r->key);
	const uint64_t before = completed(st, key);
	const bool spoken = st->spoken == key;

	if (r->state == RESULT_PARTIAL) {
		if (before || (!*r->text && !spoken))
			return false;
		st->spoken = key;
		return true;
	}
	st->spoken = 0;
	if (before) {
		if (!*r->text || before == reply_mark(r->text))
			return false;
	} else if (!*r->text) {
		if (!spoken)
			return false;
		r->state = RESULT_RETRACTED;
	}
	remember(st, key, reply_mark(r->text));
	return true;
}

static void read_times(struct asr_result *r, const json_t *meta)
{
	const json_t *stamps = json_object_get(meta, "timestamps");
	const size_t n = json_array_size(stamps);
	const int64_t last = n == 0 ? TIME_UNKNOWN
		: json_seconds_us(json_array_get(stamps, n - 1));

	r->start_us = json_seconds_us(json_object_get(meta, "start_time"));
	r->end_us = TIME_UNKNOWN;
	if (r->start_us == TIME_UNKNOWN)
		return;
	if (last != TIME_UNKNOWN)
		r->end_us = reply_later_us(r->start_us, last);
	else if (r->n_words > 0)
		r->end_us = r->words[r->n_words - 1].end_us;
	reply_check_times(r);
}

static int on_transcript(struct state *st, json_t *msg, bool complete,
			 const struct asr_sink *sink)
{
	const json_t *meta = json_object_get(msg, "segment_meta");
	const char *text = json_transcript(msg, "text");
	const char *language = json_text(msg, "language_code");
	char key[JSON_ID_SIZE];
	struct asr_word *words = NULL;
	struct asr_result r = {
		.state = complete ? RESULT_FINAL : RESULT_PARTIAL,
		.key = key, .text = text ? text : "",
		.confidence = json_confidence(json_object_get(meta, "confidence")),
		.language = language && *language ? language : NULL,
	};

	if (json_object_get(msg, "text") && !text)
		return -EBADMSG;
	/* without memory the words are missing, the text is not */
	json_words(&words, &r.n_words, json_object_get(meta, "words"),
		   &word_names);
	r.words = words;
	read_times(&r, meta);
	if (reply_is_wild(&r)) {
		free(words);
		return -EBADMSG;
	}
	if (!json_id(key, json_object_get(msg, "segment_id"))) {
		/* an id of ours that no id of theirs looks like */
		snprintf(key, sizeof(key), "unnamed %" PRIu64, st->unnamed);
		st->unnamed += complete;
	}
	if (wanted(st, &r))
		sink->result(&r, sink->arg);
	free(words);
	return 0;
}

static int on_message(const struct asr_session *s, json_t *msg,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const json_t *kind = json_object_get(msg, "type");
	const char *type = json_string_value(kind);
	const bool end = json_is_true(json_object_get(msg, "eos"));
	int ret = 1;

	if (refused(s, msg, sink))
		return 0;
	if (kind && !type)
		return -EBADMSG;
	reply_session(&st->call_id, json_object_get(msg, "call_id"), sink);
	if (type && !strcmp(type, "complete"))
		ret = on_transcript(st, msg, true, sink);
	else if (type && !strcmp(type, "partial"))
		ret = on_transcript(st, msg, false, sink);
	if (end) {
		sink->done(sink->arg);
		return ret < 0 ? ret : 0;
	}
	return ret;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	(void)now_us;
	return reply_parse(s, text, len, sink, on_message);
}

static const struct asr_wire wires[] = {
	{ ASR_PCM_S16LE, 8000 }, /* what its models are made for */
	{ ASR_PCM_S16LE, 16000 },
};

const struct asr_vendor asr_vendor_bodhi = {
	.name = "bodhi",
	.url = "wss://stt.navana.ai",
	.state_size = sizeof(struct state),
	.wires = wires,
	.n_wires = ARRAY_LEN(wires),
	.chunk_min_ms = 50, .chunk_ms = 100, .chunk_max_ms = 500,
	.catchup = 1.25,
	.idle = ASR_IDLE_SILENCE,
	.idle_ms = 8000, .idle_first_ms = 1500, .idle_next_ms = 2000,
	.drain_ms = 5000, .drain_max_ms = 30000,
	.closer = ASR_CLIENT_CLOSES,
	.check = check, .headers = headers, .hello = hello, .finish = finish,
	.meaning = meaning, .parse = parse,
};
