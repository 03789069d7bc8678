/**
 * @file dialect_smallest.c  Smallest Pulse, as daemon/asr/vendor_smallest.c knows it
 *
 * Two paths: /waves/v1/stt/live, which needs model and language, and the older
 * /waves/v1/pulse/get_text.  Flavour "new": finalize ends the segment and the
 * connection goes on, close_stream ends it.  Flavour "seed": the page that knew
 * only finalize, and ends with it; words are in word_timestamps.  Not documented
 * and assumed here: close code 1000 after is_last and after an error; another
 * path is served as the older one; from_finalize comes with itn_normalize (so
 * the service's own probe of 2026).
 */
#include <string.h>
#include <strings.h>

#include "daemon/asr/json.h"
#include "tools/asr-sim/query.h"

enum { NEVER_MS = 1000000, EOU_MIN_MS = 100, EOU_MAX_MS = 10000 };

struct state {
	bool seed;
	bool words, full, events, itn;
	bool finalizing;          /* the next final is for finalize */
	char language[24];
	struct buf all;           /* full_transcript */
};

static const char *const flavours[] = { "new", "seed", NULL };

static const char *const header_names[] = {
	"Authorization", "X-Source", "x-expire-content", "x-api-key",
	"User-Agent", NULL
};

static const char *const models[] = { "pulse", NULL };
static const char *const languages[] = {
	"en", "hi", "de", "es", "ru", "it", "fr", "nl", "pt", "zh", "yue", "ja",
	"ko", "gu", "mr", "or", "bn", "ta", "te", "kn", "ml", "north_indic",
	"multi-asian", "multi-south-indic", "multi", "multi-eu", NULL
};
static const char *const encodings[] = {
	"linear16", "linear32", "alaw", "mulaw", "opus", "ogg_opus", NULL
};

static const struct query_rule rules[] = {
	{ .name = "model", .kind = QUERY_WORD, .words = models },
	{ .name = "language", .kind = QUERY_WORD, .words = languages },
	{ .name = "encoding", .kind = QUERY_WORD, .words = encodings },
	{ .name = "sample_rate", .kind = QUERY_INTEGER, .min = 8000,
	  .max = 48000 },
	{ .name = "word_timestamps", .kind = QUERY_BOOL },
	{ .name = "sentence_timestamps", .kind = QUERY_BOOL },
	{ .name = "diarize", .kind = QUERY_BOOL },
	{ .name = "full_transcript", .kind = QUERY_BOOL },
	{ .name = "vad_events", .kind = QUERY_BOOL },
	{ .name = "vad", .kind = QUERY_BOOL },
	{ .name = "redact_pii", .kind = QUERY_BOOL },
	{ .name = "redact_pci", .kind = QUERY_BOOL },
	{ .name = "format", .kind = QUERY_BOOL },
	{ .name = "punctuate", .kind = QUERY_BOOL },
	{ .name = "capitalize", .kind = QUERY_BOOL },
	{ .name = "itn_normalize", .kind = QUERY_BOOL },
	{ .name = "endpointing", .kind = QUERY_BOOL },
	{ .name = "eou_timeout_ms", .kind = QUERY_INTEGER, .min = EOU_MIN_MS,
	  .max = EOU_MAX_MS },
	{ .name = "finalize_on_words", .kind = QUERY_BOOL },
	{ .name = "max_words", .kind = QUERY_INTEGER, .min = 1, .max = 1000 },
	{ .name = "keywords", .kind = QUERY_TEXT },
	{ .name = "external_session_id", .kind = QUERY_TEXT },
	{ .name = "token", .kind = QUERY_SECRET },
	{0}
};

static const char live[] = "/waves/v1/stt/live";
static const char older[] = "/waves/v1/pulse/get_text";

/* -- the upgrade --------------------------------------------------------------- */

static const char *key_of(struct conn *c, const struct websocket_request *r,
			  const json_t *query)
{
	const char *key = r->header(r, "Authorization");

	if (!key)
		return json_text(query, "token");
	if (!strncasecmp(key, "Bearer ", 7))
		return key + 7;
	conn_violation(c, "key", "Authorization does not begin with \"Bearer\"");
	return NULL;
}

