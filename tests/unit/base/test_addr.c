/** @file test_addr.c  daemon/base/addr.c */
#include "daemon/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* Parsed from an exact heap block; NULL in `printed`: refused. */
static const struct {
	const char *text;
	const char *printed;      /* without, ... */
	const char *with_port;    /* ... and with port 4000 */
	bool loopback, any;
} rows[] = {
	{ "192.0.2.1", "192.0.2.1", "192.0.2.1:4000", false, false },
	{ "0.0.0.0", "0.0.0.0", "0.0.0.0:4000", false, true },
	{ "127.255.0.9", "127.255.0.9", "127.255.0.9:4000", true, false },
	{ "128.0.0.1", "128.0.0.1", "128.0.0.1:4000", false, false },
	{ "255.255.255.255", "255.255.255.255", "255.255.255.255:4000", false,
	  false },
	{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[2001:db8::1]:4000", false,
	  false },
	{ "::1", "::1", "[::1]:4000", true, false },
	{ "::", "::", "[::]:4000", false, true },
	{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1:4000", false, false },
	{ "::FFFF:7f00:1", "127.0.0.1", "127.0.0.1:4000", true, false },
	{ "::ffff:0.0.0.0", "0.0.0.0", "0.0.0.0:4000", false, true },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:4000", false, false },
	{ .text = "" },
	{ .text = "192.0.2" },
	{ .text = "192.0.2.256" },
	{ .text = "192.0.2.1 " },
	{ .text = " 192.0.2.1" },
	{ .text = "192.0.2.1:5060" },
	{ .text = "0x7f.1" },
	{ .text = "2130706433" },
	{ .text = "localhost" },
	{ .text = "[::1]" },
	{ .text = "::1%lo" },
	{ .text = "1::2::3" },
	{ .text = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2550" },
	{ .text = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
};

static void test_addresses_are_read_and_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].text);
		char *text = malloc(len + !len), out[ADDR_TEXT];
		struct addr a;

		assert_non_null(text);
		memcpy(text, rows[i].text, len);
		memset(&a, 0xa5, sizeof(a));
		print_message("row: %s\n", rows[i].text);
		const int err = addr_parse(&a, text, len);

		free(text);
		if (!rows[i].printed) {
			struct addr untouched;

			memset(&untouched, 0xa5, sizeof(untouched));
			assert_int_equal(err, -EBADMSG);
			assert_memory_equal(&a, &untouched, sizeof(a));
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(a.port, 0);
		assert_int_equal(addr_is_loopback(&a), rows[i].loopback);
		assert_int_equal(addr_is_any(&a), rows[i].any);
		assert_string_equal(addr_print(out, &a), rows[i].printed);
		a.port = 4000;
		assert_string_equal(addr_print(out, &a), rows[i].with_port);
	}
}

static void test_a_nul_inside_is_no_address(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(addr_parse(&a, "192.0.2.1\0x", 11), -EBADMSG);
	assert_int_equal(addr_parse(&a, "\0", 1), -EBADMSG);
}

/* From the kernel's shape and back, and comparable byte by byte. */
static void test_sockaddrs_go_both_ways(void **state)
{
	static const struct {
		const char *ip;
		int family;       /* that comes back */
	} there[] = {
		{ "192.0.2.1", AF_INET },
		{ "2001:db8::1", AF_INET6 },
		{ "::ffff:10.1.2.3", AF_INET },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(there); i++) {
		struct sockaddr_storage ss, back;
		struct addr a, b;

		print_message("row: %s\n", there[i].ip);
		memset(&a, 0x11, sizeof(a));
		memset(&b, 0x22, sizeof(b));
		memset(&ss, 0xee, sizeof(ss));
		if (strchr(there[i].ip, ':')) {
			struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

			in6->sin6_family = AF_INET6;
			in6->sin6_port = htons(65535);
			inet_pton(AF_INET6, there[i].ip, &in6->sin6_addr);
		} else {
			struct sockaddr_in *in = (struct sockaddr_in *)&ss;

			in->sin_family = AF_INET;
			in->sin_port = htons(65535);
			inet_pton(AF_INET, there[i].ip, &in->sin_addr);
		}
		assert_int_equal(addr_from_sockaddr(&a, (void *)&ss), 0);
		assert_int_equal(a.port, 65535);

		const socklen_t len = addr_to_sockaddr(&back, &a);
		assert_int_equal(back.ss_family, there[i].family);
		assert_int_equal(len, there[i].family == AF_INET
					      ? sizeof(struct sockaddr_in)
					      : sizeof(struct sockaddr_in6));
		assert_int_equal(addr_from_sockaddr(&b, (void *)&back), 0);
		assert_true(addr_equal(&a, &b));
		assert_int_equal(addr_hash(&a), addr_hash(&b));
		assert_memory_equal(a.ip, b.ip, sizeof(a.ip));
	}

	struct sockaddr local = { .sa_family = AF_UNIX };
	struct addr a = { .port = 7 };
	assert_int_equal(addr_from_sockaddr(&a, &local), -EBADMSG);
	assert_int_equal(a.port, 7);
}

static void test_addresses_are_compared(void **state)
{
	static const struct {
		const char *a;
		uint16_t pa;
		const char *b;
		uint16_t pb;
		bool equal, same_ip;
	} pairs[] = {
		{ "10.0.0.1", 1, "10.0.0.1", 1, true, true },
		{ "10.0.0.1", 1, "10.0.0.1", 2, false, true },
		{ "10.0.0.1", 1, "10.0.0.2", 1, false, false },
		{ "10.0.0.1", 1, "::ffff:10.0.0.1", 1, true, true },
		{ "0.0.0.0", 1, "::", 1, false, false },
		{ "::1", 1, "::1", 1, true, true },
		/* the same sixteen bytes */
		{ "10.0.0.1", 1, "a00:1::", 1, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct addr a, b;

		print_message("row: %s %s\n", pairs[i].a, pairs[i].b);
		assert_int_equal(addr_parse(&a, pairs[i].a,
					    strlen(pairs[i].a)), 0);
		assert_int_equal(addr_parse(&b, pairs[i].b,
					    strlen(pairs[i].b)), 0);
		a.port = pairs[i].pa;
		b.port = pairs[i].pb;
		assert_int_equal(addr_equal(&a, &b), pairs[i].equal);
		assert_int_equal(addr_same_ip(&a, &b), pairs[i].same_ip);
		if (pairs[i].equal)
			assert_int_equal(addr_hash(&a), addr_hash(&b));
		else
			assert_int_not_equal(addr_hash(&a), addr_hash(&b));
	}
}

static void test_no_address_is_nothing(void **state)
{
	const struct addr none = {0};
	char out[ADDR_TEXT];

	(void)state;
	assert_string_equal(addr_print(out, &none), "");
	assert_false(addr_is_any(&none));
	assert_false(addr_is_loopback(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_read_and_printed),
		cmocka_unit_test(test_a_nul_inside_is_no_address),
		cmocka_unit_test(test_sockaddrs_go_both_ways),
		cmocka_unit_test(test_addresses_are_compared),
		cmocka_unit_test(test_no_address_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
