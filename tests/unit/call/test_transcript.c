/** @file test_transcript.c  daemon/call/transcript.c */
#include "daemon/call/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

/* What happens: a result, ours to close one, a reconnect.  What is published:
 * "number.rev state start-end", '!' for an overlap, "" for nothing. */
enum kind { END, PARTIAL, FINAL, RETRACT, CLOSE_FINAL, CLOSE_RETRACT,
	    RECONNECT };

struct step {
	enum kind kind;
	unsigned connection;
	const char *key, *text;
	uint64_t start, end;
	const char *want;
	uint64_t settled;
};

enum { STEPS = 12 };

static const struct {
	const char *name;
	struct step steps[STEPS];
} rows[] = {
	{ "partials, then the final", {
		{ PARTIAL, 1, "a", "he", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 1, "a", "hello", 0, 160, "1.2 partial 0-160", 0 },
		{ FINAL, 1, "a", "Hello.", 0, 240, "1.3 final 0-240", 240 },
		{ PARTIAL, 1, "b", "x", 240, 300, "2.1 partial 240-300", 240 },
		{ FINAL, 1, "b", "X", 240, 320, "2.2 final 240-320", 320 } } },
	{ "a final alone", {
		{ FINAL, 1, "a", "Hello.", 5, 240, "1.1 final 5-240", 240 } } },
	{ "a final repeated word for word", {
		{ FINAL, 1, "a", "Hi", 0, 80, "1.1 final 0-80", 80 },
		{ FINAL, 1, "a", "Hi", 0, 80, "", 80 },
		{ FINAL, 1, "a", "Hi!", 0, 80, "1.2 final 0-80", 80 },
		{ FINAL, 1, "a", "Hi!", 0, 90, "1.3 final 0-90", 90 },
		{ FINAL, 1, "a", "Hi!", 0, 90, "", 90 } } },
	{ "a partial behind its final is late", {
		{ FINAL, 1, "a", "Hi", 0, 80, "1.1 final 0-80", 80 },
		{ PARTIAL, 1, "a", "H", 0, 60, "", 80 } } },
	{ "two at once", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 1, "b", "y", 80, 160, "2.1 partial 80-160", 0 },
		{ FINAL, 1, "b", "Y", 80, 160, "2.2 final 80-160", 160 },
		{ FINAL, 1, "a", "X", 0, 80, "1.2 final 0-80", 160 } } },
	{ "empty partials say nothing", {
		{ PARTIAL, 1, "a", "", 0, 80, "", 0 },
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 1, "a", "", 0, 90, "", 0 } } },
	{ "an empty final settles silence", {
		{ FINAL, 1, "a", "", 0, 8000, "", 8000 },
		{ FINAL, 1, "b", "X", 8000, 9000, "1.1 final 8000-9000",
		  9000 } } },
	{ "an empty final takes its partial back", {
		{ PARTIAL, 1, "a", "noise", 0, 80, "1.1 partial 0-80", 0 },
		{ FINAL, 1, "a", "", 0, 160, "1.2 retracted 0-160", 160 } } },
	{ "retractions", {
		{ RETRACT, 1, "a", "", 0, 80, "", 0 },
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ RETRACT, 1, "a", "", 0, 80, "1.2 retracted 0-80", 0 },
		{ RETRACT, 1, "a", "", 0, 80, "", 0 },
		{ FINAL, 1, "b", "y", 0, 80, "2.1 final 0-80", 80 },
		{ RETRACT, 1, "b", "y", 0, 80, "2.2 retracted 0-80", 80 },
		{ RETRACT, 1, "b", "y", 0, 80, "", 80 },
		{ FINAL, 1, "b", "y", 0, 80, "2.3 final 0-80", 80 } } },
	{ "closed by us, oldest first", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 1, "b", "y", 80, 160, "2.1 partial 80-160", 0 },
		{ PARTIAL, 1, "a", "x2", 0, 90, "1.2 partial 0-90", 0 },
		{ CLOSE_FINAL, 0, 0, 0, 0, 0, "1.3 final 0-90", 90 },
		{ CLOSE_RETRACT, 0, 0, 0, 0, 0, "2.2 retracted 80-160", 90 },
		{ CLOSE_FINAL, 0, 0, 0, 0, 0, "", 90 } } },
	{ "closed by us, of one connection", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 2, "a", "y", 80, 160, "2.1 partial 80-160", 0 },
		{ CLOSE_FINAL, 2, 0, 0, 0, 0, "2.2 final 80-160", 160 },
		{ CLOSE_FINAL, 2, 0, 0, 0, 0, "", 160 },
		{ CLOSE_FINAL, 3, 0, 0, 0, 0, "", 160 },
		{ CLOSE_FINAL, 0, 0, 0, 0, 0, "1.2 final 0-80", 160 } } },
	{ "the service's final behind ours", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ CLOSE_FINAL, 0, 0, 0, 0, 0, "1.2 final 0-80", 80 },
		{ FINAL, 1, "a", "X y.", 0, 100, "1.3 final 0-100", 100 } } },
	{ "... which says the same", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ CLOSE_FINAL, 0, 0, 0, 0, 0, "1.2 final 0-80", 80 },
		{ FINAL, 1, "a", "x", 0, 80, "", 80 } } },
	{ "ours void, theirs too", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ CLOSE_RETRACT, 0, 0, 0, 0, 0, "1.2 retracted 0-80", 0 },
		{ RETRACT, 1, "a", "", 0, 80, "", 0 } } },
	{ "keys are a connection's own", {
		{ FINAL, 1, "0", "x", 0, 80, "1.1 final 0-80", 80 },
		{ .kind = RECONNECT },
		{ FINAL, 2, "0", "y", 80, 160, "2.1 final 80-160", 160 } } },
	{ "settled before is not told twice", {
		{ FINAL, 1, "a", "x", 0, 800, "1.1 final 0-800", 800 },
		{ .kind = RECONNECT, .settled = 800 },
		{ PARTIAL, 2, "a", "x", 0, 800, "", 800 },
		{ FINAL, 2, "a", "x", 0, 800, "", 800 },
		{ FINAL, 2, "b", "y", 700, 799, "", 800 },
		{ FINAL, 2, "c", "z", 799, 801, "2.1 final 799-801!", 801 },
		{ FINAL, 2, "d", "w", 800, 900, "3.1 final 800-900", 900 } } },
	{ "settled now is told again", {
		{ FINAL, 1, "a", "x", 0, 800, "1.1 final 0-800", 800 },
		{ FINAL, 1, "b", "y", 0, 800, "2.1 final 0-800", 800 } } },
	{ "a service without ids says it twice", {
		{ FINAL, 1, "a", "x", 0, 800, "1.1 final 0-800", 800 },
		{ FINAL, 1, "b", "x", 0, 800, "", 800 },
		{ FINAL, 1, "c", "x", 800, 900, "2.1 final 800-900", 900 } } },
	{ "one that began as new stays so", {
		{ FINAL, 1, "a", "x", 0, 800, "1.1 final 0-800", 800 },
		{ .kind = RECONNECT, .settled = 800 },
		{ PARTIAL, 2, "a", "y", 700, 900, "2.1 partial 700-900!", 800 },
		{ FINAL, 2, "a", "y", 700, 790, "2.2 final 700-790!",
		  800 } } },
	{ "a lost connection takes no other's open ones along", {
		{ PARTIAL, 1, "a", "x", 0, 80, "1.1 partial 0-80", 0 },
		{ PARTIAL, 2, "a", "y", 80, 160, "2.1 partial 80-160", 0 },
		{ CLOSE_RETRACT, 2, 0, 0, 0, 0, "2.2 retracted 80-160", 0 },
		{ .kind = RECONNECT },
		{ FINAL, 1, "a", "X", 0, 80, "1.2 final 0-80", 80 },
		{ PARTIAL, 3, "a", "y", 80, 160, "3.1 partial 80-160",
		  80 } } },
};

