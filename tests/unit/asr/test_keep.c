/** @file test_keep.c  A copy of a result lives on its own */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/asr/keep.h"
#include "daemon/base/array.h"
#include "tests/unit/asr/say.h"

/* Every string in a block of its own, which is gone when the copy is read. */
static struct asr_result made(const char *language, size_t n_words)
{
	struct asr_word *words = n_words ? calloc(n_words, sizeof(*words)) : NULL;

	for (size_t i = 0; i < n_words; i++)
		words[i] = (struct asr_word){
			.text = strdup(i ? "w\xc3\xb6rter" : ""),
			.start_us = (int64_t)i, .end_us = TIME_UNKNOWN,
			.confidence = 0.5,
		};
	return (struct asr_result){
		.state = RESULT_FINAL, .key = strdup("k1"),
		.text = strdup("a text"), .start_us = 1, .end_us = 2,
		.confidence = 0.25, .language = language ? strdup(language) : NULL,
		.synthesised = true, .words = words, .n_words = n_words,
	};
}

static void drop(struct asr_result *r)
{
	for (size_t i = 0; i < r->n_words; i++)
		free((void *)(uintptr_t)r->words[i].text);
	free((void *)(uintptr_t)r->words);
	free((void *)(uintptr_t)r->key);
	free((void *)(uintptr_t)r->text);
	free((void *)(uintptr_t)r->language);
}

static void test_a_copy_says_the_same_when_the_original_is_gone(void **state)
{
	static const struct { const char *language; size_t n; } rows[] = {
		{ NULL, 0 }, { "hi", 0 }, { NULL, 1 }, { "", 8 }, { "en", 9 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct asr_result r = made(rows[i].language, rows[i].n);
		struct buf want = {0}, got = {0};
		const struct asr_sink before = sink_to(&want);
		const struct asr_sink after = sink_to(&got);
		struct asr_result *copy = keep_result(&r);

		assert_non_null(copy);
		before.result(&r, before.arg);
		drop(&r);
		after.result(copy, after.arg);
		assert_string_equal(buf_str(&want), buf_str(&got));
		free(copy);
		buf_free(&want);
		buf_free(&got);
	}
}

/* 64 KiB of words are kept, one more byte and none is. */
static void test_too_many_words_are_left_out(void **state)
{
	static const struct { size_t text, words; } rows[] = {
		{ 32 * 1024 - 1, 2 }, { 32 * 1024, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = calloc(1, rows[i].text + 1);
		memset(text, 'x', rows[i].text);
		const struct asr_word words[2] = {
			{ .text = text }, { .text = text },
		};
		const struct asr_result r = { .key = "k", .text = "t",
					      .words = words, .n_words = 2 };
		struct asr_result *copy = keep_result(&r);

		assert_non_null(copy);
		assert_int_equal(rows[i].words, copy->n_words);
		assert_int_equal(rows[i].words == 0, copy->words == NULL);
		assert_string_equal("t", copy->text);
		free(copy);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_copy_says_the_same_when_the_original_is_gone),
		cmocka_unit_test(test_too_many_words_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
