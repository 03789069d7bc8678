/** @file test_number.c  daemon/base/number.h */
#include "daemon/base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	uint64_t max;
	int err;
	uint64_t value;
} rows[] = {
	{ "0", 0, 0, 0 },
	{ "1", 0, -ERANGE, 0 },
	{ "65535", 65535, 0, 65535 },
	{ "65536", 65535, -ERANGE, 0 },
	{ "00042", 65535, 0, 42 },
	{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
	{ "18446744073709551625", UINT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999999999999999999", UINT64_MAX, -ERANGE, 0 },
	/* what a 32-bit cut would believe */
	{ "4294967338", 100, -ERANGE, 0 },
	{ "", 9, -EBADMSG, 0 },
	{ "-1", 9, -EBADMSG, 0 },
	{ "+1", 9, -EBADMSG, 0 },
	{ " 1", 9, -EBADMSG, 0 },
	{ "1 ", 9, -EBADMSG, 0 },
	{ "1.0", 9, -EBADMSG, 0 },
	{ "1e3", 9, -EBADMSG, 0 },
	{ "0x10", 99, -EBADMSG, 0 },
	{ "\xd9\xa3", 9, -EBADMSG, 0 }, /* a digit, but not of ASCII */
	{ "/", 9, -EBADMSG, 0 },
	{ ":", 9, -EBADMSG, 0 },
};

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].text);
		char *text = malloc(len + !len);
		uint64_t v = 4711;

		assert_non_null(text);
		memcpy(text, rows[i].text, len); /* no NUL behind it */
		print_message("row: \"%s\"\n", rows[i].text);
		assert_int_equal(number_parse(&v, text, len, rows[i].max),
				 rows[i].err);
		assert_int_equal(v, rows[i].err ? 4711 : rows[i].value);
		free(text);
	}
}

static void test_a_nul_is_no_digit(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(number_parse(&v, "1\0" "2", 3, 999), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_a_nul_is_no_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
