/**
 * @file vendor_deepgram.c  Deepgram, streaming ASR (/v1/listen)
 *
 * Sources: developers.deepgram.com, "Live Audio" and the pages on Finalize,
 * KeepAlive, Close Stream, end of speech and errors, read in 2026; issue 343
 * of the JavaScript SDK.
 *
 *   -> GET /v1/listen?encoding=mulaw&sample_rate=8000&channels=1&model=..
 *      Authorization: Token <key>
 *   -> binary: audio, 20-250 ms each; one of no bytes would end the stream
 *   <- {"type":"Results","is_final":false,"speech_final":false,"start":0.0,
 *       "duration":1.1,"channel":{..},"metadata":{"request_id":".."}}
 *      an interim replaces the one before, is_final closes the range
 *   <- {"type":"SpeechStarted","timestamp":9.5}          with vad_events=true
 *   <- {"type":"UtteranceEnd","last_word_end":3.1}       -1: unknown
 *   -> {"type":"KeepAlive"}                text; worth nothing before audio
 *   -> {"type":"Finalize"}
 *   <- {"type":"Results",..,"from_finalize":true}        often, not always
 *   -> {"type":"CloseStream"}
 *   <- ... {"type":"Metadata","duration":12.3,..}, then it closes
 *   <- {"type":"Error","description":"..","message":".."}
 *
 * Without audio or KeepAlive for 10 s it closes with 1011 (NET-0001).  An
 * utterance is over with speech_final or, where noise keeps that away, with
 * UtteranceEnd: the end of speech is told once, by whichever comes first.
 *
 * params are query parameters by their own names; keyterm and the like may
 * stand there several times.  `auth_prefix=Bearer` is ours: for a temporary
 * token in place of a key.  Sent unless params say otherwise:
 * interim_results=true, because without it no partials come.
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
	bool speaking;              /* SpeechStarted was told, its end not */
	bool finishing;
};

static const char *const of_wire[] = {
	"encoding", "sample_rate", "channels", "multichannel", NULL
};
static const char *const consumed[] = { "auth_prefix", NULL };

static const char *check(const struct asr_settings *s)
{
	if (compose_params_clash(s, of_wire) || compose_url_clash(s, of_wire))
		return "encoding, sample_rate, channels and multichannel are "
		       "the daemon's to say: remove them from params and url; "
		       "the key encoding chooses what is sent";
	return compose_own_keys(s);
}

static void target(const struct asr_session *s, struct buf *out)
{
	const struct asr_settings *set = s->settings;
	const struct compose_pair fixed[] = {
		{ "encoding", compose_encoding(set) },
		{ "sample_rate", compose_rate(set) },
		{ "channels", "1" },
		{ "model", set->model },
		{ "language", set->language },
		{ NULL, NULL },
	};
	static const struct compose_pair defaults[] = {
		{ "interim_results", "true" },
		{ NULL, NULL },
	};

	compose_target(out, set, fixed, defaults, consumed);
}

static void headers(const struct asr_session *s, struct buf *out)
{
	compose_authorization(out, s->settings, "Token");
}

static void keepalive(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"type\":\"KeepAlive\"}");
}

static void flush(const struct asr_session *s, struct asr_message *out)
{
	(void)s;
	compose_message(out, "{\"type\":\"Finalize\"}");
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	struct state *st = s->state;

	st->finishing = true;
	compose_message(out, "{\"type\":\"CloseStream\"}");
}

static const struct reply_meaning meanings[] = {
	{ 400, REASON_CONFIG, "Deepgram does not accept our parameters: check "
			      "model, language and params" },
	{ 401, REASON_AUTH, "Deepgram does not know this API key: check "
			    "api-key-file" },
	{ 402, REASON_PAYMENT, "the account's balance is used up: top it up at "
			       "Deepgram" },
	{ 403, REASON_AUTH, "the key may not use this model: check its "
			    "permissions at Deepgram" },
	{ 429, REASON_QUOTA, "too many connections at once for this account" },
	{ 1008, REASON_CONFIG, "Deepgram cannot decode the audio (DATA-0000): "
			       "check encoding and params" },
	{ 1011, REASON_SERVER, "Deepgram had an error inside (NET-0000) or no "
			       "audio from us for 10 s (NET-0001)" },
	{ 0, REASON_NONE, NULL },
};

