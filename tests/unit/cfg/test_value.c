/** @file test_value.c  daemon/cfg/value.c */
#include "daemon/cfg/value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

typedef int read_fn(uint64_t *out, const char *text);

static const struct {
	read_fn *read;
	const char *text;
	int err;
	uint64_t value;
} rows[] = {
	{ value_number, "0", 0, 0 },
	{ value_number, "18446744073709551615", 0, UINT64_MAX },
	{ value_number, "18446744073709551616", -ERANGE, 0 },
	{ value_number, "", -EBADMSG, 0 },
	{ value_number, "-1", -EBADMSG, 0 },
	{ value_number, "+1", -EBADMSG, 0 },
	{ value_number, " 1", -EBADMSG, 0 },
	{ value_number, "1 ", -EBADMSG, 0 },
	{ value_number, "0x10", -EBADMSG, 0 },
	{ value_mode, "0660", 0, 0660 },
	{ value_mode, "600", 0, 0600 },
	{ value_mode, "7777", 0, 07777 },
	{ value_mode, "66", -EBADMSG, 0 },
	{ value_mode, "00660", -EBADMSG, 0 },
	{ value_mode, "0680", -EBADMSG, 0 },
	{ value_mode, "rw-", -EBADMSG, 0 },
	{ value_size, "1", 0, 1 },
	{ value_size, "64K", 0, 65536 },
	{ value_size, "256M", 0, 268435456 },
	{ value_size, "1G", 0, 1073741824 },
	{ value_size, "17179869183G", 0, 18446744072635809792u },
	{ value_size, "17179869184G", -ERANGE, 0 },
	{ value_size, "M", -EBADMSG, 0 },
	{ value_size, "", -EBADMSG, 0 },
	{ value_size, "1 M", -EBADMSG, 0 },
	{ value_size, "1m", -EBADMSG, 0 },
	{ value_size, "1MB", -EBADMSG, 0 },
	{ value_size, "1.5M", -EBADMSG, 0 },
	{ value_duration, "250ms", 0, 250 },
	{ value_duration, "0s", 0, 0 },
	{ value_duration, "30s", 0, 30000 },
	{ value_duration, "5m", 0, 300000 },
	{ value_duration, "24h", 0, 86400000 },
	{ value_duration, "7d", 0, 604800000 },
	{ value_duration, "250", -EBADMSG, 0 },
	{ value_duration, "ms", -EBADMSG, 0 },
	{ value_duration, "-1s", -EBADMSG, 0 },
	{ value_duration, "1sec", -EBADMSG, 0 },
	{ value_duration, "1h30m", -EBADMSG, 0 },
	{ value_duration, "18446744073709551615d", -ERANGE, 0 },
};

static void test_numbers_and_their_units(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = strdup(rows[i].text);
		uint64_t v = 4711;

		assert_non_null(text);
		print_message("row: %s\n", text);
		assert_int_equal(rows[i].read(&v, text), rows[i].err);
		assert_int_equal(v, rows[i].err ? 4711 : rows[i].value);
		free(text);
	}
}

static void test_yes_and_no(void **state)
{
	static const struct {
		const char *text;
		int err;
		bool value;
	} words[] = {
		{ "yes", 0, true },  { "Yes", 0, true },  { "on", 0, true },
		{ "true", 0, true }, { "no", 0, false },  { "off", 0, false },
		{ "false", 0, false }, { "", -EBADMSG, 0 },
		{ "1", -EBADMSG, 0 }, { "yesno", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		bool v = !words[i].value;

		print_message("row: %s\n", words[i].text);
		assert_int_equal(value_bool(&v, words[i].text), words[i].err);
		assert_int_equal(v, words[i].err ? true : words[i].value);
	}
}

static void test_params(void **state)
{
	static const struct {
		const char *text;
		int err;
		size_t len;
	} params[] = {
		{ "a=1", 0, 1 },          { "Parse_number=true", 0, 12 },
		{ "a.b-c9==x", 0, 6 },    { "a=", 0, 1 },
		{ "a", -EBADMSG, 0 },     { "=1", -EBADMSG, 0 },
		{ "a =1", -EBADMSG, 0 },  { "", -EBADMSG, 0 },
		{ "a&b=1", -EBADMSG, 0 }, { "\xc3\xa4=1", -EBADMSG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		size_t len = 99;

		print_message("row: %s\n", params[i].text);
		assert_int_equal(value_param(&len, params[i].text),
				 params[i].err);
		assert_int_equal(len, params[i].err ? 99 : params[i].len);
	}
}

static void test_choices(void **state)
{
	(void)state;
	assert_true(value_is_choice("one", "one two three"));
	assert_true(value_is_choice("two", "one two three"));
	assert_true(value_is_choice("three", "one two three"));
	assert_false(value_is_choice("", "one two three"));
	assert_false(value_is_choice(" ", "one two three"));
	assert_false(value_is_choice("one two", "one two three"));
	assert_false(value_is_choice("thre", "one two three"));
	assert_false(value_is_choice("threee", "one two three"));
	assert_false(value_is_choice("One", "one two three"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_and_their_units),
		cmocka_unit_test(test_yes_and_no),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
