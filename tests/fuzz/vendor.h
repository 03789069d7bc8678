/**
 * @file vendor.h  What a service sends, into its vendor's parser
 *
 * A target is fuzz_vendor_<name>.c: it defines FUZZ_VENDOR, the name, and
 * includes this file.  Seeds are the samples in tests/data/asr/<name>/.
 *
 * Input: messages, one a line, all in one session, and lines that begin with
 * '@' for what happens in between, as in the samples: @tick MS, @audio,
 * @keepalive, @flush, @finish, @end.  jansson is not instrumented, so a mutator
 * of our own changes values and members instead of bytes: what it makes is
 * still JSON and reaches the code behind the parser.
 */
#pragma once

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "daemon/asr/json.h"
#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

/* -- what a result must keep, whatever came --------------------------------- */

static uint64_t seen; /* reads every byte of a text, for the sanitizer */

static void check_text(const char *text, size_t most)
{
	const size_t len = strlen(text);

	must(len <= most);
	must(utf8_valid(text, len));
	seen += len;
}

static void check_times(int64_t start_us, int64_t end_us)
{
	must(start_us == TIME_UNKNOWN || start_us >= 0);
	must(end_us == TIME_UNKNOWN || end_us >= 0);
	must(start_us <= JSON_TIME_MAX_US && end_us <= JSON_TIME_MAX_US);
	must(start_us == TIME_UNKNOWN || end_us == TIME_UNKNOWN ||
	     start_us <= end_us);
}

static void on_result(const struct asr_result *r, void *arg)
{
	(void)arg;
	check_text(r->text, RESULT_TEXT_MAX);
	check_text(r->key, 128);
	must(*r->key);
	if (r->language)
		check_text(r->language, 256 * 1024);
	check_times(r->start_us, r->end_us);
	must(r->confidence <= 1);
	must(r->n_words <= RESULT_WORDS_MAX);
	for (size_t i = 0; i < r->n_words; i++) {
		check_text(r->words[i].text, 256 * 1024);
		check_times(r->words[i].start_us, r->words[i].end_us);
		must(r->words[i].confidence <= 1);
	}
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static void on_session(const char *id, void *arg)
{
	(void)arg;
	check_text(id, 256 * 1024);
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	(void)e;
	(void)arg;
	check_times(at_us, TIME_UNKNOWN);
}

static void on_refused(enum reason_class c, unsigned code, const char *why,
		       void *arg)
{
	(void)arg;
	must(c > REASON_NONE && c < REASON_CLASSES);
	must(code <= 65535);
	check_text(why, 256 * 1024);
}

/* -- one input ---------------------------------------------------------------- */

static const struct asr_sink sink = {
	.ready = on_nothing, .session = on_session, .result = on_result,
	.speech = on_speech, .flushed = on_nothing, .refused = on_refused,
	.done = on_nothing,
};

struct session {
	const struct asr_vendor *vendor;
	struct asr_session s;
	uint64_t now_us;
	bool good;                  /* a message was understood */
};

static void send_one(const struct session *se,
		     void (*make)(const struct asr_session *s,
				  struct asr_message *out))
{
	struct asr_message m = {0};

	if (make)
		make(&se->s, &m);
	buf_free(&m.bytes);
}

static bool is(const char *line, size_t n, const char *word)
{
	const size_t len = strlen(word);

	return n >= len && !memcmp(line, word, len);
}

static void act(struct session *se, const char *line, size_t n)
{
	static const uint8_t audio[2];
	const struct asr_vendor *v = se->vendor;
	struct asr_message m = {0};
	uint64_t ms = 100;

	if (is(line, n, "@tick ") &&
	    number_parse(&ms, line + 6, n - 6, 3600000))
		ms = 100;
	se->now_us += ms * 1000;
	if (is(line, n, "@audio") && v->audio)
		v->audio(&se->s, audio, sizeof(audio), &m);
	buf_free(&m.bytes);
	if (is(line, n, "@keepalive"))
		send_one(se, v->keepalive);
	else if (is(line, n, "@flush"))
		send_one(se, v->flush);
	else if (is(line, n, "@finish"))
		send_one(se, v->finish);
	else if (v->tick)
		v->tick(&se->s, se->now_us, is(line, n, "@end"), &sink);
}

static void feed(struct session *se, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	must(copy);
	memcpy(copy, text, len);
	const int ret = se->vendor->parse(&se->s, copy, len, se->now_us, &sink);

	must(ret == 0 || ret == 1 || ret == -EBADMSG);
	se->good |= ret == 0;
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!utf8_valid((const char *)data, len))
		return -1; /* the websocket layer lets no such text through */

	const struct asr_vendor *v = asr_vendor_by_name(FUZZ_VENDOR);
	const struct asr_settings settings = {
		.target = "/", .host = "asr.example", .model = "m",
		.language = "", .customer_id = "", .key = "key",
		.wire = v->wires[0], .chunk_ms = v->chunk_ms,
	};
	struct session se = {
		.vendor = v, .now_us = 1,
		.s = { .settings = &settings, .id = "id",
		       .state = v->state_size ? calloc(1, v->state_size) : NULL },
	};
	const char *at = (const char *)data, *const end = at + len;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const size_t n = (size_t)((line ? line : end) - at);

		if (n > 0 && *at == '@')
			act(&se, at, n);
		else
			feed(&se, at, n);
		at += n + (line != NULL);
	}
	if (v->close)
		v->close(&se.s);
	free(se.s.state);
	fuzz_count_input(se.good);
	return 0;
}

