/**
 * @file vendor_smallest.c  Smallest.ai, Pulse streaming ASR
 *
 * Sources: docs.smallest.ai and the asyncapi files, pages, changelog and live
 * probes of github.com/smallest-inc/smallest-ai-documentation, read in 2026.
 *
 *   -> GET /waves/v1/stt/live?encoding=mulaw&sample_rate=8000&language=en&..
 *      Authorization: Bearer <key>       older path: /waves/v1/pulse/get_text
 *   -> binary: audio, 20-200 ms each
 *   <- {"type":"transcription","status":"success","session_id":"..",
 *       "transcript":"Hi there. ","is_final":true,"is_last":false,
 *       "language":"en","words":[{"word":"Hi","start":0.1,"end":0.3,
 *       "confidence":0.98}],"utterances":[{"text":"..","start":0.1,"end":1.2}]}
 *      older pages have no type and call the words "word_timestamps", newer
 *      ones call the text "transcription".  A partial replaces the one before;
 *      is_final closes the segment, which has no name
 *   <- {"type":"speech_started","timestamp":1.84}, "speech_ended"
 *                                        with vad_events=true
 *   -> {"type":"finalize"}               closes the segment now, goes on
 *   -> {"type":"close_stream"}
 *   <- ... is_last, then it closes
 *   <- {"type":"error","status":"error","message":"..","error_code":".."}  or
 *      {"status":"error","error":{"message":"..","code":".."}}
 *
 * The older pages end with finalize, which newer servers answer without ever
 * saying is_last.  So both are sent, finalize first: a server that knows only
 * one of them still gives its last words, and the drain's limit ends the rest.
 *
 * params are query parameters by their own names.  Sent unless params say
 * otherwise (`name=` sends none):
 *   word_timestamps=true     the only times a result has; its default differs
 *                            between the two paths
 *   finalize_on_words=false  else a "final" about every ten words, in the
 *                            middle of a sentence
 *   endpointing=true         a pause ends the segment; once the default was no
 *   model=pulse              the newer path insists on one
 * What a contact centre may want besides: vad_events=true (who speaks when;
 * for the last speech_ended a second of silence at the end would be needed),
 * redact_pii=true and redact_pci=true (en, hi), itn_normalize=true, keywords.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/asr/compose.h"
#include "daemon/asr/json.h"
#include "daemon/asr/reply.h"
#include "daemon/asr/vendor.h"

struct state {
	struct reply_count count;
	uint64_t session;
	bool flushing;
};

static const char *const of_wire[] = { "encoding", "sample_rate", NULL };
static const char *const secret[] = { "token", NULL };

/* Where languages are at home: the wrong host closes without a word. */
static const char *const only_us[] = {
	"zh", "yue", "ja", "ko", "multi-asian", NULL
};
static const char *const not_us[] = {
	"ta", "te", "kn", "ml", "multi-south-indic", NULL
};

static bool among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static bool is_older(const struct asr_settings *s)
{
	return compose_path_ends(s, "/get_text");
}

static bool has_language(const struct asr_settings *s)
{
	static const char *const names[] = { "language", NULL };

	return *s->language || compose_params_clash(s, names) ||
	       compose_url_clash(s, names);
}

static const char *check(const struct asr_settings *s)
{
	if (compose_params_clash(s, of_wire) || compose_url_clash(s, of_wire))
		return "encoding and sample_rate are the daemon's to say: "
		       "remove them from params and url; the key encoding "
		       "chooses what is sent";
	if (compose_params_clash(s, secret) || compose_url_clash(s, secret))
		return "a token in params or url would be seen in logs: put "
		       "the key into a file and name it in api-key-file";
	if (!is_older(s) && !has_language(s))
		return "Smallest needs a language: set language, for example "
		       "\"en\" or \"hi\"";
	if (!strcmp(s->model, "pulse-pro"))
		return "pulse-pro is not for streaming: remove model, or set "
		       "it to \"pulse\"";
	if (!strcmp(s->host, "api.smallest.ai") && among(only_us, s->language))
		return "this language is only at the US host: set url to "
		       "\"wss://api.us.smallest.ai/waves/v1/stt/live\"";
	if (!strcmp(s->host, "api.us.smallest.ai") && among(not_us, s->language))
		return "this language is not at the US host: set url to "
		       "\"wss://api.smallest.ai/waves/v1/stt/live\"";
	return NULL;
}

