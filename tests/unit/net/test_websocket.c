/** @file test_websocket.c  Our client against our server, over loopback */
#include <errno.h>

#include "tests/unit/net/pair.h"
#include "tests/unit/net/pki.h"

/* -- an open websocket ---------------------------------------------------- */

static void exchange(struct pair *p)
{
	p->server.echo = true;
	pair_open(p);
	assert_string_equal(p->asked, "/v1/listen?x=1 Token 0123456789abcdef");
	assert_int_equal(websocket_send(p->client.ws, true, "hello", 5), 0);
	assert_int_equal(websocket_send(p->client.ws, false, "\0\1\2", 3), 0);
	assert_int_equal(websocket_send(p->client.ws, false, "", 0), -EINVAL);
	pair_until(p, &p->client.binaries, 1);
	assert_int_equal(p->client.texts, 1);
	assert_int_equal(p->client.got.len, 8);
	assert_memory_equal(p->client.got.data, "hello\0\1\2", 8);
}

static void test_messages_go_both_ways(void **state)
{
	struct pair p;
	struct websocket_phases ph;

	(void)state;
	pair_listen(&p, NULL);
	exchange(&p);
	websocket_phases(p.client.ws, &ph);
	assert_true(ph.tcp && ph.upgrade >= ph.tcp && !ph.tls && !ph.dns);
	assert_int_equal(ph.peer.port, p.at.port);
	assert_null(websocket_tls(p.client.ws));
	pair_end(&p);
}

static void test_messages_go_both_ways_over_tls(void **state)
{
	struct tls_context *trust = pki_client("root");
	struct tls_context *own = pki_server("chained");
	struct tls_facts facts;

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		struct pair p;
		struct websocket_phases ph;

		pair_listen(&p, own);
		p.options.tls = trust;
		p.options.tls_name = "asr.test";
		exchange(&p);
		websocket_phases(p.client.ws, &ph);
		assert_true(ph.tls >= ph.tcp && ph.upgrade >= ph.tls);
		assert_non_null(websocket_tls(p.client.ws));
		tls_facts(websocket_tls(p.client.ws), &facts);
		assert_int_equal(facts.resumed, turn);
		pair_end(&p);
	}
	tls_context_free(trust);
	tls_context_free(own);
}

static void test_sizes_of_messages(void **state)
{
	enum { LIMIT = 256 * 1024 };
	static const size_t sizes[] = { 1, 125, 126, 65535, 65536, LIMIT };
	struct pair p;
	uint8_t *data = malloc(LIMIT + 1);
	unsigned n = 0;

	(void)state;
	memset(data, 'x', LIMIT + 1);
	pair_listen(&p, NULL);
	pair_open(&p);
	for (; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		buf_clear(&p.server.got);
		assert_int_equal(websocket_send(p.client.ws, true, data,
						sizes[n]), 0);
		pair_until(&p, &p.server.texts, n + 1);
		assert_int_equal(p.server.got.len, sizes[n]);
		assert_memory_equal(p.server.got.data, data, sizes[n]);
	}
	/* one more byte is read past, and life goes on */
	assert_int_equal(websocket_send(p.client.ws, true, data, LIMIT + 1), 0);
	assert_int_equal(websocket_send(p.client.ws, true, "on", 2), 0);
	pair_until(&p, &p.server.texts, n + 1);
	assert_int_equal(p.server.dropped, 1);
	pair_end(&p);
	free(data);
}

static void test_over_4_mib_ends_it(void **state)
{
	enum { SIZE = 4 * 1024 * 1024 + 1 };
	struct pair p;
	uint8_t *data = calloc(1, SIZE);

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	assert_int_equal(websocket_send(p.client.ws, false, data, SIZE), 0);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.server.why.class, REASON_PROTOCOL);
	assert_int_equal(p.server.why.code, 1009);
	pair_until(&p, &p.client.closed, 1);
	pair_end(&p);
	free(data);
}

