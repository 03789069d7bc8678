/** @file test_log.c  daemon/base/log.c */
#include "daemon/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"

/* What one log_line() writes to stderr. */
static const char *line(enum log_level level, const char *text)
{
	static char out[8192];
	FILE *f = tmpfile();
	const int old = dup(STDERR_FILENO);

	assert_non_null(f);
	assert_true(old >= 0);
	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	log_line(level, "area", "%s", text);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(f);
	const size_t n = fread(out, 1, sizeof(out) - 1, f);

	out[n] = '\0';
	fclose(f);
	return out;
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(log_get_level(), LOG_WARN);
	assert_string_equal(line(LOG_ERROR, "x"), "error area: x\n");
	assert_string_equal(line(LOG_WARN, "x"), "warn area: x\n");
	assert_string_equal(line(LOG_INFO, "x"), "");
	log_set_level(LOG_DEBUG);
	assert_string_equal(line(LOG_INFO, "x"), "info area: x\n");
	assert_string_equal(line(LOG_DEBUG, "x"), "debug area: x\n");
	log_set_level(LOG_ERROR);
	assert_string_equal(line(LOG_WARN, "x"), "");
	log_set_level(LOG_WARN);
	assert_int_equal(log_level_by_name("error"), LOG_ERROR);
	assert_int_equal(log_level_by_name("debug"), LOG_DEBUG);
	assert_int_equal(log_level_by_name("Debug"), -1);
	assert_int_equal(log_level_by_name(""), -1);
}

static void test_foreign_text_moves_no_terminal(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "a\nwarn area: forged", "a?warn area: forged" },
		{ "a\r\x1b[2J\x07\x7f", "a??[2J??" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "\xc2\x9b" "2J", "??2J" },       /* CSI as one character */
		{ "\x9b" "2J", "?2J" },            /* ... and as one byte */
		{ "cut \xe2\x82", "cut ??" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char want[128];

		print_message("row: %zu\n", i);
		snprintf(want, sizeof(want), "warn area: %s\n", rows[i].shown);
		assert_string_equal(line(LOG_WARN, rows[i].text), want);
	}
}

static void test_a_long_one_is_one_line_of_whole_characters(void **state)
{
	char text[6001] = "";

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		const char *out = line(LOG_WARN, text);
		const size_t len = strlen(out);

		assert_in_range(len, 1000, 3000);
		assert_ptr_equal(strchr(out, '\n'), out + len - 1);
		assert_true(utf8_valid(out, len));
	}
}

/* At `at`: is it logged, and how many were kept back before. */
static const struct {
	const char *name;
	uint64_t at_us;
	bool logged;
	uint64_t kept_back;
} steps[] = {
	{ "first", 5, true, 0 },
	{ "again at once", 5, false, 0 },
	{ "a little later", 10000004, false, 0 },
	{ "ten seconds later", 10000005, true, 2 },
	{ "again", 10000006, false, 0 },
	{ "much later", 3600000000, true, 1 },
	{ "and later", 7200000000, true, 0 },
};

static void test_one_line_in_ten_seconds(void **state)
{
	/* wherever the clock began: at 0, too */
	static const uint64_t begins[] = { 0, 1, 1700000000000000 };

	(void)state;
	for (size_t b = 0; b < ARRAY_LEN(begins); b++) {
		struct log_limit l = {0};

		for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
			uint64_t kept = 99;
			const uint64_t at_us = begins[b] + steps[i].at_us - 5;

			print_message("row: %s\n", steps[i].name);
			assert_int_equal(log_limited(&l, at_us, &kept),
					 steps[i].logged);
			assert_int_equal(kept, steps[i].logged
						       ? steps[i].kept_back
						       : 99);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_foreign_text_moves_no_terminal),
		cmocka_unit_test(
			test_a_long_one_is_one_line_of_whole_characters),
		cmocka_unit_test(test_one_line_in_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
