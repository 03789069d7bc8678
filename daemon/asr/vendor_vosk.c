/**
 * @file vendor_vosk.c  vosk-server, ASR that a site can host itself
 *
 * Source: github.com/alphacep/vosk-server, websocket/asr_server.py,
 * websocket-cpp/asr_server.cpp and client-samples, read in 2026.
 *
 *   -> GET /                             ws://host:2700, no authentication
 *   -> {"config":{"sample_rate":8000,"words":1,..}}      text; no answer
 *   -> binary: PCM s16le mono
 *   <- {"partial":"one two"}             or, when an utterance has ended,
 *      {"result":[{"conf":1.0,"start":0.1,"end":0.4,"word":"one"}],
 *       "text":"one"}                    or, with max_alternatives,
 *      {"alternatives":[{"text":"one","confidence":210.4,"result":[..]}]}
 *      exactly one answer to each audio message
 *   -> {"eof" : 1}                       these bytes: the server compares
 *   <- the last text; then the Python server closes, the C++ server waits
 *      for us to
 *
 * Times are seconds of audio on the connection.  Texts are often empty.  The
 * answer to the end is the last of as many answers as there were questions;
 * it looks like any other.
 *
 * `send_config=false` among the params is for the C++ server.  It takes its
 * settings from its command line and would hear a configuration as audio; it
 * answers text by binary, and compares the end as a C string that need not end
 * where the message does.  So the end goes out as binary with its NUL.
 *
 * Other params are members of "config" (phrase_list, max_alternatives ..);
 * the key model becomes one, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/asr/compose.h"
#include "daemon/asr/json.h"
#include "daemon/asr/reply.h"
#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"

static const char end_message[] = "{\"eof\" : 1}";

struct state {
	struct reply_count count;
	uint64_t asked, answered;   /* messages that are answered */
	bool finishing;
};

static const char *const ours[] = { "sample_rate", "model", NULL };
static const char *const filled_in[] = {
	"sample_rate", "model", "send_config", NULL
};

static bool config_wanted(const struct asr_settings *s)
{
	const char *said = compose_param(s, "send_config");

	return !said || (strcmp(said, "false") != 0 && strcmp(said, "no") != 0 &&
			 strcmp(said, "0") != 0);
}

static const char *check(const struct asr_settings *s)
{
	if (*s->language)
		return "Vosk's language is that of the model the server has "
		       "loaded: remove language";
	if (compose_params_clash(s, ours))
		return "sample_rate is the daemon's to say and model has a key "
		       "of its own: remove them from params";
	if (!config_wanted(s) && (*s->model || s->n_params > 1))
		return "with send_config=false nothing can be configured: "
		       "remove model and the other params";
	return NULL;
}

static void hello(const struct asr_session *s, struct asr_message *out)
{
	const struct asr_settings *set = s->settings;
	struct buf *b = &out->bytes;

	out->binary = false;
	if (!config_wanted(set))
		return;
	buf_printf(b, "{\"config\":{\"sample_rate\":%s", compose_rate(set));
	if (!compose_param(set, "words"))
		buf_puts(b, ",\"words\":1");
	if (*set->model) {
		buf_puts(b, ",\"model\":");
		compose_string(b, set->model);
	}
	compose_params(b, set, filled_in);
	buf_puts(b, "}}");
}

static void audio(const struct asr_session *s, const uint8_t *data, size_t len,
		  struct asr_message *out)
{
	struct state *st = s->state;

	st->asked++;
	out->binary = true;
	buf_add(&out->bytes, data, len);
}

static void finish(const struct asr_session *s, struct asr_message *out)
{
	struct state *st = s->state;

	st->asked++;
	st->finishing = true;
	compose_message(out, end_message);
	if (!config_wanted(s->settings)) {
		out->binary = true;
		buf_add(&out->bytes, "", 1);
	}
}

static int on_final(struct state *st, json_t *from, const json_t *confidence,
		    const struct asr_sink *sink)
{
	static const struct json_word_names names = {
		.text = "word", .start = "start", .end = "end",
		.confidence = "conf",
	};
	const char *text = json_transcript(from, "text");
	struct asr_word *words = NULL;
	struct asr_result r = {
		.state = RESULT_FINAL, .text = text ? text : "",
		.start_us = TIME_UNKNOWN, .end_us = TIME_UNKNOWN,
		.confidence = json_confidence(confidence),
	};

	if (!text && json_object_get(from, "text"))
		return -EBADMSG;
	json_words(&words, &r.n_words, json_object_get(from, "result"), &names);
	r.words = words;
	reply_times_of_words(&r);
	const bool wild = reply_is_wild(&r);
	if (!wild)
		reply_counted(&st->count, &r, sink);
	free(words);
	return wild ? -EBADMSG : 0;
}

static int on_partial(struct state *st, json_t *msg, const struct asr_sink *sink)
{
	const char *text = json_transcript(msg, "partial");
	struct asr_result r = {
		.state = RESULT_PARTIAL, .text = text, .confidence = -1,
		.start_us = TIME_UNKNOWN, .end_us = TIME_UNKNOWN,
	};

	if (!text)
		return -EBADMSG;
	reply_counted(&st->count, &r, sink);
	return 0;
}

/* 1: it is no answer. */
static int on_answer(struct state *st, json_t *msg, const struct asr_sink *sink)
{
	const json_t *list = json_object_get(msg, "alternatives");
	json_t *best = json_array_get(list, 0);

	if (json_object_get(msg, "partial"))
		return on_partial(st, msg, sink);
	if (list)
		return on_final(st, best, json_object_get(best, "confidence"),
				sink);
	if (json_object_get(msg, "text"))
		return on_final(st, msg, NULL, sink);
	return 1;
}

static int on_message(const struct asr_session *s, json_t *msg,
		      const struct asr_sink *sink)
{
	struct state *st = s->state;
	const int ret = on_answer(st, msg, sink);

	st->answered += ret != 1;
	if (st->finishing && ret != 1 && st->answered >= st->asked)
		sink->done(sink->arg);
	return ret;
}

static int parse(const struct asr_session *s, const char *text, size_t len,
		 uint64_t now_us, const struct asr_sink *sink)
{
	(void)now_us;
	return reply_parse(s, text, len, sink, on_message);
}

static const struct asr_wire wires[] = {
	{ ASR_PCM_S16LE, 8000 }, /* its default; models for telephony have it */
	{ ASR_PCM_S16LE, 16000 },
};

const struct asr_vendor asr_vendor_vosk = {
	.name = "vosk",
	.url = "ws://127.0.0.1:2700",
	.state_size = sizeof(struct state),
	.wires = wires,
	.n_wires = ARRAY_LEN(wires),
	.chunk_min_ms = 100, .chunk_ms = 200, .chunk_max_ms = 1000,
	.lock_step = true,
	.idle = ASR_IDLE_NONE,
	.drain_ms = 5000, .drain_max_ms = 30000,
	.closer = ASR_CLIENT_CLOSES,
	.check = check, .hello = hello, .audio = audio, .finish = finish,
	.parse = parse,
};