static void test_a_slow_reader_fills_the_queue(void **state)
{
	enum { N = 64, SIZE = 128 * 1024 };
	struct pair p;
	uint8_t *data = calloc(1, SIZE);

	(void)state;
	pair_listen(&p, NULL);
	p.options.low_water = 1000;
	pair_open(&p);
	assert_int_equal(websocket_queued(p.client.ws), 0);
	websocket_pause(p.server.ws, true);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(websocket_send(p.client.ws, false, data, SIZE),
				 0);
	assert_true(websocket_queued(p.client.ws) > 1024 * 1024);
	assert_true(websocket_queued(p.client.ws) < N * (SIZE + 14));
	pair_rest(&p, 50);
	assert_true(websocket_queued(p.client.ws) > 1024 * 1024);
	assert_int_equal(p.client.writable, 0);
	websocket_pause(p.server.ws, false);
	pair_until(&p, &p.client.writable, 1);
	assert_true(websocket_queued(p.client.ws) <= 1000);
	pair_until(&p, &p.server.binaries, N);
	assert_int_equal(p.server.got.len, N * SIZE);
	assert_int_equal(p.client.writable, 1);
	assert_int_equal(websocket_queued(p.client.ws), 0);
	pair_end(&p);
	free(data);
}

static void test_no_writable_below_low_water(void **state)
{
	enum { SIZE = 8 * 1024 * 1024 };
	struct pair p;
	uint8_t *data = calloc(1, SIZE);

	(void)state;
	pair_listen(&p, NULL);
	p.options.low_water = 2 * SIZE;
	pair_open(&p);
	websocket_pause(p.server.ws, true);
	for (unsigned i = 0; i < 64; i++)
		websocket_send(p.client.ws, false, data, SIZE / 64);
	assert_true(websocket_queued(p.client.ws) > 0);
	websocket_pause(p.server.ws, false);
	pair_until(&p, &p.server.binaries, 64);
	pair_rest(&p, 10);
	assert_int_equal(websocket_queued(p.client.ws), 0);
	assert_int_equal(p.client.writable, 0);
	pair_end(&p);
	free(data);
}

/* -- the end -------------------------------------------------------------- */

static void test_finish_is_answered(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	websocket_finish(p.client.ws, 1000);
	assert_int_equal(websocket_send(p.client.ws, true, "x", 1), -ENOTCONN);
	assert_int_equal(websocket_ping(p.client.ws), -ENOTCONN);
	websocket_finish(p.client.ws, 1000); /* twice is once */
	pair_until(&p, &p.client.closed, 1);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NONE);
	assert_int_equal(p.client.why.code, 1000);
	assert_int_equal(p.server.why.class, REASON_RESTART);
	assert_int_equal(p.server.why.code, 1000);
	pair_end(&p);
}

static void test_messages_come_after_finish(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	websocket_pause(p.server.ws, true);
	websocket_finish(p.client.ws, 1000);
	websocket_send(p.server.ws, true, "last words", 10);
	pair_until(&p, &p.client.texts, 1);
	websocket_pause(p.server.ws, false);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NONE);
	pair_end(&p);
}

static void test_finish_without_an_answer(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	websocket_pause(p.server.ws, true);
	websocket_finish(p.client.ws, 1000);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NETWORK);
	assert_non_null(strstr(p.client.why.text, "2000 ms"));
	pair_end(&p);
}

static void test_finish_before_it_is_open(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_connect(&p);
	websocket_finish(p.client.ws, 1000);
	assert_int_equal(p.client.closed, 0);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NONE);
	pair_end(&p);
}

static const struct {
	unsigned sent, told;
	enum reason_class class;
} codes[] = {
	{ 1000, 1000, REASON_RESTART },	 { 1001, 1001, REASON_RESTART },
	{ 1002, 1002, REASON_PROTOCOL }, { 1003, 1003, REASON_PROTOCOL },
	{ 1007, 1007, REASON_PROTOCOL }, { 1008, 1008, REASON_SERVER },
	{ 1009, 1009, REASON_PROTOCOL }, { 1010, 1010, REASON_PROTOCOL },
	{ 1011, 1011, REASON_SERVER },	 { 1012, 1012, REASON_RESTART },
	{ 1013, 1013, REASON_QUOTA },	 { 1014, 1014, REASON_QUOTA },
	{ 3000, 3000, REASON_SERVER },	 { 4999, 4999, REASON_SERVER },
	{ 0, 1005, REASON_RESTART },	 { 1005, 1002, REASON_PROTOCOL },
	{ 1006, 1002, REASON_PROTOCOL }, { 1015, 1002, REASON_PROTOCOL },
	{ 5000, 1002, REASON_PROTOCOL },
};

