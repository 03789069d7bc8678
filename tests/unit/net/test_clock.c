/** @file test_clock.c  daemon/net/clock.c */
#include "daemon/net/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static uv_loop_t loop;
static struct timers *timers;
static struct clock_live *media;

struct alarm {
	struct timer timer;   /* first: the callback gets it */
	uint64_t due_us;      /* what it was told; 0: not yet */
	uv_timer_t keep;      /* the clock does not keep the loop alive */
};

static void on_due(struct timer *t, uint64_t now_us)
{
	struct alarm *a = (struct alarm *)(void *)t;

	a->due_us = now_us;
	uv_timer_stop(&a->keep);
}

static void on_patience(uv_timer_t *h)
{
	(void)h;
	fail_msg("the timer did not come due within ten seconds");
}

static void test_it_begins_at_the_wall_clock_and_never_goes_back(void **state)
{
	uint64_t last = clock_live_run(media);
	const uint64_t wall = (uint64_t)time(NULL) * 1000000;

	(void)state;
	assert_in_range(last, wall - 5000000, wall + 5000000);
	for (int i = 0; i < 1000; i++) {
		const uint64_t now = clock_live_run(media);

		assert_true(now >= last);
		assert_true(timers_now_us(timers) == now);
		last = now;
	}
}

static void test_what_is_armed_comes_due_on_the_loop(void **state)
{
	struct alarm a = {0};
	const uint64_t at = clock_live_run(media) + 2000;

	(void)state;
	uv_timer_init(&loop, &a.keep);
	uv_timer_start(&a.keep, on_patience, 10000, 0);
	a.timer.due = on_due;
	assert_int_equal(timers_arm(timers, &a.timer, at), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(a.due_us >= at);
	uv_close((uv_handle_t *)&a.keep, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_a_loop_with_nothing_else_ends(void **state)
{
	struct alarm a = { .timer.due = on_due };

	(void)state;
	assert_int_equal(timers_arm(timers, &a.timer,
				    clock_live_run(media) + 3600000000u), 0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(a.due_us, 0);
	timers_disarm(timers, &a.timer);
}

static int open_all(void **state)
{
	(void)state;
	return uv_loop_init(&loop) || timers_new(&timers) ||
	       clock_live_open(&media, &loop, timers);
}

static int close_all(void **state)
{
	(void)state;
	clock_live_close(media);
	clock_live_close(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	timers_free(timers);
	return uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_it_begins_at_the_wall_clock_and_never_goes_back,
			open_all, close_all),
		cmocka_unit_test_setup_teardown(
			test_what_is_armed_comes_due_on_the_loop, open_all,
			close_all),
		cmocka_unit_test_setup_teardown(
			test_a_loop_with_nothing_else_ends, open_all,
			close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
