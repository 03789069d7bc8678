/** @file test_udp.c  Datagrams of all sizes, whole, with sender and time */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/net/udp.h"

struct got {
	unsigned n;
	size_t len;
	uint8_t first, last;
	struct addr from, to;
	uint64_t at_us;
	struct udp *close;
};

static uv_loop_t loop;
static struct timers *timers;

static void on_packet(const struct packet *p, void *arg)
{
	struct got *g = arg;

	g->n++;
	g->len = p->len;
	assert_int_equal(p->wire_len, p->len);
	g->first = p->len ? p->data[0] : 0;
	g->last = p->len ? p->data[p->len - 1] : 0;
	g->from = p->from;
	g->to = p->to;
	g->at_us = p->at_us;
	udp_close(g->close);
}

static struct udp *udp_at(const char *ip, uint16_t port, struct got *g, int want)
{
	struct udp_options o = { .loop = &loop, .timers = timers };
	struct udp *u = NULL;

	assert_int_equal(addr_parse(&o.at, ip, strlen(ip)), 0);
	o.at.port = port;
	assert_int_equal(udp_open(&u, &o, on_packet, g), want);
	return u;
}

static void turn(void)
{
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void test_whole(void **state)
{
	static const char *const ips[] = { "127.0.0.1", "::1" };
	static const size_t sizes[] = { 0, 1, 172, 1500, 9000, 65000 };
	static uint8_t data[65536];

	(void)state;
	for (size_t f = 0; f < ARRAY_LEN(ips); f++) {
		struct got a = {0}, b = {0};
		struct udp *from = udp_at(ips[f], 0, &a, 0);
		struct udp *to = udp_at(ips[f], 0, &b, 0);
		const struct addr at = udp_address(to), back = udp_address(from);

		assert_int_not_equal(at.port, 0);
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			const size_t n = sizes[i];

			data[0] = 7;
			data[n ? n - 1 : 0] = (uint8_t)(i + 1);
			timers_run(timers, timers_now_us(timers) + 5);
			assert_int_equal(udp_send(from, &at, data, n), 0);
			turn();
			assert_int_equal(b.n, i + 1);
			assert_int_equal(b.len, n);
			assert_int_equal(b.last, n ? i + 1 : 0);
			assert_int_equal(b.at_us, timers_now_us(timers));
			assert_true(addr_equal(&b.from, &back));
			assert_true(addr_equal(&b.to, &at));
		}
		assert_int_equal(a.n, 0);
		udp_close(from);
		udp_close(to);
		turn();
	}
}

static void test_taken_and_not_ours(void **state)
{
	struct got g = {0};
	struct udp *u = udp_at("127.0.0.1", 0, &g, 0);

	(void)state;
	udp_at("127.0.0.1", udp_address(u).port, &g, -EADDRINUSE);
	udp_at("192.0.2.1", 0, &g, -EADDRNOTAVAIL);
	udp_close(u);
	turn();
}

static void test_closed_within_its_callback(void **state)
{
	struct got g = {0};
	struct udp *u = udp_at("127.0.0.1", 0, &g, 0);
	struct got none = {0};
	struct udp *from = udp_at("127.0.0.1", 0, &none, 0);
	const struct addr at = udp_address(u);

	(void)state;
	g.close = u;
	for (int i = 0; i < 5; i++)
		assert_int_equal(udp_send(from, &at, "x", 1), 0);
	turn();
	assert_int_equal(g.n, 1);
	/* refused by ICMP now; the socket goes on */
	udp_send(from, &at, "x", 1);
	turn();
	const struct addr self = udp_address(from);
	assert_int_equal(udp_send(from, &self, "y", 1), 0);
	turn();
	assert_int_equal(none.n, 1);
	udp_close(from);
	udp_close(NULL);
	turn();
}

static void test_drained_before_the_turn_of_the_loop(void **state)
{
	struct got g = {0}, none = {0};
	struct udp *u = udp_at("127.0.0.1", 0, &g, 0);
	struct udp *from = udp_at("127.0.0.1", 0, &none, 0);
	const struct addr at = udp_address(u), back = udp_address(from);

	(void)state;
	udp_drain(u);
	assert_int_equal(g.n, 0);
	assert_int_equal(udp_send(from, &at, "ab", 2), 0);
	assert_int_equal(udp_send(from, &at, "", 0), 0);
	assert_int_equal(udp_send(from, &at, "xyz", 3), 0);
	udp_drain(u);
	assert_int_equal(g.n, 3);
	assert_int_equal(g.len, 3);
	assert_int_equal(g.last, 'z');
	assert_true(addr_equal(&g.from, &back));
	assert_true(addr_equal(&g.to, &at));
	assert_int_equal(g.at_us, timers_now_us(timers));
	turn();
	assert_int_equal(g.n, 3);
	udp_close(u);
	udp_drain(u);
	udp_close(from);
	turn();
}

static int open_all(void **state)
{
	(void)state;
	return uv_loop_init(&loop) || timers_new(&timers);
}

static int close_all(void **state)
{
	(void)state;
	uv_run(&loop, UV_RUN_DEFAULT);
	timers_free(timers);
	return uv_loop_close(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole, open_all,
						close_all),
		cmocka_unit_test_setup_teardown(
			test_drained_before_the_turn_of_the_loop, open_all,
			close_all),
		cmocka_unit_test_setup_teardown(test_taken_and_not_ours,
						open_all, close_all),
		cmocka_unit_test_setup_teardown(
			test_closed_within_its_callback, open_all, close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
