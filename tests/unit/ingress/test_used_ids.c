/** @file test_used_ids.c  daemon/ingress/used_ids.c */
#include "daemon/ingress/used_ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void on_event(const struct event *e, void *arg)
{
	(void)e;
	(void)arg;
}

static struct calls *no_calls(struct timers *timers)
{
	const struct calls_config cc = {
		.timers = timers, .events = { on_event, NULL },
	};
	struct calls *cs;

	assert_int_equal(calls_new(&cs, &cc), 0);
	return cs;
}

static void test_a_name_is_given_once(void **state)
{
	struct used_ids *u = calloc(1, sizeof(*u));
	struct timers *timers;
	char a[EVENT_ID], b[EVENT_ID], name[USED_ID_NAME + 20];
	struct call *c;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	struct calls *cs = no_calls(timers);

	used_ids_take(u, a, "x", cs);
	assert_string_equal(a, "x");
	used_ids_take(u, a, "x", cs);
	used_ids_take(u, b, "x", cs);
	assert_int_equal(strlen(a), 10);
	assert_memory_equal(a, "x-", 2);
	assert_string_not_equal(a, b);

	/* another way has a call of that name */
	assert_int_equal(call_open(&c, cs, &(struct call_info){
		.id = "y", .source = "rtp" }), 0);
	used_ids_take(u, a, "y", cs);
	assert_int_equal(strlen(a), 10);
	call_end(c, "end");

	for (unsigned i = 0; i < USED_IDS; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		used_ids_take(u, a, name, cs);
		assert_string_equal(a, name);
	}
	used_ids_take(u, a, "x", cs); /* long ago */
	assert_string_equal(a, "x");

	memset(name, 'l', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	for (int i = 0; i < 2; i++)
		used_ids_take(u, a, name, cs);
	assert_true(strlen(a) < 57); /* a leg's is longer: ".NN" */
	calls_free(cs);
	timers_free(timers);
	free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_given_once),
	};

	return cmocka_run_group_tests_name("used_ids", tests, NULL, NULL);
}
