/**
 * @file say.h  What a vendor's parse() reports, as the lines of a .want file
 *
 *   session ID                 ready                 flushed          done
 *   partial|final|retracted key=KEY START END CONFIDENCE LANGUAGE |TEXT|
 *     word START END CONFIDENCE |TEXT|
 *   speech started|ended AT    refused CLASS CODE |WORDS|
 *
 * Times in microseconds; "?" is what was not given.
 */
#pragma once

#include <string.h>

#include "daemon/asr/vendor.h"

static void say_time(struct buf *b, int64_t us)
{
	if (us == TIME_UNKNOWN)
		buf_puts(b, " ?");
	else
		buf_printf(b, " %lld", (long long)us);
}

static void say_confidence(struct buf *b, double c)
{
	if (c < 0)
		buf_puts(b, " ?");
	else
		buf_printf(b, " %g", c);
}

/* A long text is told by its length and its end. */
static void say_text(struct buf *b, const char *text)
{
	const size_t len = strlen(text);

	if (len > 400)
		buf_printf(b, " (%zu bytes) ...%s", len, text + len - 12);
	else
		buf_printf(b, " |%s|", text);
}

static void on_ready(void *arg)
{
	buf_puts(arg, "ready\n");
}

static void on_session(const char *id, void *arg)
{
	buf_printf(arg, "session %s\n", id);
}

static void on_result(const struct asr_result *r, void *arg)
{
	static const char *const states[] = { "partial", "final", "retracted" };
	struct buf *b = arg;

	buf_printf(b, "%s key=%s", states[r->state], r->key);
	say_time(b, r->start_us);
	say_time(b, r->end_us);
	say_confidence(b, r->confidence);
	buf_printf(b, " %s%s", r->language ? r->language : "?",
		   r->synthesised ? " synthesised" : "");
	say_text(b, r->text);
	buf_puts(b, "\n");
	if (r->n_words > 8) {
		buf_printf(b, "  %zu words\n", r->n_words);
		return;
	}
	for (size_t i = 0; i < r->n_words; i++) {
		buf_puts(b, "  word");
		say_time(b, r->words[i].start_us);
		say_time(b, r->words[i].end_us);
		say_confidence(b, r->words[i].confidence);
		say_text(b, r->words[i].text);
		buf_puts(b, "\n");
	}
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	buf_printf(arg, "speech %s", e == SPEECH_STARTED ? "started" : "ended");
	say_time(arg, at_us);
	buf_puts(arg, "\n");
}

static void on_flushed(void *arg)
{
	buf_puts(arg, "flushed\n");
}

static void on_refused(enum reason_class c, unsigned code, const char *why,
		       void *arg)
{
	buf_printf(arg, "refused %s %u", reason_name(c), code);
	say_text(arg, why);
	buf_puts(arg, "\n");
}

static void on_done(void *arg)
{
	buf_puts(arg, "done\n");
}

static struct asr_sink sink_to(struct buf *b)
{
	return (struct asr_sink){
		.ready = on_ready, .session = on_session, .result = on_result,
		.speech = on_speech, .flushed = on_flushed,
		.refused = on_refused, .done = on_done, .arg = b,
	};
}
