/** @file test_resolve.c  Which names are asked for, and the answers */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/log.h"
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

/* -- a name server of ours ---------------------------------------------------- */

/* libuv asks getaddrinfo(), which is this one.  Names below ".test" are ours:
 * all answer alike, or fail, or wait until they are let go. */
static struct {
	uv_mutex_t lock;
	uv_cond_t changed;
	unsigned calls, inside;
	bool held;     /* nobody gets out */
	bool failing;
} dns;

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *,
			   struct addrinfo **);

int getaddrinfo(const char *restrict node, const char *restrict service,
		const struct addrinfo *restrict hints,
		struct addrinfo **restrict out)
{
	getaddrinfo_fn *real;
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");
	bool failing;

	memcpy(&real, &found, sizeof(real));
	if (!node || !strstr(node, ".test"))
		return real(node, service, hints, out);
	uv_mutex_lock(&dns.lock);
	dns.calls++;
	dns.inside++;
	uv_cond_broadcast(&dns.changed);
	while (dns.held)
		uv_cond_wait(&dns.changed, &dns.lock);
	dns.inside--;
	failing = dns.failing;
	uv_mutex_unlock(&dns.lock);
	if (failing)
		return EAI_AGAIN;
	const struct addrinfo numeric = { .ai_socktype = SOCK_STREAM,
					  .ai_flags = AI_NUMERICHOST };

	return real("192.0.2.5", NULL, &numeric, out);
}

static void dns_set(bool held, bool failing)
{
	uv_mutex_lock(&dns.lock);
	dns.held = held;
	dns.failing = failing;
	uv_cond_broadcast(&dns.changed);
	uv_mutex_unlock(&dns.lock);
}

static void dns_wait(unsigned inside)
{
	uv_mutex_lock(&dns.lock);
	while (dns.inside < inside)
		uv_cond_wait(&dns.changed, &dns.lock);
	uv_mutex_unlock(&dns.lock);
}

/* -- asking --------------------------------------------------------------------- */

struct ask {
	struct resolve *q;
	size_t n, calls;
	struct addr first;
	char error[80];
	struct bench *bench;
	struct ask *close;    /* inside the callback */
	bool close_resolver, again;
};

struct bench {
	uv_loop_t loop;
	struct resolver *r;
	struct ask ask[500];
	unsigned answered;
};

static void on_answer(const struct addr *a, size_t n, const char *error,
		      void *arg)
{
	struct ask *k = arg;

	assert_non_null(k->q); /* silence after closing */
	k->calls++;
	k->bench->answered++;
	k->n = n;
	snprintf(k->error, sizeof(k->error), "%s", n ? "" : error);
	if (n)
		k->first = a[0];
	if (k->close) {
		resolve_close(k->close->q);
		k->close->q = NULL;
	}
	if (k->again) {
		k->again = false;
		resolve_close(k->q);
		assert_int_equal(resolve_open(&k->q, k->bench->r, "good.test",
					      2, on_answer, k), 0);
	}
	if (k->close_resolver) {
		resolver_close(k->bench->r);
		k->bench->r = NULL;
	}
}

static void bench_open(struct bench *b, const struct resolver_options *o)
{
	memset(b, 0, sizeof(*b));
	dns.calls = 0;
	dns_set(false, false);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(resolver_open(&b->r, &b->loop, o), 0);
}

static void ask(struct bench *b, size_t i, const char *host)
{
	b->ask[i].bench = b;
	assert_int_equal(resolve_open(&b->ask[i].q, b->r, host, 77, on_answer,
				      &b->ask[i]), 0);
	assert_int_equal(b->ask[i].calls, 0);
}