static const struct transcript_segment *take(struct transcript *t,
					     const struct step *s)
{
	const struct asr_result r = {
		.state = s->kind == PARTIAL ? RESULT_PARTIAL
			 : s->kind == FINAL ? RESULT_FINAL
					    : RESULT_RETRACTED,
		.key = s->key, .text = s->text, .start_us = 0, .end_us = 0, .confidence = -1,
	};

	switch (s->kind) {
	case RECONNECT:
		transcript_reconnect(t);
		return NULL;
	case CLOSE_FINAL:
		return transcript_close(t, s->connection, SEGMENT_FINAL);
	case CLOSE_RETRACT:
		return transcript_close(t, s->connection, SEGMENT_RETRACTED);
	default:
		return transcript_result(t, s->connection, &r, s->start,
					 s->end);
	}
}

/* A final without times says nothing of what was sent last: that is kept. */
static void test_a_final_without_times_settles_less(void **state)
{
	const struct asr_result r = {
		.state = RESULT_FINAL, .key = "1", .text = "x",
		.start_us = TIME_UNKNOWN, .end_us = TIME_UNKNOWN,
		.confidence = -1,
	};
	struct transcript *t;

	(void)state;
	assert_int_equal(transcript_new(&t), 0);
	assert_non_null(transcript_result(t, 1, &r, 0, 10000));
	assert_int_equal(transcript_settled(t), 0);
	assert_non_null(transcript_result(t, 1, &r, 0, 40000));
	assert_int_equal(transcript_settled(t), 40000 - TRANSCRIPT_UNTIMED);

	/* what is sent again was told before: the next one says so */
	const struct transcript_segment *s;

	transcript_reconnect(t);
	s = transcript_result(t, 2, &r, 30000, 60000);
	assert_true(s && s->overlap);
	transcript_free(t);
}

