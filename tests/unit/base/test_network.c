/** @file test_network.c  daemon/base/network.c */
#include "daemon/base/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* NULL in `in` and `out`: refused. */
static const struct {
	const char *text, *in, *out;
} rows[] = {
	{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
	{ "192.0.2.0/24", "192.0.2.0", "191.0.2.0" },
	{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
	{ "192.0.2.8/30", "192.0.2.11", "192.0.2.12" },
	{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
	{ "192.0.2.7/32", "192.0.2.7", "192.0.2.5" },
	{ "10.0.0.0/9", "10.127.255.255", "10.128.0.0" },
	{ "0.0.0.0/0", "255.1.2.3", "2001:db8::1" },
	{ "::/0", "2001:db8::1", "192.0.2.1" },
	{ "2001:db8::/32", "2001:db8:ffff::", "2001:db9::" },
	{ "2001:db8::/47", "2001:db8:1::5", "2001:db8:2::5" },
	{ "2001:db8::1", "2001:db8::1", "2001:db8::" },
	{ "::ffff:192.0.2.0/24", "192.0.2.9", "192.0.1.9" },
	{ .text = "" },
	{ .text = "/" },
	{ .text = "/24" },
	{ .text = "192.0.2.0/" },
	{ .text = "192.0.2.0/33" },
	{ .text = "192.0.2.0/-1" },
	{ .text = "192.0.2.0/24 " },
	{ .text = "192.0.2.0/255.255.255.0" },
	{ .text = "192.0.2.1/24" },
	{ .text = "128.0.0.0/0" },
	{ .text = "2001:db8::1/64" },
	{ .text = "2001:db8::/129" },
	{ .text = "192.0.2.0/24/24" },
	{ .text = "localhost" },
};

static void test_networks_hold_their_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].text);
		char *text = malloc(len + !len);
		struct network n, before;
		struct addr a;

		print_message("%s\n", rows[i].text);
		assert_non_null(text);
		memcpy(text, rows[i].text, len);
		memset(&n, 0x5a, sizeof(n));
		before = n;
		const int err = network_parse(&n, text, len);
		free(text);
		if (!rows[i].in) {
			assert_int_equal(err, -EBADMSG);
			assert_memory_equal(&n, &before, sizeof(n));
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(addr_parse(&a, rows[i].in,
					    strlen(rows[i].in)), 0);
		a.port = 5060;
		assert_true(network_has(&n, &a));
		assert_int_equal(addr_parse(&a, rows[i].out,
					    strlen(rows[i].out)), 0);
		assert_false(network_has(&n, &a));
	}
}

static void test_nobody_is_in_no_network(void **state)
{
	const struct addr nobody = {0};
	struct network n;

	(void)state;
	assert_int_equal(network_parse(&n, "0.0.0.0/0", 9), 0);
	assert_false(network_has(&n, &nobody));
}

static void test_a_list_holds_what_any_of_it_does(void **state)
{
	char one[] = "192.0.2.0/24", bad[] = "nonsense", two[] = "::1";
	char *list[] = { one, bad, two, NULL };
	struct addr a, b, c;

	(void)state;
	assert_int_equal(addr_parse(&a, "192.0.2.7", 9), 0);
	assert_int_equal(addr_parse(&b, "::1", 3), 0);
	assert_int_equal(addr_parse(&c, "127.0.0.1", 9), 0);
	assert_true(network_any_has(list, &a));
	assert_true(network_any_has(list, &b));
	assert_false(network_any_has(list, &c));
	assert_false(network_any_has(NULL, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks_hold_their_addresses),
		cmocka_unit_test(test_nobody_is_in_no_network),
		cmocka_unit_test(test_a_list_holds_what_any_of_it_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