static enum reason_class meaning(unsigned code, const char **why)
{
	return reply_meaning(meanings, code, why);
}

/* -1 stands for "no word". */
static void tell_end(struct state *st, int64_t at_us,
		     const struct asr_sink *sink)
{
	if (!st->speaking)
		return;
	st->speaking = false;
	sink->speech(SPEECH_ENDED, at_us, sink->arg);
}

static int on_results(struct state *st, const json_t *msg,
		      const struct asr_sink *sink)
{
	const bool final = json_is_true(json_object_get(msg, "is_final"));
	struct asr_word *words;
	struct asr_result r;
	const int err = reply_results(&r, &words, msg);

	if (err)
		return err;
	r.state = final ? RESULT_FINAL : RESULT_PARTIAL;
	reply_counted(&st->count, &r, sink);
	if (final && json_is_true(json_object_get(msg, "speech_final")))
		tell_end(st, r.n_words ? r.words[r.n_words - 1].end_us
				       : r.end_us, sink);
	if (json_is_true(json_object_get(msg, "from_finalize")))
		sink->flushed(sink->arg);
	free(words);
	return 0;
}

static int on_metadata(const struct state *st, const struct asr_sink *sink)
{
	if (st->finishing) /* else it merely tells about itself */
		sink->done(sink->arg);
	return 0;
}

static int on_speech(struct state *st, const json_t *msg,
		     const struct asr_sink *sink)
{
	st->speaking = true;
	sink->speech(SPEECH_STARTED,
		     json_moment_us(json_object_get(msg, "timestamp")),
		     sink->arg);
	return 0;
}

static int on_error(const struct asr_session *s, const json_t *msg,
		    const struct asr_sink *sink)
{
	const char *text = json_text(msg, "description");

	if (!text || !*text)
		text = json_text(msg, "message");
	reply_refused(s, sink, meanings,
		      text && strstr(text, "DATA-0000") ? REASON_CONFIG
							: REASON_NONE,
		      json_code(json_object_get(msg, "code")), text);
	return 0;
}

static int on_message(const struct asr_session *s, json_t *msg,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const json_t *about = json_object_get(msg, "metadata");
	const char *type = json_text(msg, "type");

	if (json_object_get(msg, "type") && !type)
		return -EBADMSG;
	reply_session(&st->session,
		      json_object_get(about ? about : msg, "request_id"), sink);
	if (!type)
		return 1;
	if (!strcmp(type, "Results"))
		return on_results(st, msg, sink);
	if (!strcmp(type, "Metadata"))
		return on_metadata(st, sink);
	if (!strcmp(type, "SpeechStarted"))
		return on_speech(st, msg, sink);
	if (!strcmp(type, "Error"))
		return on_error(s, msg, sink);
	if (strcmp(type, "UtteranceEnd") != 0)
		return 1;
	tell_end(st, json_moment_us(json_object_get(msg, "last_word_end")),
		 sink);
	return 0;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	(void)now_us;
	return reply_parse(s, text, len, sink, on_message);
}

const struct asr_vendor asr_vendor_deepgram = {
	.name = "deepgram",
	.url = "wss://api.deepgram.com/v1/listen",
	.state_size = sizeof(struct state),
	.wires = asr_wires_telephone,
	.n_wires = ASR_WIRES_TELEPHONE,
	.chunk_min_ms = 20, .chunk_ms = 100, .chunk_max_ms = 250,
	.catchup = 1.25,
	/* silence, too: KeepAlive is worth nothing before the first audio, and
	 * what was said last is closed by it */
	.idle = ASR_IDLE_SILENCE,
	.idle_ms = 4000, .idle_first_ms = 1500, .idle_next_ms = 4000,
	.drain_ms = 5000, .drain_max_ms = 15000,
	.closer = ASR_SERVER_CLOSES,
	.check = check, .target = target, .headers = headers,
	.keepalive = keepalive, .flush = flush, .finish = finish,
	.meaning = meaning, .parse = parse,
};