static void test_close_codes_become_reasons(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct pair p;

		pair_listen(&p, NULL);
		pair_open(&p);
		websocket_finish(p.server.ws, codes[i].sent);
		pair_until(&p, &p.client.closed, 1);
		pair_until(&p, &p.server.closed, 1);
		if (p.client.why.class != codes[i].class ||
		    p.client.why.code != codes[i].told) {
			print_error("%u: %s %u %s\n", codes[i].sent,
				    reason_name(p.client.why.class),
				    p.client.why.code, p.client.why.text);
			wrong++;
		}
		pair_end(&p);
	}
	assert_int_equal(wrong, 0);
}

static void test_a_reset_is_the_networks_fault(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	websocket_reset(p.server.ws);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NETWORK);
	assert_int_equal(p.client.why.code, 1006);
	assert_non_null(strstr(p.client.why.text, "reset"));
	assert_int_equal(p.server.closed, 0);
	pair_end(&p);
}

static void test_an_end_without_close_is_the_networks_fault(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	pair_open(&p);
	websocket_close(p.server.ws);
	p.server.ws = NULL;
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NETWORK);
	assert_int_equal(p.client.why.code, 1006);
	pair_end(&p);
}

static void test_a_silent_peer_is_dead(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.options.ping_ms = 40;
	pair_open(&p);
	websocket_pause(p.server.ws, true);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_NETWORK);
	assert_non_null(strstr(p.client.why.text, "pong"));
	pair_end(&p);
}

static void test_pongs_keep_it_alive(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.options.ping_ms = 40;
	pair_open(&p);
	pair_rest(&p, 400); /* ten times ping_ms */
	assert_int_equal(p.client.closed, 0);
	assert_int_equal(websocket_send(p.client.ws, true, "alive", 5), 0);
	pair_until(&p, &p.server.texts, 1);
	pair_end(&p);
}

static void test_frames_against_the_rules(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		unsigned code;
	} rows[] = {
		{ "RSV1", "\xc1\x01x", 3, 1002 },
		{ "opcode 3", "\x83\x00", 2, 1002 },
		{ "masked by a server", "\x81\x81\0\0\0\0x", 7, 1002 },
		{ "not UTF-8", "\x81\x01\xff", 3, 1007 },
		/* wslay looks at a length with the first byte behind it */
		{ "announces 1 GiB", "\x82\x7f\0\0\0\0\x40\0\0\0x", 11, 1009 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p;

		pair_listen(&p, NULL);
		pair_open(&p);
		assert_int_equal(websocket_send_raw(p.server.ws, rows[i].bytes,
						    rows[i].len), 0);
		pair_until(&p, &p.client.closed, 1);
		pair_until(&p, &p.server.closed, 1);
		assert_int_equal(p.client.why.class, REASON_PROTOCOL);
		assert_int_equal(p.client.why.code, rows[i].code);
		/* and it was told so */
		if (p.server.why.code != rows[i].code)
			fail_msg("%s: %u %s", rows[i].name, p.server.why.code,
				 p.server.why.text);
		pair_end(&p);
	}
}

/* Bytes that are not read any more must not turn the end into a reset, which
 * would overtake the close frame. */
static void test_the_peer_is_told_although_it_talks_on(void **state)
{
	struct pair p;
	uint8_t *more = calloc(1, 1 << 20);

	(void)state;
	memcpy(more, "\x83\0", 2);
	pair_listen(&p, NULL);
	pair_open(&p);
	p.client.close_on_closed = true;
	websocket_send_raw(p.server.ws, more, 1 << 20);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.server.why.code, 1002);
	pair_end(&p);
	free(more);
}

static void test_a_flood_of_pings_ends_it(void **state)
{
	struct pair p;
	struct buf pings = {0};

	(void)state;
	for (unsigned i = 0; i < 1001; i++)
		buf_add(&pings, "\x89", 2);
	pair_listen(&p, NULL);
	pair_open(&p);
	assert_int_equal(websocket_send_raw(p.server.ws, pings.data,
					    pings.len), 0);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.code, 1008);
	pair_end(&p);
	buf_free(&pings);
}

/* -- closing, anywhere ---------------------------------------------------- */

