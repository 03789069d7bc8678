/**
 * @file test_retry.c  daemon/call/retry.c
 *
 * Rows from the reconnect policy (reliability notes, section 2.2): full
 * jitter, 250 ms doubled up to 5 s; restarts over a second; a lost network
 * once at once; what needs a person every 30 to 60 s.
 */
#include "daemon/call/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const struct {
	enum reason_class class;
	uint32_t after_ms;    /* Retry-After */
	unsigned tries;
	uint32_t low, high;   /* at chance 0, and just below 1 */
} rows[] = {
	{ REASON_DNS, 0, 1, 0, 249 },
	{ REASON_TCP, 0, 1, 0, 249 },
	{ REASON_TCP, 0, 2, 0, 499 },
	{ REASON_TCP, 0, 3, 0, 999 },
	{ REASON_TCP, 0, 4, 0, 1999 },
	{ REASON_TCP, 0, 5, 0, 3999 },
	{ REASON_TCP, 0, 6, 0, 4999 },
	{ REASON_TCP, 0, 7, 0, 4999 },
	{ REASON_TCP, 0, 4000000000u, 0, 4999 },
	{ REASON_TCP, 0, 0, 0, 249 },
	{ REASON_SERVER, 0, 2, 0, 499 },
	{ REASON_TIMEOUT, 0, 2, 0, 499 },
	{ REASON_PROTOCOL, 0, 2, 0, 499 },
	{ REASON_SPEED, 0, 2, 0, 499 },
	{ REASON_NETWORK, 0, 1, 0, 0 },
	{ REASON_NETWORK, 0, 2, 0, 499 },
	{ REASON_RESTART, 0, 1, 0, 999 },
	{ REASON_RESTART, 0, 3, 1000, 1999 },
	{ REASON_SESSION, 0, 1, 0, 999 },
	{ REASON_QUOTA, 0, 1, 1000, 1249 },
	{ REASON_QUOTA, 0, 9, 1000, 5999 },
	{ REASON_AUTH, 0, 1, 30000, 59999 },
	{ REASON_PAYMENT, 0, 1, 30000, 59999 },
	{ REASON_TLS, 0, 5, 30000, 59999 },
	{ REASON_CONFIG, 0, 1, 30000, 59999 },
	/* as the service asked, up to a minute, spread by a tenth */
	{ REASON_QUOTA, 7000, 1, 7000, 7699 },
	{ REASON_SERVER, 2000, 1, 2000, 2199 },
	{ REASON_NETWORK, 1000, 1, 1000, 1099 },
	{ REASON_QUOTA, 4000000000u, 1, 60000, 65999 },
	/* ... but who needs a person is not helped by coming sooner */
	{ REASON_AUTH, 1000, 1, 30000, 59999 },
};

static void test_delays(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct reason why = {
			.class = rows[i].class,
			.retry_after_ms = rows[i].after_ms,
		};
		uint32_t last = 0;

		print_message("row: %s, try %u\n", reason_name(rows[i].class),
			      rows[i].tries);
		assert_int_equal(retry_delay_ms(&why, rows[i].tries, 0),
				 rows[i].low);
		assert_int_equal(retry_delay_ms(&why, rows[i].tries,
						UINT32_MAX), rows[i].high);
		for (uint32_t k = 0; k < 256; k++) {
			const uint32_t ms = retry_delay_ms(
				&why, rows[i].tries, k << 24);

			assert_true(ms >= last); /* all of it is used */
			last = ms;
		}
	}
}

static void test_what_needs_a_person(void **state)
{
	(void)state;
	for (unsigned c = 0; c < REASON_CLASSES; c++)
		assert_int_equal(retry_is_hopeless((enum reason_class)c),
				 c == REASON_AUTH || c == REASON_PAYMENT ||
					 c == REASON_TLS ||
					 c == REASON_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_what_needs_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