static void target(const struct asr_session *s, struct buf *out)
{
	const struct asr_settings *set = s->settings;
	const struct compose_pair fixed[] = {
		{ "encoding", compose_encoding(set) },
		{ "sample_rate", compose_rate(set) },
		{ "model", set->model },
		{ "language", set->language },
		{ NULL, NULL },
	};
	const struct compose_pair defaults[] = {
		{ "model", *set->model || is_older(set) ? "" : "pulse" },
		{ "word_timestamps", "true" },
		{ "finalize_on_words", "false" },
		{ "endpointing", "true" },
		{ NULL, NULL },
	};

	compose_target(out, set, fixed, defaults, NULL);
}

static void headers(const struct asr_session *s, struct buf *out)
{
	compose_header(out, "Authorization", "Bearer ", s->settings->key);
}

static void flush(const struct asr_session *s, struct asr_message *out)
{
	struct state *st = s->state;

	st->flushing = true;
	compose_message(out, "{\"type\":\"finalize\"}");
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"type\":\"close_stream\"}");
}

static const struct reply_meaning meanings[] = {
	{ 400, REASON_CONFIG, "Smallest does not accept our parameters: check "
			      "model, language and params" },
	{ 401, REASON_AUTH, "Smallest does not know this API key: check "
			    "api-key-file" },
	{ 403, REASON_AUTH, "the key may not use this: check the plan at "
			    "Smallest" },
	{ 404, REASON_CONFIG, "no such path at this host: check url" },
	{ 429, REASON_QUOTA, "too many requests for this account" },
	{ 1008, REASON_QUOTA, "too many connections at once for this account" },
	{ 0, REASON_NONE, NULL },
};

static enum reason_class meaning(unsigned code, const char **why)
{
	return reply_meaning(meanings, code, why);
}

/* -- what it sends ------------------------------------------------------------- */

static bool said(const char *text, const char *what)
{
	return text && !strcmp(text, what);
}

/* A language that this host or model does not have will not come by waiting. */
static enum reason_class class_of(const char *code)
{
	return code && !strncmp(code, "LANGUAGE_", 9) ? REASON_CONFIG
						      : REASON_NONE;
}

static bool refused(const struct asr_session *s, const json_t *msg,
		    const struct asr_sink *sink)
{
	const json_t *error = json_object_get(msg, "error");
	const json_t *code = json_object_get(msg, "error_code");
	const char *why = json_text(msg, "message");
	const bool is = error && !json_is_null(error);

	if (!is && !said(json_text(msg, "type"), "error") &&
	    !said(json_text(msg, "status"), "error"))
		return false;
	if (!code)
		code = json_object_get(json_is_object(error) ? error : msg,
				       "code");
	if (!why || !*why)
		why = json_is_string(error) ? json_string_value(error)
					    : json_text(error, "message");
	if (!why || !*why)
		why = json_string_value(code);
	reply_refused(s, sink, meanings, class_of(json_string_value(code)),
		      json_code(code), why);
	return true;
}

static const char *language_of(const json_t *msg)
{
	const char *one = json_text(msg, "language");

	if (!one || !*one)
		one = json_string_value(
			json_array_get(json_object_get(msg, "languages"), 0));
	return one && *one ? one : NULL;
}

