/** @file test_bare.c  daemon/pub/bare.c; jansson reads what it makes */
#include "daemon/pub/bare.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/pub/line.h"

static const struct event_word words[] = {
	{ "a\"},{[", 0, 8, 0.5 }, { "b\\", 8, 16, -1 }, { "c", 16, 24, 1 },
};

static const struct {
	const char *name;
	const char *text;
	size_t n_words;
} rows[] = {
	{ "plain", "hello there", 0 },
	{ "nothing said", "", 0 },
	{ "quotes", "he said \"no\",\\ and {\"left\":[1,2", 2 },
	{ "lines", "a\nb\tc\rd", 1 },
	{ "letters", "\xe0\xa4\x95\xe0\xa4\xbe \xf0\x9f\x98\x80", 3 },
	{ "a member's name", "\"text\":\"words\"", 3 },
	{ "retracted", NULL, 0 },
};

static struct event segment(const char *text, size_t n)
{
	return (struct event){
		.type = EVENT_SEGMENT, .call = "c", .leg = "c.1",
		.segment = {
			.segment = 3, .rev = 2, .text = text, .end = 800,
			.state = text ? SEGMENT_FINAL : SEGMENT_RETRACTED,
			.confidence = 0.9, .language = "en", .words = words,
			.n_words = n, .latency_ms = 5, .asr = "main",
			.vendor = "bodhi", .vendor_segment = "text" } };
}

static void test_all_but_the_words_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct event e = segment(rows[i].text, rows[i].n_words);
		struct buf line = {0}, bare = {0};

		print_message("row: %s\n", rows[i].name);
		assert_int_equal(line_print(&line, &e, 9), 0);
		buf_puts(&bare, "before");
		assert_int_equal(bare_line(&bare, buf_str(&line), line.len), 0);
		assert_int_equal(bare.data[bare.len - 1], '\n');
		json_t *want = json_loadb(buf_str(&line), line.len, 0, NULL);
		json_t *got = json_loadb(buf_str(&bare) + 6, bare.len - 6,
					 JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(want);
		assert_non_null(got);
		const json_t *text = json_object_get(want, "text");
		const size_t n = json_string_length(text);
		if (text)
			json_object_set_new(want, "text", json_string(""));
		if (n)
			json_object_set_new(want, "text_omitted",
					    json_integer((json_int_t)n));
		if (json_object_get(want, "words"))
			json_object_set_new(want, "words_omitted",
				json_integer((json_int_t)rows[i].n_words));
		json_object_del(want, "words");
		assert_true(json_equal(want, got));
		json_decref(want);
		json_decref(got);
		buf_free(&line);
		buf_free(&bare);
	}
}

/* What was left out of a line before is counted, too. */
static void test_what_was_left_out_already(void **state)
{
	static const char line[] =
		"{\"v\":1,\"text\":\"ab\",\"text_omitted\":40,\"words\":"
		"[{\"text\":\"ab\"}],\"words_omitted\":7}\n";
	struct buf bare = {0};

	(void)state;
	assert_int_equal(bare_line(&bare, line, sizeof(line) - 1), 0);
	assert_string_equal(buf_str(&bare),
			    "{\"v\":1,\"text\":\"\",\"text_omitted\":42,"
			    "\"words_omitted\":8}\n");
	buf_free(&bare);
}

static void test_what_is_no_line_is_refused(void **state)
{
	const struct event e = segment("he said \"no\"", 2);
	struct buf line = {0}, out = {0};

	(void)state;
	assert_int_equal(line_print(&line, &e, 9), 0);
	for (size_t n = 0; n < line.len - 1; n++) {
		char *part = malloc(n ? n : 1);
		assert_non_null(part);
		memcpy(part, line.data, n);
		buf_clear(&out);
		buf_puts(&out, "x");
		assert_int_equal(bare_line(&out, part, n), -EBADMSG);
		assert_string_equal(buf_str(&out), "x");
		free(part);
	}
	buf_free(&line);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_but_the_words_stays),
		cmocka_unit_test(test_what_was_left_out_already),
		cmocka_unit_test(test_what_is_no_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