static void test_close_inside_callbacks(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.client.close_on_open = true;
	pair_connect(&p);
	pair_until(&p, &p.server.closed, 1);
	assert_null(p.client.ws);
	pair_end(&p);

	pair_listen(&p, NULL);
	p.client.close_on_message = true;
	pair_open(&p);
	websocket_send_raw(p.server.ws, "\x81\1a\x81\1b\x81\1c", 9);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.client.texts, 1);
	pair_end(&p);

	pair_listen(&p, NULL);
	p.client.close_on_closed = p.server.close_on_closed = true;
	pair_open(&p);
	websocket_finish(p.server.ws, 1001);
	pair_until(&p, &p.client.closed, 1);
	pair_until(&p, &p.server.closed, 1);
	pair_end(&p);
}

/* After each turn of the loop, from the first to long after it is open. */
static void close_after_each_turn(const struct tls_context *trust,
				  const struct tls_context *own)
{
	bool opened = false;

	for (unsigned turns = 0; !opened || turns < 20; turns++) {
		struct pair p;

		assert_true(turns < 500);
		pair_listen(&p, own);
		p.options.tls = trust;
		p.options.tls_name = "asr.test";
		p.options.host = turns % 2 ? "127.0.0.1" : "localhost";
		p.server.echo = true;
		pair_connect(&p);
		for (unsigned i = 0; i < turns && !opened; i++) {
			uv_run(&p.loop, UV_RUN_ONCE);
			if (p.client.opened && p.server.opened) {
				websocket_send(p.client.ws, true, "x", 1);
				uv_run(&p.loop, UV_RUN_ONCE);
				opened = true;
			}
		}
		if (turns % 3 == 0) {
			websocket_server_close(p.listener);
			p.listener = NULL;
		}
		if (turns % 3 == 1 && p.client.ws) {
			websocket_reset(p.client.ws);
			websocket_close(p.client.ws);
			p.client.ws = NULL;
		}
		pair_end(&p);
	}
}

static void test_close_at_any_time(void **state)
{
	(void)state;
	close_after_each_turn(NULL, NULL);
}

static void test_close_at_any_time_over_tls(void **state)
{
	struct tls_context *trust, *own;

	(void)state;
	trust = pki_client("root");
	own = pki_server("good");
	close_after_each_turn(trust, own);
	tls_context_free(trust);
	tls_context_free(own);
}

/* The owner may free the trust while a step of a handshake still runs. */
static void test_trust_freed_during_a_handshake(void **state)
{
	(void)state;
	for (unsigned turns = 0; turns < 12; turns++) {
		struct tls_context *trust = pki_client("root");
		struct tls_context *own = pki_server("good");
		struct pair p;

		pair_listen(&p, own);
		p.options.tls = trust;
		p.options.tls_name = "asr.test";
		pair_connect(&p);
		for (unsigned i = 0; i < turns; i++)
			uv_run(&p.loop, UV_RUN_ONCE);
		websocket_close(p.client.ws);
		websocket_close(p.server.ws);
		websocket_server_close(p.listener);
		p.client.ws = p.server.ws = NULL;
		p.listener = NULL;
		tls_context_free(trust);
		tls_context_free(own);
		pair_end(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_go_both_ways),
		cmocka_unit_test(test_messages_go_both_ways_over_tls),
		cmocka_unit_test(test_sizes_of_messages),
		cmocka_unit_test(test_over_4_mib_ends_it),
		cmocka_unit_test(test_a_slow_reader_fills_the_queue),
		cmocka_unit_test(test_no_writable_below_low_water),
		cmocka_unit_test(test_finish_is_answered),
		cmocka_unit_test(test_messages_come_after_finish),
		cmocka_unit_test(test_finish_without_an_answer),
		cmocka_unit_test(test_finish_before_it_is_open),
		cmocka_unit_test(test_close_codes_become_reasons),
		cmocka_unit_test(test_a_reset_is_the_networks_fault),
		cmocka_unit_test(
			test_an_end_without_close_is_the_networks_fault),
		cmocka_unit_test(test_a_silent_peer_is_dead),
		cmocka_unit_test(test_pongs_keep_it_alive),
		cmocka_unit_test(test_frames_against_the_rules),
		cmocka_unit_test(test_the_peer_is_told_although_it_talks_on),
		cmocka_unit_test(test_a_flood_of_pings_ends_it),
		cmocka_unit_test(test_close_inside_callbacks),
		cmocka_unit_test(test_close_at_any_time),
		cmocka_unit_test(test_close_at_any_time_over_tls),
		cmocka_unit_test(test_trust_freed_during_a_handshake),
	};

	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
