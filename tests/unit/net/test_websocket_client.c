/** @file test_websocket_client.c  The way to an open websocket, and refusals */
#include <errno.h>
#include <mbedtls/version.h>

#include "tests/unit/net/pair.h"
#include "tests/unit/net/pki.h"

static void test_a_name_is_resolved_and_each_address_tried(void **state)
{
	struct pair p;
	struct websocket_phases ph;

	(void)state;
	pair_listen(&p, NULL); /* at 127.0.0.1 only; ::1 refuses */
	p.options.host = "localhost";
	pair_open(&p);
	websocket_phases(p.client.ws, &ph);
	assert_true(ph.dns && ph.tcp >= ph.dns);
	assert_int_equal(ph.peer.family, 4);
	pair_end(&p);
}

static const struct answer_row {
	const char *name;
	struct websocket_answer answer;
	enum reason_class class;
	unsigned code;
	uint32_t retry_ms;
	const char *words;
} answers[] = {
	{ "200", { .status = 200, .body = "<html>welcome</html>" },
	  REASON_CONFIG, 200, 0, "not a websocket" },
	{ "301", { .status = 301, .headers = "Location: ws://127.0.0.2/\r\n" },
	  REASON_CONFIG, 301, 0, "never followed" },
	{ "401", { .status = 401, .body = "{\"error\":\"bad key\"}" },
	  REASON_AUTH, 401, 0, "bad key" },
	{ "402", { .status = 402 }, REASON_PAYMENT, 402, 0, "no credit" },
	{ "403", { .status = 403 }, REASON_AUTH, 403, 0, "key-file" },
	{ "404", { .status = 404 }, REASON_CONFIG, 404, 0, "path" },
	{ "429", { .status = 429, .headers = "Retry-After: 7\r\n" },
	  REASON_QUOTA, 429, 7000, "quota" },
	{ "500", { .status = 500 }, REASON_SERVER, 500, 0, "trouble" },
	{ "503", { .status = 503, .headers = "retry-after:  3 \r\n",
		   .body = "later" },
	  REASON_SERVER, 503, 3000, "later" },
	{ "no status", { .status = 0 }, REASON_CONFIG, 400, 0, "params" },
	{ "wrong accept key", { .status = 101, .wrong_accept = true },
	  REASON_CONFIG, 101, 0, "accept key" },
	{ "extension not offered",
	  { .status = 101,
	    .headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n" },
	  REASON_CONFIG, 101, 0, "extension" },
	{ "late refusal", { .status = 401, .delay_ms = 30 },
	  REASON_AUTH, 401, 0, "key-file" },
};

static void test_refusals_are_told_in_words(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer_row *r = &answers[i];
		struct pair p;

		pair_listen(&p, NULL);
		p.answer = r->answer;
		pair_connect(&p);
		pair_until(&p, &p.client.closed, 1);
		if (p.client.opened || p.client.why.class != r->class ||
		    p.client.why.code != r->code ||
		    p.client.why.retry_after_ms != r->retry_ms ||
		    !strstr(p.client.why.text, r->words)) {
			print_error("%s: %s %u %u %s\n", r->name,
				    reason_name(p.client.why.class),
				    p.client.why.code,
				    p.client.why.retry_after_ms,
				    p.client.why.text);
			wrong++;
		}
		pair_end(&p);
	}
	assert_int_equal(wrong, 0);
}

static void test_a_late_answer_is_waited_for(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.answer.delay_ms = 60;
	pair_open(&p);
	pair_end(&p);
}

static void test_a_too_late_answer_is_a_timeout(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.answer.delay_ms = 60000;
	p.options.upgrade_timeout_ms = 50;
	pair_connect(&p);
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_TIMEOUT);
	pair_until(&p, &p.server.closed, 1);
	pair_end(&p);
}

static void test_nobody_listens(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	websocket_server_close(p.listener);
	p.listener = NULL;
	pair_rest(&p, 1);
	pair_connect(&p);
	assert_int_equal(p.client.closed, 0); /* never inside connect */
	pair_until(&p, &p.client.closed, 1);
	assert_int_equal(p.client.why.class, REASON_TCP);
	assert_non_null(strstr(p.client.why.text, "127.0.0.1:"));
	pair_end(&p);
}