static void read_words(struct asr_result *r, struct asr_word **words,
		       const json_t *msg)
{
	static const struct json_word_names names = {
		.text = "word", .start = "start", .end = "end",
		.confidence = "confidence",
	};
	const json_t *list = json_object_get(msg, "words");
	const json_t *sentences = json_object_get(msg, "utterances");
	const size_t n = json_array_size(sentences);

	if (!json_is_array(list))
		list = json_object_get(msg, "word_timestamps");
	/* without memory the words are missing, the text is not */
	json_words(words, &r->n_words, list, &names);
	r->words = *words;
	reply_times_of_words(r);
	if (n == 0)
		return;
	if (r->start_us == TIME_UNKNOWN)
		r->start_us = json_seconds_us(json_object_get(
			json_array_get(sentences, 0), "start"));
	if (r->end_us == TIME_UNKNOWN)
		r->end_us = json_seconds_us(json_object_get(
			json_array_get(sentences, n - 1), "end"));
	reply_check_times(r);
}

/* The text, by whichever name.  NULL: there is one, but it is no text. */
static const char *text_of(json_t *msg)
{
	const char *text = json_transcript(msg, "transcript");

	if (!text || !*text) {
		const char *other = json_transcript(msg, "transcription");

		text = other ? other : text;
	}
	if (text)
		return text;
	return json_object_get(msg, "transcript") ||
	       json_object_get(msg, "transcription") ? NULL : "";
}

static int on_transcript(struct state *st, json_t *msg,
			 const struct asr_sink *sink)
{
	const bool last = json_is_true(json_object_get(msg, "is_last"));
	const bool final = json_is_true(json_object_get(msg, "is_final")) || last;
	const char *text = text_of(msg);
	struct asr_word *words = NULL;
	bool good = false;
	struct asr_result r = {
		.state = final ? RESULT_FINAL : RESULT_PARTIAL,
		.text = text, .confidence = -1, .language = language_of(msg),
		.start_us = TIME_UNKNOWN, .end_us = TIME_UNKNOWN,
	};

	if (text) {
		read_words(&r, &words, msg);
		good = !reply_is_wild(&r);
		if (good)
			reply_counted(&st->count, &r, sink);
		free(words);
	}
	if (final && st->flushing) { /* from_finalize is not always there */
		st->flushing = false;
		sink->flushed(sink->arg);
	}
	if (last)
		sink->done(sink->arg);
	return good ? 0 : -EBADMSG;
}

static int on_message(const struct asr_session *s, json_t *msg,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const json_t *kind = json_object_get(msg, "type");
	const char *type = json_string_value(kind);

	if (refused(s, msg, sink))
		return 0;
	if (kind && !type)
		return -EBADMSG;
	reply_session(&st->session, json_object_get(msg, "session_id"), sink);
	if (said(type, "speech_started") || said(type, "speech_ended")) {
		sink->speech(type[7] == 's' ? SPEECH_STARTED : SPEECH_ENDED,
			     json_moment_us(json_object_get(msg, "timestamp")),
			     sink->arg);
		return 0;
	}
	if (type ? !strcmp(type, "transcription")
		 : json_object_get(msg, "is_final") != NULL)
		return on_transcript(st, msg, sink);
	return 1;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	(void)now_us;
	return reply_parse(s, text, len, sink, on_message);
}

const struct asr_vendor asr_vendor_smallest = {
	.name = "smallest",
	.url = "wss://api.smallest.ai/waves/v1/stt/live",
	.state_size = sizeof(struct state),
	.wires = asr_wires_telephone,
	.n_wires = ASR_WIRES_TELEPHONE,
	.chunk_min_ms = 20, .chunk_ms = 100, .chunk_max_ms = 200,
	.catchup = 1.25,
	.idle = ASR_IDLE_PING,
	/* silence longer than its pause at the end of an utterance */
	.idle_ms = 8000, .idle_first_ms = 1500, .idle_next_ms = 5000,
	.tail_pad_ms = 300,
	.drain_ms = 5000, .drain_max_ms = 30000,
	.flush_first = true,
	.closer = ASR_SERVER_CLOSES,
	.check = check, .target = target, .headers = headers, .flush = flush,
	.finish = finish, .meaning = meaning, .parse = parse,
};
