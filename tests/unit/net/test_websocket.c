/** @file test_websocket.c  Our client against our server, over loopback */
#include "daemon/base/list.h"
#include "tests/unit/net/pair.h"

static void test_messages_go_both_ways(void **state)
{
	struct pair p;
	struct websocket_phases ph;

	(void)state;
	pair_listen(&p, NULL);
	p.server.echo = true;
	pair_connect(&p, NULL, NULL);
	pair_until(&p, &p.client.opened, 1);
	assert_string_equal(p.asked, "/v1/listen?x=1 Token 0123456789abcdef");
	assert_int_equal(websocket_send(p.client.ws, true, "hello", 5), 0);
	assert_int_equal(websocket_send(p.client.ws, false, "\0\1\2", 3), 0);
	pair_until(&p, &p.client.binaries, 1);
	assert_int_equal(p.client.texts, 1);
	assert_int_equal(p.client.got.len, 8);
	assert_memory_equal(p.client.got.data, "hello\0\1\2", 8);
	websocket_phases(p.client.ws, &ph);
	assert_true(ph.tcp && ph.upgrade && !ph.tls && !ph.dns);
	assert_int_equal(ph.peer.port, p.at.port);
	assert_null(websocket_tls(p.client.ws));
	pair_end(&p);
}

static void test_finish_is_answered(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_connect(&p, NULL, NULL);
	pair_until(&p, &p.server.opened, 1);
	pair_until(&p, &p.client.opened, 1);
	websocket_finish(p.client.ws, 1000);
	assert_int_equal(websocket_send(p.client.ws, true, "x", 1), -ENOTCONN);
	pair_until(&p, &p.client.closed, 1);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NONE);
	assert_int_equal(p.client.why.code, 1000);
	assert_int_equal(p.server.why.class, REASON_RESTART);
	assert_int_equal(p.server.why.code, 1000);
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_go_both_ways),
		cmocka_unit_test(test_finish_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