static void check_more(struct conn *c, const json_t *query)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	static const uint32_t rates[] = { 8000, 16000, 22050, 24000, 44100, 48000 };
	const char *id = json_text(query, "external_session_id");
	const char *keywords = json_text(query, "keywords");
	const double rate = query_number(query, "sample_rate", 8000, 48000, 0);
	bool known = rate == 0;

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++)
		known |= rate == rates[i];
	if (!known)
		conn_violation(c, "query", "sample_rate %g is not one of the "
			       "list", rate);
	if (id && (strlen(id) > 128 || id[strspn(id, legal)]))
		conn_violation(c, "query", "external_session_id is not 1 to 128 "
			       "letters, digits, '_', '.', '-'");
	if (keywords && *keywords == '[')
		conn_violation(c, "query", "keywords is a JSON array, not one "
			       "string");
}

static void configure(struct conn *c, const json_t *query, bool is_live)
{
	struct state *st = conn_state(c);
	const char *language = json_text(query, "language");

	st->seed = !strcmp(conn_sim(c)->flavour, "seed");
	st->words = query_on(query, "word_timestamps", !is_live);
	st->full = st->seed || query_on(query, "full_transcript", false);
	st->events = query_on(query, "vad_events",
			      query_on(query, "vad", false));
	st->itn = query_on(query, "itn_normalize", false);
	if (!language || strlen(language) >= sizeof(st->language))
		language = "en";
	memcpy(st->language, language, strlen(language) + 1);
}

/* What the pages say brings a 400. */
static bool refused(struct conn *c, const json_t *query, bool is_live,
		    const char **body)
{
	const char *model = json_text(query, "model");
	bool missing = false;

	if (is_live) {
		missing |= !query_need(c, query, "model");
		missing |= !query_need(c, query, "language");
	}
	if (!missing && (!model || !strcmp(model, "pulse")))
		return false;
	*body = missing ? "{\"status\":\"error\",\"error\":{\"message\":"
			  "\"model and language are required\","
			  "\"code\":\"INVALID_REQUEST\"}}"
			: "{\"status\":\"error\",\"error\":{\"message\":"
			  "\"there is no such model\","
			  "\"code\":\"INVALID_MODEL\"}}";
	return true;
}

static unsigned judge(struct conn *c, const struct websocket_request *r,
		      const json_t *query, const char **body)
{
	const enum key_verdict v = conn_key(c, key_of(c, r, query));
	const bool is_live = query_path(r->target, live);
	enum asr_encoding encoding;
	uint32_t rate;

	if (!is_live && !query_path(r->target, older))
		conn_violation(c, "target", "the request is not for %s or %s",
			       live, older);
	if (v == KEY_MISSING)
		conn_violation(c, "key", "no \"Authorization: Bearer\" and no "
			       "token");
	if (conn_sim(c)->expect_key && v != KEY_RIGHT) {
		*body = "{\"status\":\"error\",\"error\":{\"message\":"
			"\"Unauthorized\",\"code\":\"UNAUTHORIZED\"}}";
		return 401;
	}
	check_more(c, query);
	if (refused(c, query, is_live, body) ||
	    !query_audio(query, ASR_PCM_S16LE, 16000, &encoding, &rate, body))
		return 400;
	configure(c, query, is_live);
	conn_audio_is(c, encoding, rate,
		      !query_on(query, "endpointing", true) ? NEVER_MS
		      : (uint32_t)query_number(query, "eou_timeout_ms",
					       EOU_MIN_MS, EOU_MAX_MS, 0));
	return 101;
}

static unsigned request(struct conn *c, const struct websocket_request *r,
			const char **body)
{
	json_t *query = query_read(c, r->target, rules);
	const unsigned status = judge(c, r, query, body);

	json_decref(query);
	return status;
}

/* -- messages -------------------------------------------------------------------- */

static void on_finalize(struct conn *c)
{
	struct state *st = conn_state(c);

	if (st->seed) {
		conn_end_of_audio(c);
		return;
	}
	st->finalizing = true;
	conn_flush(c);
	st->finalizing = false;
}

