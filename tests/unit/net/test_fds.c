/** @file test_fds.c  daemon/net/fds.c */
#include "daemon/net/fds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 64, MOST = 100 };

static void test_down_to_none(void **state)
{
	struct rlimit before, few;
	int open[MOST], n = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = LIMIT;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_true(fds_left(8));
	assert_false(fds_left(LIMIT));
	while (n < MOST && (open[n] = dup(STDERR_FILENO)) >= 0) {
		n++;
		/* the next is open[n - 1] + 1 */
		assert_int_equal(fds_left(1), open[n - 1] + 1 < LIMIT);
		assert_int_equal(fds_left(10), open[n - 1] + 10 < LIMIT);
	}
	assert_in_range(n, 10, LIMIT);
	assert_false(fds_left(0));
	while (n)
		close(open[--n]);
	assert_true(fds_left(8));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_down_to_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