static const char *shown(const struct transcript_segment *s)
{
	static const char *const states[] = { "partial", "final",
					      "retracted" };
	static char out[100];

	if (!s)
		return "";
	snprintf(out, sizeof(out), "%u.%u %s %u-%u%s", (unsigned)s->number,
		 (unsigned)s->rev, states[s->state], (unsigned)s->start,
		 (unsigned)s->end, s->overlap ? "!" : "");
	return out;
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct transcript *t;

		print_message("row: %s\n", rows[r].name);
		assert_int_equal(transcript_new(&t), 0);
		for (size_t i = 0; i < STEPS && rows[r].steps[i].kind; i++) {
			const struct step *s = &rows[r].steps[i];
			const struct transcript_segment *got = take(t, s);

			print_message("row: step %zu\n", i + 1);
			assert_string_equal(shown(got), s->want ? s->want : "");
			if (s->kind != RECONNECT)
				assert_int_equal(transcript_settled(t),
						 s->settled);
			if (got && s->key) {
				assert_string_equal(got->key, s->key);
				assert_int_equal(got->connection,
						 s->connection);
			}
		}
		transcript_free(t);
	}
	transcript_free(NULL);
}

static const struct transcript_segment *
result(struct transcript *t, enum kind kind, const char *key, const char *text,
       uint64_t end)
{
	return take(t, &(struct step){ .kind = kind, .connection = 1,
				       .key = key, .text = text,
				       .end = end });
}

static void test_the_text_of_a_closed_one_is_its_last_partial(void **state)
{
	struct transcript *t;
	char text[] = "one two";

	(void)state;
	assert_int_equal(transcript_new(&t), 0);
	result(t, PARTIAL, "a", "one", 80);
	result(t, PARTIAL, "a", text, 90);
	memset(text, 'x', sizeof(text) - 1); /* it was copied */
	assert_string_equal(transcript_close(t, 0, SEGMENT_FINAL)->text,
			    "one two");
	const struct transcript_segment *s =
		result(t, FINAL, "b", "three", 200);
	assert_null(s->text);
	transcript_free(t);
}

/* Keys of any length are told apart; what is kept of one is UTF-8. */
static void test_long_keys(void **state)
{
	static const size_t lengths[] = { TRANSCRIPT_KEY - 1, TRANSCRIPT_KEY,
					  TRANSCRIPT_KEY + 1, 5000 };
	static char a[6000], b[6000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		const size_t n = lengths[i];
		struct transcript *t;

		print_message("row: %zu bytes\n", n);
		assert_int_equal(transcript_new(&t), 0);
		memset(a, 'k', n);
		memset(b, 'k', n);
		a[n] = b[n] = '\0';
		b[n - 1] = 'j';
		assert_int_equal(result(t, PARTIAL, a, "x", 80)->number, 1);
		assert_int_equal(result(t, PARTIAL, b, "y", 80)->number, 2);
		assert_int_equal(result(t, FINAL, a, "x", 80)->number, 1);
		const struct transcript_segment *s =
			result(t, FINAL, b, "y", 80);
		assert_int_equal(s->number, 2);
		assert_true(strlen(s->key) < TRANSCRIPT_KEY);
		if (n < TRANSCRIPT_KEY)
			assert_string_equal(s->key, b);
		transcript_free(t);
	}
}

static void test_long_keys_are_cut_between_characters(void **state)
{
	char key[200] = "";

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		struct transcript *t;

		assert_int_equal(transcript_new(&t), 0);
		memset(key, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(key); i += 3)
			memcpy(key + i, "\xe2\x82\xac", 4);
		const struct transcript_segment *s =
			result(t, FINAL, key, "x", 80);
		assert_non_null(s);
		const size_t tail = strcspn(s->key, "~");
		assert_int_equal((tail - shift) % 3, 0);
		assert_true(tail >= 36);
		transcript_free(t);
	}
}

/* More than it can know at a time: closed ones go first, numbers never come
 * back, and an open one that has to go is not left open in silence. */
