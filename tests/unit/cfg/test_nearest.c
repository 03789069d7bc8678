/** @file test_nearest.c  daemon/cfg/nearest.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/load.h"

static const struct {
	const char *section; /* NULL: a section is looked for */
	const char *name;
	const char *near;    /* NULL: none */
} rows[] = {
	{ NULL, "event", "events" },     { NULL, "evnets", "events" },
	{ NULL, "routes", "route" },     { NULL, "journals", "journal" },
	{ NULL, "telephone", NULL },     { NULL, "", NULL },
	{ "asr", "api_key_file", "api-key-file" },
	{ "asr", "fall-back", "fallback" },
	{ "asr", "socket", NULL },       { "events", "socet", "socket" },
	{ "nothing", "socket", NULL },
	{ NULL, "eventseventseventseventseventsevents", NULL },
};

static void test_the_nearest_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *near = rows[i].section
				   ? nearest_key(rows[i].section, rows[i].name)
				   : nearest_section(rows[i].name);

		print_message("row: %s\n", rows[i].name);
		if (rows[i].near) {
			assert_non_null(near);
			assert_string_equal(near, rows[i].near);
		} else {
			assert_null(near);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
