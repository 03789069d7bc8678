/**
 * @file dialect_deepgram.c  Deepgram /v1/listen, as daemon/asr/vendor_deepgram.c
 *
 * speech_final where a segment ended by a pause, UtteranceEnd (if asked for)
 * when speech was over for so long, counted in audio.  Assumed where the pages
 * leave it open: the shape of an in-band error (that of the service's own
 * clients), 1011 after it; a pause of 300 ms unless `endpointing` names one.
 */
#include <string.h>
#include <strings.h>

#include "daemon/asr/json.h"
#include "tools/asr-sim/query.h"

enum { NEVER_MS = 1000000, IDLE_MS = 10000 };

struct state {
	bool events, punctuate, diarize;
	bool finalizing;          /* the next final is for Finalize */
	bool spoken;              /* speech is over and not told so */
	uint32_t rate_hz;
	uint64_t spoken_to;       /* [samples] */
	uint64_t end_after;       /* utterance_end_ms [samples]; 0: no */
};

static const char *const header_names[] = {
	"Authorization", "x-api-key", "User-Agent", NULL
};

static const char *const encodings[] = {
	"linear16", "linear32", "flac", "alaw", "mulaw", "amr-nb", "amr-wb",
	"opus", "ogg-opus", "speex", "g729", NULL
};

static const struct query_rule rules[] = {
	{ .name = "model", .kind = QUERY_TEXT },
	{ .name = "language", .kind = QUERY_TEXT },
	{ .name = "encoding", .kind = QUERY_WORD, .words = encodings },
	{ .name = "sample_rate", .kind = QUERY_INTEGER, .min = 8000,
	  .max = 48000 },
	{ .name = "channels", .kind = QUERY_INTEGER, .min = 1, .max = 20 },
	{ .name = "multichannel", .kind = QUERY_BOOL },
	{ .name = "interim_results", .kind = QUERY_BOOL },
	{ .name = "endpointing", .kind = QUERY_TEXT },
	{ .name = "utterance_end_ms", .kind = QUERY_INTEGER, .min = 1000,
	  .max = 60000 },
	{ .name = "vad_events", .kind = QUERY_BOOL },
	{ .name = "punctuate", .kind = QUERY_BOOL },
	{ .name = "smart_format", .kind = QUERY_BOOL },
	{ .name = "no_delay", .kind = QUERY_BOOL },
	{ .name = "diarize", .kind = QUERY_BOOL },
	{ .name = "numerals", .kind = QUERY_BOOL },
	{ .name = "filler_words", .kind = QUERY_BOOL },
	{ .name = "profanity_filter", .kind = QUERY_BOOL },
	{ .name = "dictation", .kind = QUERY_BOOL },
	{ .name = "mip_opt_out", .kind = QUERY_BOOL },
	{ .name = "redact", .kind = QUERY_TEXT },
	{ .name = "keyterm", .kind = QUERY_TEXT },
	{ .name = "keywords", .kind = QUERY_TEXT },
	{ .name = "replace", .kind = QUERY_TEXT },
	{ .name = "search", .kind = QUERY_TEXT },
	{ .name = "tag", .kind = QUERY_TEXT },
	{ .name = "extra", .kind = QUERY_TEXT },
	{ .name = "version", .kind = QUERY_TEXT },
	{ .name = "callback", .kind = QUERY_TEXT },
	{0}
};

static const char path[] = "/v1/listen";

/* -- the upgrade --------------------------------------------------------------- */

static const char *key_of(struct conn *c, const struct websocket_request *r)
{
	const char *key = r->header(r, "Authorization");

	if (!key)
		return NULL;
	if (!strncasecmp(key, "Token ", 6))
		return key + 6;
	if (!strncasecmp(key, "Bearer ", 7))
		return key + 7;
	conn_violation(c, "key", "Authorization begins with neither \"Token\" "
		       "nor \"Bearer\"");
	return NULL;
}

static uint32_t pause_of(struct conn *c, const json_t *query)
{
	const char *text = json_text(query, "endpointing");
	const double ms = query_number(query, "endpointing", 0, 60000, -1);

	if (!text)
		return 0;
	if (!strcmp(text, "false"))
		return NEVER_MS;
	if (ms < 0)
		conn_violation(c, "query", "endpointing is \"%.32s\", neither "
			       "false nor milliseconds", text);
	return ms < 10 ? 10 : (uint32_t)ms;
}

static void configure(struct conn *c, const json_t *query, uint32_t rate)
{
	struct state *st = conn_state(c);
	const bool interim = query_on(query, "interim_results", false);

	st->rate_hz = rate;
	st->events = query_on(query, "vad_events", false);
	st->diarize = query_on(query, "diarize", false);
	st->punctuate = query_on(query, "punctuate", false) ||
			query_on(query, "smart_format", false);
	st->end_after = (uint64_t)query_number(query, "utterance_end_ms", 1000,
					       60000, 0) * rate / 1000;
	if (st->end_after && !interim)
		conn_violation(c, "query", "utterance_end_ms needs "
			       "interim_results=true");
	if (!interim)
		conn_without_partials(c);
	if (!json_text(query, "encoding") || !json_text(query, "sample_rate"))
		conn_violation(c, "query", "raw audio needs encoding and "
			       "sample_rate");
}

