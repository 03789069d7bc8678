/** @file test_wall.c  daemon/base/wall.c; wanted texts by `date -u -d @S` */
#include "daemon/base/wall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_times_are_printed(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000Z" },
		{ 999999, "1970-01-01T00:00:00.999999Z" },
		{ 951782400000001, "2000-02-29T00:00:00.000001Z" },
		{ 1767323045678901, "2026-01-02T03:04:05.678901Z" },
		{ 2147483648000000, "2038-01-19T03:14:08.000000Z" },
		{ 4294967296000000, "2106-02-07T06:28:16.000000Z" },
		{ 253402300799999999, "9999-12-31T23:59:59.999999Z" },
	};

	(void)state;
	setenv("TZ", "Asia/Kolkata", 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[WALL_TEXT];

		print_message("row: %s\n", rows[i].text);
		assert_string_equal(wall_print(out, rows[i].us), rows[i].text);
	}
}

/* A capture may claim any time: it fits, whatever it means. */
static void test_any_number_fits(void **state)
{
	(void)state;
	for (unsigned bit = 50; bit < 64; bit++) {
		char *out = malloc(WALL_TEXT);

		assert_non_null(out);
		wall_print(out, UINT64_MAX >> (63 - bit));
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_are_printed),
		cmocka_unit_test(test_any_number_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
