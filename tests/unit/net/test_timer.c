/** @file test_timer.c  daemon/net/timer.c */
#include "daemon/net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct one {
	struct timer_once *t;
	int calls;
	int again;      /* arm it so many times more */
	int close_it;
};

static void on_due(void *arg)
{
	struct one *o = arg;

	o->calls++;
	if (o->again-- > 0)
		timer_once_start(o->t, 0);
	else if (o->close_it)
		timer_once_close(o->t);
}

static uv_loop_t loop;

static int make_loop(void **state)
{
	(void)state;
	return uv_loop_init(&loop);
}

static int end_loop(void **state)
{
	(void)state;
	uv_run(&loop, UV_RUN_DEFAULT);
	return uv_loop_close(&loop);
}

static void test_once_for_each_start(void **state)
{
	struct one o = { .again = 2 };

	(void)state;
	assert_int_equal(timer_once_open(&o.t, &loop, on_due, &o), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(o.calls, 0);            /* not armed yet */
	timer_once_start(o.t, 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(o.calls, 3);
	timer_once_close(o.t);
}

static void test_stopped_and_closed_are_silent(void **state)
{
	struct one o = {0}, p = {0};

	(void)state;
	assert_int_equal(timer_once_open(&o.t, &loop, on_due, &o), 0);
	assert_int_equal(timer_once_open(&p.t, &loop, on_due, &p), 0);
	timer_once_start(o.t, 0);
	timer_once_start(p.t, 0);
	timer_once_stop(o.t);
	timer_once_close(p.t);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(o.calls, 0);
	assert_int_equal(p.calls, 0);
	timer_once_close(o.t);
	timer_once_close(NULL);
}

static void test_the_callback_may_close_it(void **state)
{
	struct one o = { .close_it = 1 };

	(void)state;
	assert_int_equal(timer_once_open(&o.t, &loop, on_due, &o), 0);
	timer_once_start(o.t, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(o.calls, 1);
}

static void test_a_later_start_replaces_the_first(void **state)
{
	struct one o = {0};

	(void)state;
	assert_int_equal(timer_once_open(&o.t, &loop, on_due, &o), 0);
	timer_once_start(o.t, 3600 * 1000);
	timer_once_start(o.t, 0);
	uv_run(&loop, UV_RUN_DEFAULT);           /* would last an hour */
	assert_int_equal(o.calls, 1);
	timer_once_close(o.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_once_for_each_start,
						make_loop, end_loop),
		cmocka_unit_test_setup_teardown(
			test_stopped_and_closed_are_silent, make_loop,
			end_loop),
		cmocka_unit_test_setup_teardown(test_the_callback_may_close_it,
						make_loop, end_loop),
		cmocka_unit_test_setup_teardown(
			test_a_later_start_replaces_the_first, make_loop,
			end_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
