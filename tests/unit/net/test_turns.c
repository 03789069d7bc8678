/** @file test_turns.c  daemon/net/turns.c */
#include "daemon/net/turns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { WORK_US = 20000 };

static uint64_t cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Three turns; the second works for WORK_US of the processor's time. */
static void on_turn(uv_timer_t *h)
{
	int *n = h->data;

	if (++*n == 2) {
		const uint64_t until = cpu_us() + WORK_US;

		while (cpu_us() < until)
			;
	}
	if (*n == 4)
		uv_close((uv_handle_t *)h, NULL);
}

static void test_the_longest_turn_is_told(void **state)
{
	struct turns *t = NULL;
	uv_timer_t timer;
	uv_loop_t loop;
	int n = 0;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(turns_open(&t, &loop), 0);
	assert_int_equal(turns_longest_us(t), 0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* not kept alive */
	uv_timer_init(&loop, &timer);
	timer.data = &n;
	uv_timer_start(&timer, on_turn, 0, 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(n, 4);
	assert_true(turns_longest_us(t) >= WORK_US);
	turns_close(t);
	turns_close(NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_turn_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
