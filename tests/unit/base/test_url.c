/** @file test_url.c  daemon/base/url.c */
#include "daemon/base/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
	const char *text;
	int err;
	bool tls;
	const char *host;
	uint16_t port;
	const char *target;
} rows[] = {
	{ "wss://stt.example.com", 0, true, "stt.example.com", 443, "/" },
	{ "ws://localhost:2700", 0, false, "localhost", 2700, "/" },
	{ "WSS://Host/v1/x?a=b&c=%20", 0, true, "Host", 443,
	  "/v1/x?a=b&c=%20" },
	{ "ws://127.0.0.1", 0, false, "127.0.0.1", 80, "/" },
	{ "ws://[::1]:65535/", 0, false, "::1", 65535, "/" },
	{ "ws://a_b-c.d", 0, false, "a_b-c.d", 80, "/" },
	{ "wss://" L63 ".x", 0, true, L63 ".x", 443, "/" },
	{ "wss://" L63 "h.x", -EINVAL, 0, 0, 0, 0 },
	{ "wss://" L63 "." L63 "." L63 "." L63, -EINVAL, 0, 0, 0, 0 },
	{ "", -EINVAL, 0, 0, 0, 0 },
	{ "http://x", -EINVAL, 0, 0, 0, 0 },
	{ "wss:/x", -EINVAL, 0, 0, 0, 0 },
	{ "wss://", -EINVAL, 0, 0, 0, 0 },
	{ "wss:///path", -EINVAL, 0, 0, 0, 0 },
	{ "wss://user:pw@host/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://user@host/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host/#part", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host#part", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host?x=1", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host:/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host:0/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host:65536/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host:+1/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://ho st/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host/a b", -EINVAL, 0, 0, 0, 0 },
	{ "wss://host/a\r\nX: y", -EINVAL, 0, 0, 0, 0 },
	{ "wss://h\xc3\xb6st/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://a..b/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://[::1", -EINVAL, 0, 0, 0, 0 },
	{ "wss://[::1]x/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://[127.0.0.1]/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://[]/", -EINVAL, 0, 0, 0, 0 },
	{ "wss://::1/", -EINVAL, 0, 0, 0, 0 },
};

static void test_urls_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct url u = { .host = "untouched" };
		char *text = strdup(rows[i].text);

		assert_non_null(text);
		print_message("row: %s\n", rows[i].text);
		assert_int_equal(url_parse(&u, text), rows[i].err);
		if (rows[i].err) {
			assert_string_equal(u.host, "untouched");
		} else {
			assert_int_equal(u.tls, rows[i].tls);
			assert_string_equal(u.host, rows[i].host);
			assert_int_equal(u.port, rows[i].port);
			assert_string_equal(u.target, rows[i].target);
		}
		free(text);
	}
}

static void test_proxies(void **state)
{
	static const struct {
		const char *text;
		const char *host; /* NULL: refused */
		uint16_t port;
	} proxies[] = {
		{ "http://proxy.example:3128", "proxy.example", 3128 },
		{ "HTTP://p:1/", "p", 1 },
		{ "http://[::1]:8080", "::1", 8080 },
		{ "http://192.0.2.1:65535", "192.0.2.1", 65535 },
		{ "", NULL, 0 },
		{ "http://p", NULL, 0 },
		{ "http://p/", NULL, 0 },
		{ "http://:1", NULL, 0 },
		{ "http://p:0", NULL, 0 },
		{ "http://p:65536", NULL, 0 },
		{ "http://p:1/x", NULL, 0 },
		{ "http://p:1?x", NULL, 0 },
		{ "http://u:w@p:1", NULL, 0 },
		{ "http://p p:1", NULL, 0 },
		{ "https://p:1", NULL, 0 },
		{ "socks5://p:1", NULL, 0 },
		{ "p:3128", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		char host[254] = "untouched";
		uint16_t port = 7;

		print_message("row: %s\n", proxies[i].text);
		assert_int_equal(url_parse_proxy(host, &port, proxies[i].text),
				 proxies[i].host ? 0 : -EINVAL);
		assert_string_equal(host, proxies[i].host ? proxies[i].host
							  : "untouched");
		assert_int_equal(port, proxies[i].host ? proxies[i].port : 7);
	}
}

static void test_loopback_is_told_from_the_network(void **state)
{
	static const struct {
		const char *host;
		bool loopback;
	} hosts[] = {
		{ "localhost", true },      { "LocalHost", true },
		{ "127.0.0.1", true },      { "127.9.9.9", true },
		{ "::1", true },            { "128.0.0.1", false },
		{ "10.0.0.1", false },      { "::2", false },
		{ "localhost.example", false }, { "127.0.0.1.example", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		print_message("row: %s\n", hosts[i].host);
		assert_int_equal(url_host_is_loopback(hosts[i].host),
				 hosts[i].loopback);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls_are_taken_apart),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_loopback_is_told_from_the_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