static void bench_end(struct bench *b)
{
	for (size_t i = 0; i < 500; i++) {
		resolve_close(b->ask[i].q);
		b->ask[i].q = NULL;
	}
	resolver_close(b->r);
	dns_set(false, false);
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

/* One question from its beginning to its answer. */
static struct ask *once(struct bench *b, const char *host)
{
	const unsigned before = b->answered;

	resolve_close(b->ask[0].q);
	b->ask[0] = (struct ask){0};
	ask(b, 0, host);
	while (b->answered == before)
		uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(b->ask[0].calls, 1);
	return &b->ask[0];
}

static struct bench bench; /* too large for a stack */

static void test_localhost(void **state)
{
	struct bench *b = &bench;
	struct resolve *q = NULL;
	const struct ask *got;

	(void)state;
	bench_open(b, NULL);
	assert_int_equal(resolve_open(&q, b->r, "a b", 1, on_answer, NULL),
			 -EINVAL);
	assert_null(q);
	got = once(b, "localhost");
	assert_true(got->n >= 1);
	assert_true(addr_is_loopback(&got->first));
	assert_int_equal(got->first.port, 77);
	bench_end(b);
}

static void test_500_who_ask_are_one_job(void **state)
{
	struct bench *b = &bench;

	(void)state;
	bench_open(b, NULL);
	dns_set(true, false);
	for (size_t i = 0; i < 500; i++)
		ask(b, i, i % 2 ? "good.test" : "GOOD.test");
	dns_wait(1);
	dns_set(false, false);
	while (b->answered < 500)
		uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(dns.calls, 1);
	for (size_t i = 0; i < 500; i++) {
		assert_int_equal(b->ask[i].calls, 1);
		assert_int_equal(b->ask[i].n, 1);
		assert_int_equal(b->ask[i].first.ip[3], 5);
		assert_int_equal(b->ask[i].first.port, 77);
	}
	/* the next one asks anew: addresses change */
	once(b, "good.test");
	assert_int_equal(dns.calls, 2);
	bench_end(b);
}

static void test_a_host_that_hangs_holds_up_no_other(void **state)
{
	struct bench *b = &bench;

	(void)state;
	bench_open(b, NULL);
	dns_set(true, false);
	for (size_t i = 1; i < 100; i++)
		ask(b, i, "held.test");
	dns_wait(1);
	assert_true(once(b, "localhost")->n >= 1);
	assert_int_equal(b->answered, 1);
	bench_end(b);
}

static void test_an_old_answer_serves_when_names_do_not(void **state)
{
	static const struct {
		const char *name;
		bool known;      /* it was answered before */
		bool held, failing;
		uint32_t keep_ms;
		size_t n;
		const char *error;
	} rows[] = {
		{ "answers", false, false, false, 0, 1, "" },
		{ "fails, nothing known", false, false, true, 0, 0,
		  "temporary failure" },
		{ "hangs, nothing known", false, true, false, 0, 0,
		  "does not answer" },
		{ "fails, known", true, false, true, 0, 1, "" },
		{ "hangs, known", true, true, false, 0, 1, "" },
		{ "fails, known too long ago", true, false, true, 1, 0,
		  "temporary failure" },
		{ "hangs, known too long ago", true, true, false, 1, 0,
		  "does not answer" },
	};
	struct bench *b = &bench;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct resolver_options o = {
			.wait_ms = 60, .old_ms = 20, .keep_ms = rows[i].keep_ms,
		};
		const struct ask *got;

		bench_open(b, &o);
		if (rows[i].known) {
			const uint64_t from = uv_hrtime();

			assert_int_equal(once(b, "good.test")->n, 1);
			while (uv_hrtime() - from < 3000000 && rows[i].keep_ms)
				;
		}
		dns_set(rows[i].held, rows[i].failing);
		got = once(b, "good.test");
		if (got->n != rows[i].n ||
		    (*rows[i].error && !strstr(got->error, rows[i].error)))
			fail_msg("%s: %zu %s", rows[i].name, got->n,
				 got->error);
		if (got->n) {
			assert_int_equal(got->first.ip[3], 5);
			assert_int_equal(got->first.port, 77);
		}
		/* a name server that is back is believed again */
		dns_set(false, false);
		assert_int_equal(once(b, "good.test")->n, 1);
		bench_end(b);
	}
}

static void test_callbacks_may_close_and_ask(void **state)
{
	struct bench *b = &bench;

	(void)state;
	bench_open(b, NULL);
	dns_set(true, false);
	for (size_t i = 0; i < 5; i++)
		ask(b, i, "good.test");
	b->ask[0].close = &b->ask[1];
	b->ask[2].close = &b->ask[2];
	b->ask[3].again = true;
	dns_set(false, false);
	while (b->answered < 5) /* 0 2 3 4, and 3 again */
		uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(b->ask[1].calls, 0);
	assert_int_equal(b->ask[3].calls, 2);
	assert_int_equal(b->ask[3].first.port, 2);
	bench_end(b);

	bench_open(b, NULL);
	for (size_t i = 0; i < 5; i++)
		ask(b, i, "good.test");
	b->ask[1].close_resolver = true;
	uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->answered, 2);
	bench_end(b);
}

static void test_closed_is_silent(void **state)
{
	struct bench *b = &bench;

	(void)state;
	for (int first = 0; first < 2; first++) {
		bench_open(b, NULL);
		dns_set(true, false);
		for (size_t i = 0; i < 16; i++)
			ask(b, i, i % 2 ? "good.test" : "held.test");
		if (first) { /* the resolver before those who ask */
			resolver_close(b->r);
			b->r = NULL;
		}
		for (size_t i = 0; i < 16; i++) {
			resolve_close(b->ask[i].q);
			b->ask[i].q = NULL;
		}
		bench_end(b);
		assert_int_equal(b->answered, 0);
	}
	resolve_close(NULL);
	resolver_close(NULL);
}

static int make(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR); /* what serves although it is old is told */
	return uv_mutex_init(&dns.lock) || uv_cond_init(&dns.changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_localhost),
		cmocka_unit_test(test_500_who_ask_are_one_job),
		cmocka_unit_test(test_a_host_that_hangs_holds_up_no_other),
		cmocka_unit_test(test_an_old_answer_serves_when_names_do_not),
		cmocka_unit_test(test_callbacks_may_close_and_ask),
		cmocka_unit_test(test_closed_is_silent),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
