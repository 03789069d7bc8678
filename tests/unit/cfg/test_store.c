/** @file test_store.c  daemon/cfg/store.c: texts into members */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/load.h"

static const struct {
	const char *section, *key, *text;
	int err;
} rows[] = {
	{ "events", "socket", "/x", 0 },
	{ "events", "socket", "", -EINVAL },
	{ "events", "group", "", 0 },
	{ "events", "mode", "0000", 0 },
	{ "events", "mode", "1000", -EINVAL },
	{ "journal", "directory", "", 0 },
	{ "journal", "size", "1M", 0 },
	{ "journal", "size", "1048575", -EINVAL },
	{ "journal", "size", "", -EINVAL },
	{ "journal", "age", "1s", 0 },
	{ "journal", "age", "999ms", -EINVAL },
	{ "journal", "age", "3661d", -EINVAL },
	{ "rtp", "source", "", -EINVAL },
	{ "rtp", "source", "learn", 0 },
	{ "sip", "max-calls", "0", -EINVAL },
	{ "sip", "max-calls", "1000000", 0 },
	{ "sip", "listen", "", -EINVAL },
};

static void test_limits_of_the_table_hold(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_default(&c), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config_key *k = config_key_find(rows[i].section,
							     rows[i].key);
		struct buf why = {0};

		print_message("row: %s %s \"%s\"\n", rows[i].section,
			      rows[i].key, rows[i].text);
		assert_non_null(k);
		assert_int_equal(store_value(c, k, rows[i].text, &why),
				 rows[i].err);
		assert_int_equal(why.len > 0, rows[i].err != 0);
		buf_free(&why);
	}
	/* the last good values are there, the refused left no trace */
	assert_string_equal(c->events.socket, "/x");
	assert_int_equal(c->events.mode, 0);
	assert_int_equal(c->journal.size, 1 << 20);
	assert_int_equal(c->journal.age_ms, 1000);
	config_free(c);
}

static void test_items_begin_with_their_defaults(void **state)
{
	struct config *c = NULL;
	struct buf why = {0};

	(void)state;
	assert_int_equal(config_default(&c), 0);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(add_asr(c, "x", i), 0);
		assert_int_equal(add_route(c, i), 0);
		const struct config_asr *a = &c->asrs[i];

		assert_string_equal(a->name, "x");
		assert_string_equal(a->url, "");
		assert_string_equal(a->proxy, "");
		assert_string_equal(a->encoding, "");
		assert_int_equal(a->chunk_ms, 0);
		assert_int_equal(a->n_params, 0);
		assert_int_equal(a->line, i);
		assert_false(a->insecure);
		assert_string_equal(c->routes[i].role, "");
	}
	/* params are many, with a ceiling */
	const struct config_key *params = config_key_find("asr", "params");

	for (unsigned i = 0; i < CONFIG_PARAMS_MAX; i++)
		assert_int_equal(store_value(&c->asrs[0], params, "a=b", &why),
				 0);
	assert_int_equal(store_value(&c->asrs[0], params, "a=b", &why),
			 -EINVAL);
	assert_int_equal(c->asrs[0].n_params, CONFIG_PARAMS_MAX);
	buf_free(&why);
	config_free(c);
}

static void test_amounts_are_printed_as_they_are_written(void **state)
{
	static const struct {
		enum config_type type;
		uint64_t v;
		const char *want;
	} amounts[] = {
		{ CONFIG_SIZE, 1, "1" },          { CONFIG_SIZE, 1024, "1K" },
		{ CONFIG_SIZE, 1536, "1536" },    { CONFIG_SIZE, 1ull << 40,
						    "1024G" },
		{ CONFIG_DURATION, 1, "1ms" },    { CONFIG_DURATION, 1500,
						    "1500ms" },
		{ CONFIG_DURATION, 5000, "5s" },  { CONFIG_DURATION, 90 * 60000,
						    "90m" },
		{ CONFIG_DURATION, 86400000, "1d" },
		{ CONFIG_MODE, 0660, "0660" },    { CONFIG_MODE, 0, "0000" },
		{ CONFIG_NUMBER, 1000, "1000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
		struct buf out = {0};

		print_amount(&out, amounts[i].type, amounts[i].v);
		assert_string_equal(buf_str(&out), amounts[i].want);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_of_the_table_hold),
		cmocka_unit_test(test_items_begin_with_their_defaults),
		cmocka_unit_test(test_amounts_are_printed_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