static void test_certificates_are_checked(void **state)
{
	static const struct {
		const char *server, *name, *words;
	} rows[] = {
		{ "untrusted", "asr.test", "no trusted CA" },
		{ "other", "asr.test", "another name" },
		/* the address itself, which is not in it */
#if MBEDTLS_VERSION_NUMBER < 0x03000000
		{ "good", NULL, "cannot compare addresses" },
#else
		{ "good", NULL, "another name" },
#endif
		{ "expired", "asr.test", "expired" },
	};
	struct tls_context *trust = pki_client("root");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_context *own = pki_server(rows[i].server);
		struct pair p;

		pair_listen(&p, own);
		p.options.tls = trust;
		p.options.tls_name = rows[i].name;
		pair_connect(&p);
		pair_until(&p, &p.client.closed, 1);
		assert_int_equal(p.client.why.class, REASON_TLS);
		if (!strstr(p.client.why.text, rows[i].words))
			fail_msg("%s: %s", rows[i].server, p.client.why.text);
		assert_int_equal(p.requests, 0);
		pair_end(&p);
		tls_context_free(own);
	}
	tls_context_free(trust);
}

static void test_tls_against_a_plain_server_and_the_other_way(void **state)
{
	struct tls_context *trust = pki_client("root");
	struct tls_context *own = pki_server("good");

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct pair p;

		pair_listen(&p, i ? own : NULL);
		p.options.tls = i ? NULL : trust;
		p.options.tls_name = "asr.test";
		pair_connect(&p);
		pair_until(&p, &p.client.closed, 1);
		assert_int_equal(p.client.opened, 0);
		assert_int_equal(p.requests, 0);
		pair_end(&p);
	}
	tls_context_free(trust);
	tls_context_free(own);
}

/* -- servers that accept and say nothing more --------------------------------- */

enum { SILENT = 8 }; /* twice the threads of libuv's pool */

struct silent {
	uv_tcp_t listener, conn;
	struct side client;
	const uint8_t *says; /* so much of a handshake, then nothing */
	size_t len;
	unsigned *heard;     /* of all: a ClientHello came */
	bool hello;
};

static void silent_room(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	static char room[4096];

	(void)h;
	(void)hint;
	*out = uv_buf_init(room, sizeof(room));
}

static void silent_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct silent *s = h->data;
	uv_buf_t out = uv_buf_init((char *)(uintptr_t)s->says, (unsigned)s->len);

	if (n <= 0 || s->hello)
		return;
	assert_int_equal(b->base[0], 0x16); /* a handshake record */
	s->hello = true;
	++*s->heard;
	if (s->len)
		assert_int_equal(uv_try_write(h, &out, 1), s->len);
}

static void silent_accept(uv_stream_t *h, int status)
{
	struct silent *s = h->data;

	assert_int_equal(status, 0);
	assert_int_equal(uv_tcp_init(h->loop, &s->conn), 0);
	s->conn.data = s;
	assert_int_equal(uv_accept(h, (uv_stream_t *)&s->conn), 0);
	uv_read_start((uv_stream_t *)&s->conn, silent_room, silent_read);
}

static void silent_open(struct silent *s, struct pair *p,
			const struct tls_context *trust, unsigned *heard)
{
	struct websocket_options o = p->options;
	struct sockaddr_in at;
	int len = sizeof(at);

	s->heard = heard;
	assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &at), 0);
	assert_int_equal(uv_tcp_init(&p->loop, &s->listener), 0);
	s->listener.data = s;
	assert_int_equal(uv_tcp_bind(&s->listener, (struct sockaddr *)&at, 0),
			 0);
	assert_int_equal(uv_listen((uv_stream_t *)&s->listener, 1,
				   silent_accept), 0);
	assert_int_equal(uv_tcp_getsockname(&s->listener,
					    (struct sockaddr *)&at, &len), 0);
	o.port = ntohs(at.sin_port);
	o.tls = trust;
	o.tls_name = "asr.test";
	o.upgrade_timeout_ms = 600000;
	assert_int_equal(websocket_connect(&s->client.ws, &p->loop, &o,
					   &side_cb, &s->client), 0);
}

