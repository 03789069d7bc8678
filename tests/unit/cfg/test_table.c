/** @file test_table.c  daemon/cfg/table.c: the table holds together */
#include "daemon/cfg/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cfg/value.h"

static void test_rows_hold_together(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		const struct config_section *s =
			config_section_find(k->section);

		print_message("row: %s %s\n", k->section, k->name);
		assert_non_null(s);
		assert_ptr_equal(config_key_find(k->section, k->name), k);
		assert_int_equal(k->choices != NULL,
				 k->type == CONFIG_CHOICE ||
				 k->type == CONFIG_LISTEN);
		if (k->choices && *k->preset)
			assert_true(value_is_choice(k->preset, k->choices));
		/* a key of a section that is served has a member, or is
		 * refused */
		if (!k->size)
			assert_true(s->later || k->later);
		assert_true(strlen(k->help) > 10);
		assert_int_equal(k->help[strlen(k->help) - 1], '.');
		assert_non_null(config_type_help(k->type));
	}
	assert_null(config_section_find("event"));
	assert_null(config_key_find("events", "url"));
}

/* INTERFACES section 2 by name: nothing of it may get lost. */
static void test_documented_keys_are_known(void **state)
{
	static const char *const names[][2] = {
		{ "events", "socket" },    { "events", "mode" },
		{ "events", "group" },     { "control", "socket" },
		{ "control", "mode" },     { "journal", "directory" },
		{ "journal", "size" },     { "journal", "age" },
		{ "http", "listen" },      { "sip", "listen" },
		{ "sip", "permit" },       { "sip", "max-calls" },
		{ "rtp", "address" },      { "rtp", "ports" },
		{ "rtp", "source" },       { "capture", "interface" },
		{ "capture", "filter" },   { "asr", "vendor" },
		{ "asr", "url" },          { "asr", "api-key-file" },
		{ "asr", "customer-id" },  { "asr", "model" },
		{ "asr", "language" },     { "asr", "chunk" },
		{ "asr", "params" },       { "asr", "tls-ca-file" },
		{ "asr", "proxy" },        { "asr", "fallback" },
		{ "asr", "insecure" },     { "route", "asr" },
		{ "route", "source" },     { "route", "trunk" },
		{ "route", "called" },     { "route", "calling" },
		{ "route", "role" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		print_message("row: %s %s\n", names[i][0], names[i][1]);
		assert_non_null(config_key_find(names[i][0], names[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_hold_together),
		cmocka_unit_test(test_documented_keys_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