/* -- the mutator: values and members, not bytes ---------------------------------- */

static unsigned chance;

static unsigned roll(unsigned n)
{
	chance = chance * 1664525u + 1013904223u;
	return (chance >> 8) % n;
}

static json_t *odd_value(void)
{
	static const char *const texts[] = {
		"", "a", "partial", "complete", "true", "400", "-1", "c1",
		"\xe0\xa4\xa8\xe0\xa4\xae", "unnamed 0", "\n", "key",
		"final", "Results", "UtteranceEnd", "Final", "1", "2", "a b",
	};
	static const double reals[] = { 0.0, -0.0, -1.5, 1e-9, 0.5, 1.0, 1.5,
					172800, 172800.5, 1e18, 1e300 };
	static const json_int_t ints[] = { 0, 1, -1, 400, 401, 500, 65536,
					   INT64_MAX, INT64_MIN };
	json_t *deep;

	switch (roll(8)) {
	case 0: return json_null();
	case 1: return json_true();
	case 2: return json_false();
	case 3: return json_string(texts[roll(ARRAY_LEN(texts))]);
	case 4: return json_real(reals[roll(ARRAY_LEN(reals))]);
	case 5: return json_integer(ints[roll(ARRAY_LEN(ints))]);
	case 6: return json_object();
	}
	deep = json_array();
	for (unsigned n = roll(34); n > 0; n--) {
		json_t *outer = json_array();

		json_array_append_new(outer, deep);
		deep = outer;
	}
	return deep;
}

static void mutate_value(json_t *v, unsigned depth);

static void mutate_object(json_t *v, unsigned depth)
{
	static const char *const names[] = {
		"type", "text", "segment_id", "call_id", "eos", "error", "code",
		"message", "segment_meta", "timestamps", "start_time", "words",
		"confidence", "language_code", "word", "end_time", "is_final",
		"start", "end", "duration", "transcript", "segments", "id",
		"channel", "alternatives", "checkpoint_id", "object", "trace_id",
		"is_last", "transcription", "utterances", "partial", "result",
		"last_word_end", "speech_final", "timestamp", "status",
	};
	unsigned nth = roll((unsigned)json_object_size(v) + 1);
	const char *name = names[roll(ARRAY_LEN(names))];
	json_t *child = NULL;
	void *it = json_object_iter(v);

	for (; it && nth > 0; nth--)
		it = json_object_iter_next(v, it);
	if (it) {
		name = json_object_iter_key(it);
		child = json_object_iter_value(it);
	}
	if (child && depth < 8 && roll(3) > 0 &&
	    (json_is_object(child) || json_is_array(child)))
		mutate_value(child, depth + 1);
	else if (child && roll(4) == 0)
		json_object_del(v, name);
	else
		json_object_set_new(v, name, odd_value());
}

static void mutate_value(json_t *v, unsigned depth)
{
	const size_t n = json_array_size(v);

	if (json_is_object(v)) {
		mutate_object(v, depth);
	} else if (n == 0 || roll(4) == 0) {
		json_array_append_new(v, odd_value());
	} else {
		const size_t i = roll((unsigned)n);
		json_t *child = json_array_get(v, i);

		if (depth < 8 && roll(3) > 0 &&
		    (json_is_object(child) || json_is_array(child)))
			mutate_value(child, depth + 1);
		else if (roll(3) == 0)
			json_array_remove(v, i);
		else if (roll(2) == 0)
			json_array_append(v, child);
		else
			json_array_set_new(v, i, odd_value());
	}
}

/* Change one line of the input; 0: it is no JSON, or does not fit. */
static size_t mutate_line(uint8_t *data, size_t size, size_t max, size_t at,
			  size_t n)
{
	json_t *doc = json_loadb((const char *)data + at, n, 0, NULL);
	size_t total = 0;

	if (!doc || (!json_is_object(doc) && !json_is_array(doc))) {
		json_decref(doc);
		return 0;
	}
	const bool twice = roll(8) == 0;

	for (unsigned k = 1 + roll(3); k > 0 && !twice; k--)
		mutate_value(doc, 0);
	char *text = json_dumps(doc, JSON_COMPACT);
	const size_t len = text ? strlen(text) : 0;
	const size_t grown = len + (twice ? n + 1 : 0);

	if (text && size - n + grown <= max) {
		memmove(data + at + grown, data + at + n, size - at - n);
		if (twice) /* the same again, as a service may */
			data[at + n] = '\n';
		memcpy(data + at + grown - len, text, len);
		total = size - n + grown;
	}
	free(text);
	json_decref(doc);
	return total;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	size_t at = 0;

	chance = seed;
	if (size < 2 || roll(10) == 0)
		return LLVMFuzzerMutate(data, size, max);
	for (unsigned skip = roll(4);;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		const size_t n = end ? (size_t)(end - data) - at : size - at;

		if (skip-- == 0 || !end || at + n + 1 >= size) {
			const size_t done = mutate_line(data, size, max, at, n);

			return done ? done : LLVMFuzzerMutate(data, size, max);
		}
		at += n + 1;
	}
}
