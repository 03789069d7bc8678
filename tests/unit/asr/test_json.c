/** @file test_json.c  The limits and the values that every vendor relies on */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/asr/json.h"
#include "daemon/base/array.h"
#include "daemon/base/buf.h"

static json_t *message(const struct buf *b)
{
	char *copy = malloc(b->len ? b->len : 1);

	assert_int_equal(0, b->err);
	assert_non_null(copy);
	memcpy(copy, buf_str(b), b->len);
	json_t *doc = json_message(copy, b->len);

	free(copy);
	return doc;
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	while (n-- > 0)
		buf_puts(b, text);
}

static void test_depth_ends_at_the_limit(void **state)
{
	static const struct { size_t deep; bool good; } rows[] = {
		{ 1, true }, { JSON_DEPTH_MAX - 1, true },
		{ JSON_DEPTH_MAX, false }, { 2047, false }, { 100000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		/* the object itself is one */
		buf_puts(&b, "{\"a\":");
		repeat(&b, "[", rows[i].deep);
		repeat(&b, "]", rows[i].deep);
		buf_puts(&b, "}");
		json_t *doc = message(&b);

		if ((doc != NULL) != rows[i].good)
			fail_msg("%zu deep", rows[i].deep);
		json_decref(doc);
		buf_free(&b);
	}
}

static void test_values_end_at_the_limit(void **state)
{
	static const struct { const char *item; size_t n; bool good; } rows[] = {
		{ "0,", 60000, true }, { "0,", JSON_VALUES_MAX, false },
		{ "[],", 30000, true }, { "[],", JSON_VALUES_MAX / 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		buf_puts(&b, "{\"a\":[");
		repeat(&b, rows[i].item, rows[i].n);
		buf_puts(&b, "0]}");
		json_t *doc = message(&b);

		if ((doc != NULL) != rows[i].good)
			fail_msg("%s %zu times", rows[i].item, rows[i].n);
		json_decref(doc);
		buf_free(&b);
	}
}

static void test_brackets_in_strings_do_not_count(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "{\"a\":\"\\\\\",\"b\":\"");
	repeat(&b, "[{\\\",", 70000);
	buf_puts(&b, "\"}");
	json_t *doc = message(&b);

	assert_non_null(doc);
	assert_int_equal(4 * 70000, json_string_length(json_object_get(doc, "b")));
	json_decref(doc);
	buf_free(&b);
}

static void test_a_long_text_is_cut_between_characters(void **state)
{
	static const struct { size_t ascii; size_t want; } rows[] = {
		{ RESULT_TEXT_MAX - 3, RESULT_TEXT_MAX },
		{ RESULT_TEXT_MAX - 2, RESULT_TEXT_MAX - 2 },
		{ RESULT_TEXT_MAX - 1, RESULT_TEXT_MAX - 1 },
		{ RESULT_TEXT_MAX, RESULT_TEXT_MAX },
		{ RESULT_TEXT_MAX + 9, RESULT_TEXT_MAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		buf_puts(&b, "{\"text\":\"");
		repeat(&b, "x", rows[i].ascii);
		buf_puts(&b, "\u0939\"}"); /* three bytes */
		json_t *doc = message(&b);
		const char *text = json_transcript(doc, "text");

		assert_non_null(text);
		assert_int_equal(rows[i].want, strlen(text));
		json_decref(doc);
		buf_free(&b);
	}
}

static void test_times_are_times_unknown_or_wild(void **state)
{
	static const struct { const char *text; int64_t us; } rows[] = {
		{ "0", 0 }, { "-0.0", 0 }, { "1", 1000000 },
		{ "0.000125", 125 }, { "0.0000625", 63 },
		{ "12.345875", 12345875 }, { "172800", 172800000000 },
		{ "172800.001", TIME_WILD }, { "-0.001", TIME_WILD },
		{ "-1", TIME_WILD }, { "1e300", TIME_WILD },
		{ "9223372036854775807", TIME_WILD },
		{ "\"1\"", TIME_UNKNOWN }, { "null", TIME_UNKNOWN },
		{ "[1]", TIME_UNKNOWN }, { "true", TIME_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = json_loads(rows[i].text, JSON_DECODE_ANY, NULL);

		assert_non_null(v);
		if (json_seconds_us(v) != rows[i].us)
			fail_msg("%s: %lld", rows[i].text,
				 (long long)json_seconds_us(v));
		if (json_moment_us(v) != (rows[i].us == TIME_WILD
						  ? TIME_UNKNOWN : rows[i].us))
			fail_msg("%s as a moment: %lld", rows[i].text,
				 (long long)json_moment_us(v));
		json_decref(v);
	}
	/* what jansson would not read, but a program can make */
	assert_true(json_seconds_us(NULL) == TIME_UNKNOWN);
}

static void test_codes_are_small_numbers(void **state)
{
	static const struct { const char *text; unsigned code; } rows[] = {
		{ "400", 400 }, { "\"400\"", 400 }, { "65535", 65535 },
		{ "65536", 0 }, { "\"65536\"", 0 }, { "-1", 0 }, { "0", 0 },
		{ "4e2", 0 }, { "\"4 0\"", 0 }, { "\"\"", 0 }, { "null", 0 },
		{ "\"DATA-0000\"", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = json_loads(rows[i].text, JSON_DECODE_ANY, NULL);

		assert_non_null(v);
		if (json_code(v) != rows[i].code)
			fail_msg("%s: %u", rows[i].text, json_code(v));
		json_decref(v);
	}
	assert_int_equal(0, json_code(NULL));
}

static void test_counts_are_whole_numbers_from_0_on(void **state)
{
	static const struct { const char *text; int64_t count; } rows[] = {
		{ "0", 0 }, { "7", 7 }, { "\"10\"", 10 }, { "\"007\"", 7 },
		{ "9223372036854775807", INT64_MAX },
		{ "\"9223372036854775807\"", INT64_MAX },
		{ "\"9223372036854775808\"", -1 }, { "-1", -1 },
		{ "\"-1\"", -1 }, { "1.0", -1 }, { "\"\"", -1 },
		{ "\"1a\"", -1 }, { "null", -1 }, { "[1]", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = json_loads(rows[i].text, JSON_DECODE_ANY, NULL);

		assert_non_null(v);
		if (json_count(v) != rows[i].count)
			fail_msg("%s: %lld", rows[i].text,
				 (long long)json_count(v));
		json_decref(v);
	}
	assert_int_equal(-1, json_count(NULL));
}

static void test_blanks_around_texts_go(void **state)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "", "" }, { " ", "" }, { " \t\r\n ", "" }, { "a", "a" },
		{ " a", "a" }, { "a ", "a" }, { "\n a b\t", "a b" },
		{ "\xc2\xa0x", "\xc2\xa0x" }, /* of another kind: stays */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *doc = json_pack("{s:s}", "t", rows[i].in);

		assert_string_equal(rows[i].out, json_transcript(doc, "t"));
		json_decref(doc);
	}
}

static void test_the_better_text_of_a_word_is_taken(void **state)
{
	static const struct json_word_names names = { "w", "s", "e", "c", "d" };
	static const struct { const char *json, *text; } rows[] = {
		{ "[{\"w\":\"a\",\"d\":\"A.\"}]", "A." },
		{ "[{\"w\":\" a \",\"d\":\" \"}]", "a" },
		{ "[{\"w\":\"a\",\"d\":7}]", "a" },
		{ "[{\"d\":\"A\"}]", "A" }, { "[{\"w\":\" \"}]", NULL },
		{ "[7]", NULL }, { "7", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *v = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
		struct asr_word *words;
		size_t n;

		assert_int_equal(0, json_words(&words, &n, v, &names));
		assert_int_equal(rows[i].text != NULL, n);
		if (n)
			assert_string_equal(rows[i].text, words[0].text);
		free(words);
		json_decref(v);
	}
}

static void test_words_end_at_the_limit(void **state)
{
	static const struct json_word_names names = { "w", "s", "e", "c",
						      NULL };
	static const size_t rows[] = { 0, 1, RESULT_WORDS_MAX - 1,
				       RESULT_WORDS_MAX, RESULT_WORDS_MAX + 1,
				       3 * RESULT_WORDS_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asr_word *words = (struct asr_word *)1;
		json_t *array = json_array();
		size_t n = 7;

		for (size_t k = 0; k < rows[i]; k++)
			json_array_append_new(array, json_pack("{s:s}", "w", "a"));
		assert_int_equal(0, json_words(&words, &n, array, &names));
		assert_int_equal(MIN(rows[i], (size_t)RESULT_WORDS_MAX), n);
		assert_int_equal(n == 0, words == NULL);
		free(words);
		json_decref(array);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth_ends_at_the_limit),
		cmocka_unit_test(test_values_end_at_the_limit),
		cmocka_unit_test(test_brackets_in_strings_do_not_count),
		cmocka_unit_test(test_a_long_text_is_cut_between_characters),
		cmocka_unit_test(test_times_are_times_unknown_or_wild),
		cmocka_unit_test(test_codes_are_small_numbers),
		cmocka_unit_test(test_counts_are_whole_numbers_from_0_on),
		cmocka_unit_test(test_blanks_around_texts_go),
		cmocka_unit_test(test_the_better_text_of_a_word_is_taken),
		cmocka_unit_test(test_words_end_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
