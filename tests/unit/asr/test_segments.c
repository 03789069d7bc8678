/** @file test_segments.c  The map of segments and its bounds */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/asr/segments.h"
#include "daemon/base/array.h"
#include "tests/unit/asr/say.h"

static struct segments s;
static struct buf got;

static void say(int64_t id, const char *text, const char *words, uint64_t now_us)
{
	const struct asr_sink sink = sink_to(&got);
	struct segment_said said = {
		.r = { .text = text, .start_us = TIME_UNKNOWN,
		       .end_us = TIME_UNKNOWN, .confidence = -1 },
		.judged = *words, .final = *words == 'f',
	};

	segments_said(&s, id, &said, now_us, &sink);
}

static void must_be(const char *want)
{
	assert_int_equal(0, got.err);
	assert_string_equal(want, buf_str(&got));
	buf_clear(&got);
	if (got.data)
		got.data[0] = '\0';
}

static int begin(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return 0;
}

static int end(void **state)
{
	(void)state;
	segments_free(&s);
	buf_free(&got);
	return 0;
}

/* The ninth open one closes the lowest, whatever came last. */
static void test_open_ones_are_few(void **state)
{
	char text[8];

	(void)state;
	for (int i = 0; i < SEGMENTS_OPEN; i++) {
		snprintf(text, sizeof(text), "t%d", i);
		say(10 + i, text, "no", 0);
	}
	assert_null(strstr(buf_str(&got), "final"));
	buf_clear(&got);
	say(5, "low", "no", 0);
	must_be("partial key=5 ? ? ? ? |low|\n"
		"final key=10 ? ? ? ? synthesised |t0|\n");
	say(6, "next", "no", 0);
	must_be("partial key=6 ? ? ? ? |next|\n"
		"final key=5 ? ? ? ? synthesised |low|\n");
}

/* What is behind the oldest known is not changed any more. */
static void test_known_ones_are_bounded(void **state)
{
	(void)state;
	for (int i = 0; i <= SEGMENTS_KNOWN; i++)
		say(i, "x", "final", 0);
	assert_int_equal(SEGMENTS_KNOWN, s.n);
	buf_clear(&got);
	say(0, "changed", "final", 0);
	must_be("");
	say(1, "changed", "final", 0);
	must_be("final key=1 ? ? ? ? |changed|\n");
	say(INT64_MAX, "beyond", "final", 0);
	must_be("");
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.all[i - 1].id < s.all[i].id);
}

/* Numbers that fall instead of rising neither overrun nor come back. */
static void test_falling_numbers(void **state)
{
	(void)state;
	for (int i = 100; i > 0; i--) {
		say(i, "x", i % 3 ? "no" : "", 0);
		assert_true(s.n <= SEGMENTS_KNOWN);
	}
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.all[i - 1].id < s.all[i].id);
	buf_clear(&got);
}

static void test_a_retracted_number_is_another_segment(void **state)
{
	const struct asr_sink sink = sink_to(&got);

	(void)state;
	say(3, "a", "", 0);
	say(4, "b", "", 0);
	segments_shrink(&s, 3, &sink);
	must_be("partial key=3 ? ? ? ? |a|\n"
		"partial key=4 ? ? ? ? |b|\n"
		"retracted key=4 ? ? ? ? ||\n");
	say(4, "c", "", 0);
	say(5, "d", "", 0);
	segments_shrink(&s, 3, &sink);
	say(4, "e", "", 0);
	must_be("partial key=4.1 ? ? ? ? |c|\n"
		"partial key=5 ? ? ? ? |d|\n"
		"retracted key=5 ? ? ? ? ||\n"
		"retracted key=4.1 ? ? ? ? ||\n"
		"partial key=4.3 ? ? ? ? |e|\n");
}

static void test_what_the_service_called_final_stays(void **state)
{
	const struct asr_sink sink = sink_to(&got);

	(void)state;
	say(1, "a", "final", 0);
	say(2, "b", "", 0);
	segments_close_unchanged(&s, 100, 100, &sink);
	segments_shrink(&s, 0, &sink);
	must_be("final key=1 ? ? ? ? |a|\n"
		"partial key=2 ? ? ? ? |b|\n"
		"final key=2 ? ? ? ? synthesised |b|\n"
		"retracted key=2 ? ? ? ? ||\n");
}

static void test_patience_is_with_each_change(void **state)
{
	static const struct {
		uint64_t now_us;
		const char *said;   /* NULL: only time goes by */
		const char *want;
	} rows[] = {
		{ 10, "a", "partial key=1 ? ? ? ? |a|\n" },
		{ 109, NULL, "" },
		{ 109, "a", "" },
		{ 109, "a b", "partial key=1 ? ? ? ? |a b|\n" },
		{ 208, NULL, "" },
		{ 209, NULL, "final key=1 ? ? ? ? synthesised |a b|\n" },
		{ 999, NULL, "" },
		{ 999, "a b", "" },
		{ 1000, "a b c", "" },
		{ 1099, NULL, "" },
		{ 1100, NULL, "final key=1 ? ? ? ? synthesised |a b c|\n" },
	};
	const struct asr_sink sink = sink_to(&got);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].said)
			say(1, rows[i].said, "", rows[i].now_us);
		else
			segments_close_unchanged(&s, rows[i].now_us, 100, &sink);
		must_be(rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_ones_are_few, begin, end),
		cmocka_unit_test_setup_teardown(test_known_ones_are_bounded, begin,
						end),
		cmocka_unit_test_setup_teardown(test_falling_numbers, begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_retracted_number_is_another_segment, begin, end),
		cmocka_unit_test_setup_teardown(
			test_what_the_service_called_final_stays, begin, end),
		cmocka_unit_test_setup_teardown(
			test_patience_is_with_each_change, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