static void on_close_stream(struct conn *c)
{
	const struct state *st = conn_state(c);

	if (st->seed)
		conn_note(c, "close_stream", "this page knows finalize only: "
			  "close_stream means nothing here");
	else
		conn_end_of_audio(c);
}

static void text(struct conn *c, const char *text_, size_t len)
{
	json_t *msg = json_message(text_, len);
	const char *type = json_text(msg, "type");

	if (!msg)
		conn_violation(c, "json", "a text message is no JSON object");
	else if (type && !strcmp(type, "finalize"))
		on_finalize(c);
	else if (type && !strcmp(type, "close_stream"))
		on_close_stream(c);
	else
		conn_violation(c, "text", "a text message is neither finalize "
			       "nor close_stream");
	json_decref(msg);
}

/* -- results ---------------------------------------------------------------------- */

static json_t *words_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];
		json_t *word = json_pack("{s:s%, s:f, s:f}", "word",
					 r->text + w->at, (size_t)w->len,
					 "start", conn_seconds(c, w->first),
					 "end", conn_seconds(c, w->end));

		if (!st->seed)
			json_object_set_new(word, "confidence",
					    json_real(r->confidence));
		json_array_append_new(words, word);
	}
	return words;
}

static void add_to_all(struct state *st, const struct sim_result *r)
{
	if (*r->text)
		buf_printf(&st->all, "%s%s", st->all.len ? " " : "", r->text);
}

/* As the page has it. */
static json_t *as_seed(struct conn *c, const struct sim_result *r)
{
	return json_pack("{s:o, s:s, s:b, s:b}", "session_id", conn_uuid(c, 1),
			 "transcript", r->text, "is_final", r->final, "is_last",
			 r->last);
}

static json_t *as_new(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *msg = json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:b}", "type",
				"transcription", "status", "success",
				"session_id", conn_uuid(c, 1), "transcript",
				r->text, "transcription", r->text, "is_final",
				r->final, "is_last", r->last);

	if (st->finalizing && st->itn)
		json_object_set_new(msg, "from_finalize", json_true());
	return msg;
}

static void result(struct conn *c, const struct sim_result *r)
{
	struct state *st = conn_state(c);
	json_t *msg = st->seed ? as_seed(c, r) : as_new(c, r);

	if (r->final) {
		add_to_all(st, r);
		json_object_set_new(msg, "language", json_string(st->language));
	}
	if (r->final && !st->seed)
		json_object_set_new(msg, "languages",
				    json_pack("[s]", st->language));
	if (st->full)
		json_object_set_new(msg, "full_transcript",
				    json_string(buf_str(&st->all)));
	if (st->words)
		json_object_set_new(msg, st->seed ? "word_timestamps" : "words",
				    words_of(c, r));
	conn_send(c, msg);
}

static void speech(struct conn *c, bool began, uint64_t at)
{
	const struct state *st = conn_state(c);

	if (st->events && !st->seed)
		conn_send(c, json_pack("{s:s, s:o, s:f}", "type",
				       began ? "speech_started" : "speech_ended",
				       "session_id", conn_uuid(c, 1),
				       "timestamp", conn_seconds(c, at)));
}

static void ended(struct conn *c)
{
	conn_close(c, 1000);
}

static void error(struct conn *c, unsigned code, const char *text_, bool other)
{
	if (other)
		conn_send(c, json_pack("{s:s, s:{s:s, s:o}}", "status", "error",
				       "error", "message", text_, "code",
				       json_sprintf("%u", code)));
	else
		conn_send(c, json_pack("{s:s, s:s, s:s, s:o}", "type", "error",
				       "status", "error", "message", text_,
				       "error_code", json_sprintf("%u", code)));
	conn_close(c, 1000);
}

static void fini(struct conn *c)
{
	struct state *st = conn_state(c);

	buf_free(&st->all);
}

const struct dialect dialect_smallest = {
	.name = "smallest",
	.flavours = flavours,
	.headers = header_names,
	.state_size = sizeof(struct state),
	.chunk_min_ms = 20, .chunk_max_ms = 200,
	.tells_nothing = true,
	.request = request, .text = text, .result = result, .speech = speech,
	.ended = ended, .error = error, .fini = fini,
};
