/** @file test_config.c  daemon/cfg/config.c: defaults and routes */
#include "daemon/cfg/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static void test_defaults_have_no_asr_and_no_route(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_default(&c), 0);
	assert_string_equal(c->file, "");
	assert_int_equal(c->n_asrs, 0);
	assert_int_equal(c->n_routes, 0);
	assert_false(c->events.given);
	assert_null(config_route(c, "replay", "1", "2", ROLE_CALLER));
	config_free(c);
	config_free(NULL);
}

static const char text[] =
	"asr \"a\" { vendor = bodhi }\nasr \"b\" { vendor = bodhi }\n"
	"asr \"c\" { vendor = bodhi }\nasr \"d\" { vendor = bodhi }\n"
	"route { asr = none called = \"+49800\" }\n"
	"route { asr = a source = sip role = agent }\n"
	"route { asr = b calling = \"+49\" called = \"+4930\" }\n"
	"route { asr = c source = replay }\n"
	"route { asr = d role = unknown }\n";

static const struct {
	const char *source, *calling, *called;
	enum role role;
	const char *asr;   /* NULL: none */
} rows[] = {
	{ "sip", "+4912", "+49800123", ROLE_AGENT, NULL },
	{ "sip", "+4912", "+49800", ROLE_AGENT, NULL },
	{ "sip", "+4912", "+4980", ROLE_AGENT, "a" },
	{ "sip", "+4912", "+4930", ROLE_AGENT, "a" },
	{ "sip", "+4912", "+49301", ROLE_CALLER, "b" },
	{ "replay", "+4912", "+49301", ROLE_AGENT, "b" },
	{ "replay", "4912", "+49301", ROLE_AGENT, "c" },
	{ "replay", "", "", ROLE_UNKNOWN, "c" },
	{ "capture", "", "", ROLE_UNKNOWN, "d" },
	{ "capture", "", "", ROLE_MIXED, NULL },
};

static void test_the_first_route_that_matches_wins(void **state)
{
	struct buf errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_parse(&c, "t", text, strlen(text), &errors), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config_asr *a =
			config_route(c, rows[i].source, rows[i].calling,
				     rows[i].called, rows[i].role);

		print_message("row %zu\n", i);
		if (rows[i].asr) {
			assert_non_null(a);
			assert_string_equal(a->name, rows[i].asr);
		} else {
			assert_null(a);
		}
	}
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_have_no_asr_and_no_route),
		cmocka_unit_test(test_the_first_route_that_matches_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