static unsigned judge(struct conn *c, const struct websocket_request *r,
		      const json_t *query, const char **body)
{
	const enum key_verdict v = conn_key(c, key_of(c, r));
	enum asr_encoding encoding;
	uint32_t rate;

	if (!query_path(r->target, path))
		conn_violation(c, "target", "the request is not for %s", path);
	if (v == KEY_MISSING)
		conn_violation(c, "key", "no key in Authorization");
	if (conn_sim(c)->expect_key && v != KEY_RIGHT) {
		*body = "{\"err_code\":\"INVALID_AUTH\","
			"\"err_msg\":\"Invalid credentials.\"}";
		return 401;
	}
	if (!query_audio(query, ASR_PCM_S16LE, 8000, &encoding, &rate, body))
		return 400;
	if (query_number(query, "channels", 0, 20, 1) != 1) {
		*body = "{\"error\":\"this simulator takes one channel\"}";
		return 400;
	}
	conn_audio_is(c, encoding, rate, pause_of(c, query));
	configure(c, query, rate);
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

static void finalize(struct conn *c)
{
	struct state *st = conn_state(c);

	st->finalizing = true;
	conn_flush(c);
	st->finalizing = false;
}

static void text(struct conn *c, const char *text_, size_t len)
{
	json_t *msg = json_message(text_, len);
	const char *type = json_text(msg, "type");

	if (!msg)
		conn_violation(c, "json", "a text message is no JSON object");
	else if (type && !strcmp(type, "Finalize"))
		finalize(c);
	else if (type && !strcmp(type, "CloseStream"))
		conn_end_of_audio(c);
	else if (!type || strcmp(type, "KeepAlive"))
		conn_violation(c, "text", "a text message is no KeepAlive, "
			       "Finalize or CloseStream");
	json_decref(msg);
}

static bool binary(struct conn *c, const uint8_t *data, size_t len)
{
	(void)data;
	if (len > 0)
		return false;
	conn_note(c, "empty", "an empty binary message: it ends the stream");
	conn_end_of_audio(c);
	return true;
}

/* -- results ---------------------------------------------------------------------- */

static json_t *words_of(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *words = json_array();

	for (size_t i = 0; i < r->n_words; i++) {
		const struct filler_word *w = &r->words[i];
		const char *s = r->text + w->at;
		json_t *word = json_pack("{s:s%, s:f, s:f, s:f}", "word", s,
					 (size_t)w->len, "start",
					 conn_seconds(c, w->first), "end",
					 conn_seconds(c, w->end), "confidence",
					 r->confidence);

		if (st->punctuate)
			json_object_set_new(word, "punctuated_word",
					    json_stringn(s, w->len));
		if (st->diarize)
			json_object_set_new(word, "speaker", json_integer(0));
		json_array_append_new(words, word);
	}
	return words;
}

static void result(struct conn *c, const struct sim_result *r)
{
	const struct state *st = conn_state(c);
	json_t *channel = json_pack("{s:[{s:s, s:f, s:o}]}", "alternatives",
				    "transcript", r->text, "confidence",
				    r->confidence, "words", words_of(c, r));
	json_t *metadata = json_pack("{s:o, s:o, s:{s:s, s:s, s:s}}",
		"request_id", conn_uuid(c, 1), "model_uuid", conn_uuid(c, 2),
		"model_info", "name", "general", "version", "1", "arch", "sim");

	conn_send(c, json_pack("{s:s, s:[i,i], s:f, s:f, s:b, s:b, s:b, s:o, "
			       "s:o}", "type", "Results", "channel_index", 0, 1,
			       "start", conn_seconds(c, r->first), "duration",
			       conn_seconds(c, r->end - r->first), "is_final",
			       r->final, "speech_final", r->pause,
			       "from_finalize", st->finalizing, "channel",
			       channel, "metadata", metadata));
}

/* Was it quiet for so long at this sample? */
static void check_utterance(struct conn *c, uint64_t at)
{
	struct state *st = conn_state(c);

	if (!st->spoken || !st->end_after || at - st->spoken_to < st->end_after)
		return;
	st->spoken = false;
	conn_send(c, json_pack("{s:s, s:[i,i], s:f}", "type", "UtteranceEnd",
			       "channel", 0, 1, "last_word_end",
			       conn_seconds(c, st->spoken_to)));
}

static void speech(struct conn *c, bool began, uint64_t at)
{
	struct state *st = conn_state(c);

	if (began)
		check_utterance(c, at);
	if (began && st->events)
		conn_send(c, json_pack("{s:s, s:[i,i], s:f}", "type",
				       "SpeechStarted", "channel", 0, 1,
				       "timestamp", conn_seconds(c, at)));
	st->spoken = !began;
	st->spoken_to = at;
}

static void told(struct conn *c)
{
	check_utterance(c, conn_position(c));
}

static void ended(struct conn *c)
{
	conn_send(c, json_pack("{s:s, s:o, s:s, s:f, s:i}", "type", "Metadata",
			       "request_id", conn_uuid(c, 1), "created",
			       "2026-01-02T03:04:05.000Z", "duration",
			       conn_seconds(c, conn_position(c)), "channels",
			       1));
	conn_close(c, 1000);
}

/* In the other shape only the close says why. */
static void error(struct conn *c, unsigned code, const char *text_, bool other)
{
	if (!other)
		conn_send(c, json_pack("{s:s, s:o, s:s, s:s}", "type", "Error",
				       "variant", json_sprintf("%u", code),
				       "description", text_, "message", text_));
	conn_close_with(c, 1011, other ? "NET-0000: an error on purpose" : NULL);
}

const struct dialect dialect_deepgram = {
	.name = "deepgram",
	.headers = header_names,
	.state_size = sizeof(struct state),
	.idle_ms = IDLE_MS, .idle_audio = true, .idle_code = 1011,
	.idle_reason = "NET-0001: no audio data or text message within the "
		       "timeout window",
	.refusal = "dg-error", .id_header = "dg-request-id",
	.request = request, .text = text, .binary = binary, .result = result,
	.told = told, .speech = speech, .ended = ended, .error = error,
};