static void test_more_than_64(void **state)
{
	struct transcript *t;
	char key[16];

	(void)state;
	assert_int_equal(transcript_new(&t), 0);
	assert_int_equal(result(t, PARTIAL, "open", "x", 80)->number, 1);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(key, sizeof(key), "%u", i);
		assert_int_equal(result(t, FINAL, key, key, 100)->number,
				 i + 2);
	}
	/* the newest are known, the open one as well, the oldest are not */
	assert_null(transcript_crowded(t, 1, "another"));
	assert_null(result(t, FINAL, "199", "199", 100));
	assert_null(result(t, FINAL, "140", "140", 100));
	assert_int_equal(result(t, PARTIAL, "open", "x2", 90)->number, 1);
	assert_int_equal(result(t, FINAL, "0", "y", 100)->number, 202);
	transcript_free(t);

	assert_int_equal(transcript_new(&t), 0);
	for (unsigned i = 0; i < 500; i++) {
		const struct transcript_segment *gone;

		snprintf(key, sizeof(key), "%u", i);
		gone = transcript_crowded(t, 1, key);
		if (i < TRANSCRIPT_OPEN) {
			assert_null(gone);
		} else {
			/* each that goes is told of, before it is forgotten */
			assert_int_equal(gone->number, i - TRANSCRIPT_OPEN + 1);
			assert_int_equal(gone->state, SEGMENT_RETRACTED);
			assert_int_equal(gone->rev, 2);
			assert_null(transcript_crowded(t, 1, key));
		}
		assert_int_equal(result(t, PARTIAL, key, "y", 100)->number,
				 i + 1);
		assert_null(transcript_crowded(t, 1, key)); /* it is known */
	}
	assert_int_equal(transcript_settled(t), 0);
	for (unsigned i = 0; i < TRANSCRIPT_OPEN; i++)
		assert_int_equal(transcript_close(t, 0, SEGMENT_FINAL)->number,
				 500 - TRANSCRIPT_OPEN + 1 + i);
	assert_null(transcript_close(t, 0, SEGMENT_FINAL));
	transcript_free(t);
}

/* Whatever a service says: numbers rise, revisions count, nothing settled goes
 * back, what is open is closed in the end, once. */
static void test_any_service(void **state)
{
	static uint64_t revs[100000];
	static bool open[100000];

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct transcript *t;
		uint64_t highest = 0, settled = 0;
		unsigned connection = 1;

		rng_seed(round + 1);
		memset(revs, 0, sizeof(revs));
		memset(open, 0, sizeof(open));
		assert_int_equal(transcript_new(&t), 0);
		for (unsigned i = 0; i < 3000; i++) {
			char key[8];
			const uint64_t start = rng(5000);
			struct step s = {
				.kind = PARTIAL + rng(100) % 3,
				.connection = connection, .key = key,
				.text = rng(5) ? rng(2) ? "a" : "b" : "",
				.start = start, .end = start + rng(500),
			};

			/* never more open than it can know */
			snprintf(key, sizeof(key), "%u", (unsigned)rng(60));
			if (rng(200) == 0) {
				const struct transcript_segment *x;
				uint64_t from;

				while (transcript_open_from(t, connection,
							    &from) &&
				       (x = transcript_close(
						t, connection,
						SEGMENT_RETRACTED))) {
					assert_true(open[x->number]);
					assert_int_equal(x->start, from);
					open[x->number] = false;
					assert_int_equal(x->rev,
							 ++revs[x->number]);
				}
				assert_null(transcript_close(
					t, connection, SEGMENT_RETRACTED));
				transcript_reconnect(t);
				connection++;
				continue;
			}
			const struct transcript_segment *x = take(t, &s);
			assert_true(transcript_settled(t) >= settled);
			settled = transcript_settled(t);
			if (!x)
				continue;
			assert_true(x->number <= highest + 1);
			highest = x->number > highest ? x->number : highest;
			assert_int_equal(x->rev, ++revs[x->number]);
			open[x->number] = x->state == SEGMENT_PARTIAL;
		}
		for (const struct transcript_segment *x;
		     (x = transcript_close(t, 0, SEGMENT_FINAL));) {
			assert_true(open[x->number]);
			open[x->number] = false;
		}
		for (uint64_t n = 0; n <= highest; n++)
			assert_false(open[n]);
		transcript_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_a_final_without_times_settles_less),
		cmocka_unit_test(
			test_the_text_of_a_closed_one_is_its_last_partial),
		cmocka_unit_test(test_long_keys),
		cmocka_unit_test(test_long_keys_are_cut_between_characters),
		cmocka_unit_test(test_more_than_64),
		cmocka_unit_test(test_any_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
