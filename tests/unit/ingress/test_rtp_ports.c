/** @file test_rtp_ports.c  Pairs: even, random, each once, a rest of 30 s */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/ingress/rtp_ports.h"

static const uint8_t loopback[4] = { 127, 0, 0, 1 };

static struct rtp_ports *ports_of(unsigned first, unsigned last,
				  struct timers *timers)
{
	const struct addr at = addr_v4(loopback, 0);
	struct rtp_ports *p = NULL;

	assert_int_equal(rtp_ports_new(&p, &at, (uint16_t)first,
				       (uint16_t)last, timers), 0);
	return p;
}

static void test_ranges(void **state)
{
	static const struct {
		unsigned first, last, pairs;
	} rows[] = {
		{ 24000, 24001, 1 }, { 24000, 24002, 1 }, { 24001, 24003, 1 },
		{ 24001, 24004, 1 }, { 24000, 24003, 2 }, { 24001, 24002, 0 },
		{ 24000, 24000, 0 }, { 24003, 24000, 0 }, { 0, 9, 0 },
		{ 65534, 65535, 1 }, { 65535, 65535, 0 }, { 1, 65535, 32767 },
	};
	const struct addr at = addr_v4(loopback, 0);
	struct timers *timers;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rtp_ports *p = NULL;
		const int err = rtp_ports_new(&p, &at, (uint16_t)rows[i].first,
					      (uint16_t)rows[i].last, timers);

		if (err != (rows[i].pairs ? 0 : -EINVAL) ||
		    (p && rtp_ports_limit(p) != rows[i].pairs))
			fail_msg("%u-%u: %d", rows[i].first, rows[i].last, err);
		rtp_ports_free(p);
	}
	timers_free(timers);
}

static void test_each_once_and_even_then_none(void **state)
{
	bool seen[100] = {false};
	struct timers *timers;
	uint16_t port;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	struct rtp_ports *p = ports_of(30001, 30100, timers);
	for (unsigned i = 0; i < 49; i++) {
		assert_int_equal(rtp_ports_take(p, &port), 0);
		assert_in_range(port, 30002, 30098);
		assert_int_equal(port % 2, 0);
		assert_false(seen[port - 30001]);
		seen[port - 30001] = true;
		assert_int_equal(rtp_ports_used(p), i + 1);
	}
	assert_int_equal(rtp_ports_take(p, &port), -EADDRNOTAVAIL);
	rtp_ports_free(p);
	timers_free(timers);
}

static void test_not_again_for_thirty_seconds(void **state)
{
	struct timers *timers;
	uint16_t a, b, again;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	timers_run(timers, 1000000);
	struct rtp_ports *p = ports_of(30000, 30003, timers);
	assert_int_equal(rtp_ports_take(p, &a), 0);
	assert_int_equal(rtp_ports_take(p, &b), 0);
	for (unsigned round = 0; round < 5; round++) {
		rtp_ports_give_back(p, a);
		timers_run(timers, timers_now_us(timers) + 1);
		rtp_ports_give_back(p, b);
		assert_int_equal(rtp_ports_used(p), 0);
		timers_run(timers, timers_now_us(timers) + 30000000 - 2);
		assert_int_equal(rtp_ports_take(p, &again), -EADDRNOTAVAIL);
		timers_run(timers, timers_now_us(timers) + 1);
		assert_int_equal(rtp_ports_take(p, &again), 0);
		assert_int_equal(again, a);
		assert_int_equal(rtp_ports_take(p, &again), -EADDRNOTAVAIL);
		timers_run(timers, timers_now_us(timers) + 1);
		assert_int_equal(rtp_ports_take(p, &again), 0);
		assert_int_equal(again, b);
	}
	rtp_ports_free(p);
	timers_free(timers);
}

static void test_in_random_order(void **state)
{
	struct timers *timers;
	unsigned rising = 0;
	uint16_t port, last = 0;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	struct rtp_ports *p = ports_of(20000, 60000, timers);
	for (unsigned i = 0; i < 400; i++) {
		assert_int_equal(rtp_ports_take(p, &port), 0);
		rising += port > last;
		last = port;
	}
	/* binomial, 400 at 1/2: +-8 sigma */
	assert_in_range(rising, 120, 280);
	rtp_ports_free(p);
	timers_free(timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_each_once_and_even_then_none),
		cmocka_unit_test(test_not_again_for_thirty_seconds),
		cmocka_unit_test(test_in_random_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