/* No thread of the pool waits for the network: handshakes that hang, at their
 * beginning or in the middle, delay no other one. */
static void test_silent_servers_delay_nobody_else(void **state)
{
	/* the header of a ServerHello and a little of it */
	static const uint8_t part[] = { 0x16, 3, 3, 0, 0x5a, 2, 0, 0, 0x56, 3, 3 };
	struct tls_context *trust = pki_client("root");
	struct tls_context *own = pki_server("good");
	struct silent silent[SILENT];
	unsigned heard = 0;
	struct pair p;

	(void)state;
	memset(silent, 0, sizeof(silent));
	pair_listen(&p, own);
	for (size_t i = 0; i < SILENT; i++) {
		silent[i].says = part;
		silent[i].len = i % 2 ? sizeof(part) : 0;
		silent_open(&silent[i], &p, trust, &heard);
	}
	pair_until(&p, &heard, SILENT);
	p.options.tls = trust;
	p.options.tls_name = "asr.test";
	pair_open(&p);
	for (size_t i = 0; i < SILENT; i++) {
		assert_int_equal(silent[i].client.closed, 0);
		assert_int_equal(silent[i].client.opened, 0);
		websocket_close(silent[i].client.ws);
		silent[i].client.ws = NULL;
		uv_close((uv_handle_t *)&silent[i].listener, NULL);
		uv_close((uv_handle_t *)&silent[i].conn, NULL);
	}
	pair_end(&p);
	tls_context_free(trust);
	tls_context_free(own);
}

static void test_options_that_cannot_be(void **state)
{
	char longest[255];
	const struct websocket_options rows[] = {
		{ .host = NULL, .port = 1 },
		{ .host = "", .port = 1 },
		{ .host = "a", .port = 0 },
		{ .host = longest, .port = 1 },
		{ .host = "0x7f.1", .port = 1 },
		{ .host = "127.1", .port = 1 },
		{ .host = "1", .port = 1 },
		{ .host = "a b", .port = 1 },
		{ .host = "a\r\nb", .port = 1 },
		{ .host = "a/b", .port = 1 },
		{ .host = ".a", .port = 1 },
		{ .host = "a..b", .port = 1 },
		{ .host = "a", .port = 1, .target = "b" },
		{ .host = "a", .port = 1, .target = "/ b" },
		{ .host = "a", .port = 1, .target = "/\r\nX: y" },
		{ .host = "a", .port = 1, .headers = "X: y" },
		{ .host = "a", .port = 1, .headers = "X: y\n\r\n" },
		{ .host = "a", .port = 1, .headers = "X y\r\n" },
		{ .host = "a", .port = 1, .headers = "\r\n" },
		{ .host = "a", .port = 1, .headers = "Host: b\r\n" },
		{ .host = "a", .port = 1, .tls_name = "a b" },
		{ .host = "a", .port = 1, .proxy_host = "p" },
		{ .host = "a", .port = 1, .proxy_host = "p p", .proxy_port = 1 },
		{ .host = "a", .port = 1, .proxy_host = "p", .proxy_port = 1,
		  .proxy_auth = "no colon" },
	};
	struct websocket *ws = NULL;
	uv_loop_t loop;

	(void)state;
	memset(longest, 'a', 254);
	longest[254] = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (websocket_connect(&ws, &loop, &rows[i], &side_cb, NULL) !=
		    -EINVAL)
			fail_msg("row %zu was taken", i);
	assert_null(ws);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_resolved_and_each_address_tried),
		cmocka_unit_test(test_refusals_are_told_in_words),
		cmocka_unit_test(test_a_late_answer_is_waited_for),
		cmocka_unit_test(test_a_too_late_answer_is_a_timeout),
		cmocka_unit_test(test_nobody_listens),
		cmocka_unit_test(test_certificates_are_checked),
		cmocka_unit_test(test_tls_against_a_plain_server_and_the_other_way),
		cmocka_unit_test(test_silent_servers_delay_nobody_else),
		cmocka_unit_test(test_options_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
