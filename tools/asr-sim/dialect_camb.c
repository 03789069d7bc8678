/**
 * @file dialect_camb.c  Camb.ai, as daemon/asr/vendor_camb.c knows it
 *
 * Flavour "new" (realtime.camb.ai): a final closes each utterance, words are in
 * finals only, UtteranceEnd follows.  Flavour "seed" (client.camb.ai): is_final
 * is always false, words are in every Results; where an utterance ends is seen
 * by its being followed by a shorter text that begins later.  Not documented
 * and assumed here: how long Ready takes, 400 for audio that is not taken,
 * close code 1000 after an error.
 */
#include <string.h>

#include "daemon/asr/json.h"
#include "tools/asr-sim/query.h"

enum { READY_MS = 50 };

static const char *const flavours[] = { "new", "seed", NULL };

static const char *const header_names[] = {
	"x-api-key", "Authorization", "User-Agent", NULL
};

static const char *const models[] = { "boli-v5", NULL };
static const char *const encodings[] = {
	"linear16", "linear32", "alaw", "mulaw", NULL
};

static const struct query_rule rules[] = {
	{ .name = "model", .kind = QUERY_WORD, .words = models },
	{ .name = "language", .kind = QUERY_TEXT },
	{ .name = "encoding", .kind = QUERY_WORD, .words = encodings },
	{ .name = "sample_rate", .kind = QUERY_INTEGER, .min = 8000,
	  .max = 48000 },
	{ .name = "channels", .kind = QUERY_INTEGER, .min = 1, .max = 1 },
	{0}
};

static bool is_seed(const struct conn *c)
{
	return !strcmp(conn_sim(c)->flavour, "seed");
}

/* -- the upgrade --------------------------------------------------------------- */

static unsigned request(struct conn *c, const struct websocket_request *r,
			const char **body)
{
	const char *path = is_seed(c) ? "/apis/transcription/listen"
				      : "/streaming-transcription/listen";
	const enum key_verdict v = conn_key(c, r->header(r, "x-api-key"));
	json_t *query = query_read(c, r->target, rules);
	enum asr_encoding encoding;
	uint32_t rate;
	unsigned status = 101;

	if (!query_path(r->target, path))
		conn_violation(c, "target", "the request is not for %s", path);
	if (v == KEY_MISSING)
		conn_violation(c, "key", "no x-api-key header");
	if (conn_sim(c)->expect_key && v != KEY_RIGHT) {
		*body = "{\"error\":\"Unauthorized\"}";
		status = 401;
	} else if (!query_audio(query, ASR_PCM_S16LE, 16000, &encoding, &rate,
				body)) {
		status = 400;
	} else {
		conn_audio_is(c, encoding, rate, 0);
	}
	json_decref(query);
	return status;
}

static void ready(struct conn *c)
{
	conn_send(c, json_pack("{s:s}", "type", "Ready"));
}

/* -- messages -------------------------------------------------------------------- */

static void text(struct conn *c, const char *text_, size_t len)
{
	json_t *msg = json_message(text_, len);
	const char *type = json_text(msg, "type");

	if (!msg)
		conn_violation(c, "json", "a text message is no JSON object");
	else if (type && !strcmp(type, "CloseStream"))
		conn_end_of_audio(c);
	else if (!type || strcmp(type, "KeepAlive"))
		conn_violation(c, "text", "a text message is neither KeepAlive "
			       "nor CloseStream");
	json_decref(msg);
}

static bool binary(struct conn *c, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	if (!conn_ready(c))
		conn_violation(c, "order", "audio came before Ready");
	return false;
}

/* -- results ---------------------------------------------------------------------- */

static json_t *words_of(struct conn *c, const struct sim_result *r)
{
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];

		json_array_append_new(words, json_pack(
			"{s:s%, s:f, s:f, s:f}", "word", r->text + w->at,
			(size_t)w->len, "start", conn_seconds(c, w->first),
			"end", conn_seconds(c, w->end), "confidence",
			r->confidence));
	}
	return words;
}

static json_t *metadata(const struct conn *c)
{
	return json_pack("{s:o, s:o, s:{s:s, s:s}}", "request_id",
			 conn_uuid(c, 1), "model_uuid", conn_uuid(c, 2),
			 "model_info", "name", "boli-v5", "version", "1");
}

static void result(struct conn *c, const struct sim_result *r)
{
	const bool words = is_seed(c) || r->final;
	const bool final = r->final && !is_seed(c);

	conn_send(c, json_pack("{s:s, s:b, s:f, s:f, s:{s:[{s:s, s:f, s:o}]}, "
			       "s:o}", "type", "Results", "is_final", final,
			       "start", conn_seconds(c, r->first), "duration",
			       conn_seconds(c, r->end - r->first), "channel",
			       "alternatives", "transcript", r->text,
			       "confidence", r->confidence, "words",
			       words ? words_of(c, r) : json_array(),
			       "metadata", metadata(c)));
	if (final && r->n_words > 0)
		conn_send(c, json_pack("{s:s, s:f}", "type", "UtteranceEnd",
				       "last_word_end", conn_seconds(c,
				       r->words[r->n_words - 1].end)));
}

static void ended(struct conn *c)
{
	conn_close(c, 1000);
}

/* `code` may be null. */
static void error(struct conn *c, unsigned code, const char *text_, bool other)
{
	conn_send(c, json_pack("{s:s, s:o, s:s}", "type", "Error", "code",
			       other ? json_null() : json_integer(code),
			       "message", text_));
	conn_close(c, 1000);
}

const struct dialect dialect_camb = {
	.name = "camb",
	.flavours = flavours,
	.headers = header_names,
	.ready_ms = READY_MS,
	.request = request, .ready = ready, .text = text, .binary = binary,
	.result = result, .ended = ended, .error = error,
};
