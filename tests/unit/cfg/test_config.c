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
	assert_null(config_route(c, &(struct leg_facts){
		.source = "replay", .calling = "1", .called = "2",
		.language = "", .role = ROLE_CALLER }));
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
			config_route(c, &(struct leg_facts){
				.source = rows[i].source,
				.calling = rows[i].calling,
				.called = rows[i].called, .language = "",
				.role = rows[i].role });

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

static const char by_facts[] =
	"asr \"a\" { vendor = bodhi }\nasr \"b\" { vendor = bodhi }\n"
	"asr \"c\" { vendor = bodhi }\nasr \"d\" { vendor = bodhi }\n"
	"asr \"e\" { vendor = bodhi }\n"
	"route { asr = a trunk = \"192.0.2.0/24\" language = \"de\" }\n"
	"route { asr = b trunk = \"2001:db8::7\" }\n"
	"route { asr = c header = \"X-Queue: sales\" }\n"
	"route { asr = d header = \"x-vip\" }\n"
	"route { asr = e language = \"en-GB\" }\n";

static const struct {
	const char *name, *trunk, *language, *queue, *vip, *asr;
} facts[] = {
	{ "trunk and language", "192.0.2.9", "de-AT", NULL, NULL, "a" },
	{ "language in other letters", "192.0.2.9", "DE", NULL, NULL, "a" },
	{ "another that begins so", "192.0.2.9", "dent", NULL, NULL, NULL },
	{ "another trunk", "192.0.3.9", "de", NULL, NULL, NULL },
	{ "no trunk", NULL, "de", NULL, NULL, NULL },
	{ "a trunk alone", "2001:db8::7", "", NULL, NULL, "b" },
	{ "its neighbour", "2001:db8::8", "", NULL, NULL, NULL },
	{ "header", NULL, "", "sales", NULL, "c" },
	{ "header, other value", NULL, "", "Sales", NULL, NULL },
	{ "header, longer value", NULL, "", "sales2", NULL, NULL },
	{ "header that is there", NULL, "", "x", "0", "d" },
	{ "first route wins", "2001:db8::7", "en-GB", "sales", "1", "b" },
	{ "language", NULL, "en-gb-oed", NULL, NULL, "e" },
	{ "language without its region", NULL, "en", NULL, NULL, NULL },
};

static void test_routes_match_by_trunk_header_and_language(void **state)
{
	struct buf errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_parse(&c, "t", by_facts, strlen(by_facts),
				      &errors), 0);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		struct event_id ids[2];
		struct leg_facts f = {
			.source = "sip", .calling = "", .called = "",
			.language = facts[i].language, .ids = ids,
		};

		if (facts[i].queue)
			ids[f.n_ids++] = (struct event_id){ "X-queue",
							    facts[i].queue };
		if (facts[i].vip)
			ids[f.n_ids++] = (struct event_id){ "X-VIP",
							    facts[i].vip };
		if (facts[i].trunk)
			assert_int_equal(addr_parse(&f.trunk, facts[i].trunk,
						    strlen(facts[i].trunk)),
					 0);
		f.trunk.port = 5060;
		print_message("%s\n", facts[i].name);
		const struct config_asr *a = config_route(c, &f);

		if (facts[i].asr) {
			assert_non_null(a);
			assert_string_equal(a->name, facts[i].asr);
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
		cmocka_unit_test(test_routes_match_by_trunk_header_and_language),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
