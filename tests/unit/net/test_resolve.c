/** @file test_resolve.c  Which names are asked for, and the answers */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/net/resolve.h"

#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct {
	const char *host;
	bool ok;
} hosts[] = {
	{ "localhost", true },
	{ "asr.example.com", true },
	{ "asr.example.com.", true },
	{ "1.example", true },
	{ "under_score.test", true },
	{ "xn--bcher-kva.example", true },
	{ "192.0.2.1", true },
	{ "2001:db8::1", true },
	{ L63 "." L63 "." L63 "." "abcdefghijabcdefghijabcdefghijabcdefghij"
	  "abcdefghijabcdefghija", true }, /* 253 */
	{ L63 "." L63 "." L63 "." "abcdefghijabcdefghijabcdefghijabcdefghij"
	  "abcdefghijabcdefghijab", false },
	{ "", false },
	{ ".", false },
	{ ".a", false },
	{ "a..b", false },
	{ "a b", false },
	{ "a\n", false },
	{ "a/b", false },
	{ "a:1", false },
	{ "[::1]", false },
	{ "b\xc3\xbc" "cher.example", false },
	/* forms that inet_aton() takes for addresses */
	{ "0x7f.1", false },
	{ "127.1", false },
	{ "2130706433", false },
	{ "0177.0.0.1", false },
	{ "127.0.0.1.", false },
	{ "1.2.3.256", false },
	{ "0x7f000001", false },
};

static void test_names(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (resolve_host_ok(hosts[i].host) != hosts[i].ok) {
			print_error("\"%s\"\n", hosts[i].host);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

struct answer {
	size_t n, calls;
	struct addr first;
};

static void on_answer(const struct addr *a, size_t n, const char *error,
		      void *arg)
{
	struct answer *got = arg;

	got->calls++;
	got->n = n;
	if (n)
		got->first = a[0];
	else
		assert_true(*error);
}

static void test_localhost(void **state)
{
	struct answer got = {0};
	struct resolve *r = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(resolve_open(&r, &loop, "a b", 1, on_answer, &got),
			 -EINVAL);
	assert_null(r);
	assert_int_equal(resolve_open(&r, &loop, "localhost", 77, on_answer,
				      &got), 0);
	assert_int_equal(got.calls, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(got.calls, 1);
	assert_true(got.n >= 1);
	assert_true(addr_is_loopback(&got.first));
	assert_int_equal(got.first.port, 77);
	resolve_close(r);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_closed_is_silent(void **state)
{
	struct answer got = {0};
	struct resolve *r[16];
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(resolve_open(&r[i], &loop, "localhost", 1,
					      on_answer, &got), 0);
	for (size_t i = 0; i < 16; i++)
		resolve_close(r[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(got.calls, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_closed_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
