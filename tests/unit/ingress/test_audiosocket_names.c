/** @file test_audiosocket_names.c  daemon/ingress/audiosocket_names.c */
#include "daemon/ingress/audiosocket_names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct timers *timers;
static struct audiosocket_names names;

static int add(unsigned uuid, const char *call)
{
	uint8_t raw[16] = { (uint8_t)uuid, (uint8_t)(uuid >> 8) };
	char line[128], id[COMMAND_ID], error[COMMAND_ERROR];
	struct command c;

	snprintf(line, sizeof(line),
		 "{\"do\":\"call.register\",\"call\":\"%s\"}", call);
	assert_int_equal(command_parse(&c, line, strlen(line), id, error), 0);
	const int err = audiosocket_names_add(&names, raw, &c);
	command_free(&c);
	return err;
}

/* "" : nothing was said of it. */
static void takes(unsigned uuid, const char *call)
{
	uint8_t raw[16] = { (uint8_t)uuid, (uint8_t)(uuid >> 8) };
	struct command c = {0};
	const int err = audiosocket_names_take(&names, &c, raw);

	assert_int_equal(err, *call ? 0 : -ENOENT);
	if (!err)
		assert_string_equal(c.call, call);
	command_free(&c);
}

static int setup(void **state)
{
	(void)state;
	audiosocket_names_init(&names, timers);
	return timers_new(&timers) || (names.timers = timers, 0);
}

static int teardown(void **state)
{
	(void)state;
	audiosocket_names_clear(&names);
	assert_true(timers_next_us(timers) == UINT64_MAX);
	timers_free(timers);
	return 0;
}

static void test_what_was_said_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(add(1, "a"), 0);
	assert_int_equal(add(2, "a"), 0);
	assert_int_equal(add(3, "b"), 0);
	takes(4, "");
	takes(2, "a");
	takes(2, "");
	takes(3, "b");
	takes(1, "a");
	assert_int_equal(names.count, 0);
}

static void test_the_last_word_holds(void **state)
{
	(void)state;
	assert_int_equal(add(1, "a"), 0);
	assert_int_equal(add(1, "b"), 0);
	assert_int_equal(names.count, 1);
	takes(1, "b");
	takes(1, "");
}

static void test_it_is_forgotten_in_ten_minutes(void **state)
{
	(void)state;
	assert_int_equal(add(1, "a"), 0);
	timers_run(timers, 300000000);
	assert_int_equal(add(2, "b"), 0);
	timers_run(timers, 599999999);
	assert_int_equal(names.count, 2);
	timers_run(timers, 600000000);
	takes(1, "");
	takes(2, "b");
}

static void test_there_is_an_end_to_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < AUDIOSOCKET_NAMES_MAX; i++)
		assert_int_equal(add(i, "a"), 0);
	assert_int_equal(add(AUDIOSOCKET_NAMES_MAX, "a"), -ENOSPC);
	assert_int_equal(add(0, "b"), 0); /* it takes another's place */
	takes(0, "b");
	assert_int_equal(add(AUDIOSOCKET_NAMES_MAX, "c"), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_was_said_is_told_once),
		T(test_the_last_word_holds),
		T(test_it_is_forgotten_in_ten_minutes),
		T(test_there_is_an_end_to_it),
	};

	return cmocka_run_group_tests_name("audiosocket_names", tests, NULL,
					   NULL);
}
