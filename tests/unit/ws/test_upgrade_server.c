/** @file test_upgrade_server.c  Which requests a server takes for websockets */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ws/upgrade_server.h"

#define LINE "GET /chat?a=b HTTP/1.1\r\n"
#define HOST "Host: server.example.com\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define GOOD LINE HOST UP KEY V13 "\r\n"

static const struct {
	const char *name;
	const char *request;
	int result;
} rows[] = {
	{ "good", GOOD, 1 },
	{ "as browsers ask",
	  LINE HOST "Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
		    "Origin: null\r\n" KEY V13 "\r\n", 1 },
	{ "POST", "POST / HTTP/1.1\r\n" HOST UP KEY V13
		  "Content-Length: 0\r\n\r\n", -EPROTO },
	{ "HTTP/1.0", "GET / HTTP/1.0\r\n" HOST UP KEY V13 "\r\n", -EPROTO },
	{ "absolute target",
	  "GET http://a/ HTTP/1.1\r\n" HOST UP KEY V13 "\r\n", -EPROTO },
	{ "no host", LINE UP KEY V13 "\r\n", -EPROTO },
	{ "two hosts", LINE HOST HOST UP KEY V13 "\r\n", -EPROTO },
	{ "no upgrade", LINE HOST "Connection: Upgrade\r\n" KEY V13 "\r\n",
	  -EPROTO },
	{ "no connection", LINE HOST "Upgrade: websocket\r\n" KEY V13 "\r\n",
	  -EPROTO },
	{ "no version", LINE HOST UP KEY "\r\n", -EPROTO },
	{ "version 8", LINE HOST UP KEY "Sec-WebSocket-Version: 8\r\n\r\n",
	  -EPROTO },
	{ "no key", LINE HOST UP V13 "\r\n", -EPROTO },
	{ "two keys", LINE HOST UP KEY KEY V13 "\r\n", -EPROTO },
	{ "short key",
	  LINE HOST UP "Sec-WebSocket-Key: c2hvcnQ=\r\n" V13 "\r\n", -EPROTO },
	{ "key that is no base64",
	  LINE HOST UP "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" V13
		       "\r\n", -EPROTO },
	{ "a plain GET", "GET / HTTP/1.1\r\n" HOST "\r\n", -EPROTO },
	{ "not HTTP", "\x16\x03\x01\x02\x05\x01\x05\x02", -EBADMSG },
};

static int feed(struct upgrade_server *u, const char *text, size_t len,
		size_t piece, size_t *total)
{
	int result = 0;

	*total = 0;
	for (size_t at = 0; at < len && result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);
		size_t used;

		memcpy(exact, text + at, n);
		result = upgrade_server_feed(u, exact, n, &used);
		*total += used;
		free(exact);
	}
	return result;
}

static void test_every_request_whole_and_in_pieces(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t piece = 1; piece < 1000; piece = piece * 3 + 1) {
			struct upgrade_server *u;
			size_t used;
			int result;

			assert_int_equal(upgrade_server_new(&u), 0);
			result = feed(u, rows[i].request,
				      strlen(rows[i].request), piece, &used);
			if (result != rows[i].result) {
				print_error("%s (%zu): %d\n", rows[i].name,
					    piece, result);
				wrong++;
			}
			upgrade_server_free(u);
		}
	assert_int_equal(wrong, 0);
}

static void test_target_headers_and_rest(void **state)
{
	static const char request[] = LINE HOST UP KEY V13
		"Authorization:  Token k \r\nEmpty:\r\n\r\nframes";
	struct upgrade_server *u;
	size_t used;

	(void)state;
	assert_int_equal(upgrade_server_new(&u), 0);
	assert_int_equal(feed(u, request, sizeof(request) - 1, 7, &used), 1);
	assert_int_equal(used, sizeof(request) - 1 - 6);
	assert_string_equal(upgrade_server_target(u), "/chat?a=b");
	assert_string_equal(upgrade_server_header(u, "authorization"),
			    "Token k");
	assert_string_equal(upgrade_server_header(u, "EMPTY"), "");
	assert_null(upgrade_server_header(u, "Token"));
	upgrade_server_free(u);
}

static void test_answers(void **state)
{
	struct upgrade_server *u;
	struct buf out = {0};
	size_t used;

	(void)state;
	assert_int_equal(upgrade_server_new(&u), 0);
	assert_int_equal(feed(u, GOOD, sizeof(GOOD) - 1, 9999, &used), 1);
	upgrade_server_answer(u, &out, 101, "X: y\r\n", NULL, false);
	assert_string_equal(buf_str(&out),
			    "HTTP/1.1 101 Switching Protocols\r\n"
			    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
			    "\r\nX: y\r\n\r\n");
	buf_clear(&out);
	upgrade_server_answer(u, &out, 101, NULL, NULL, true);
	assert_null(strstr(buf_str(&out), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	buf_clear(&out);
	upgrade_server_answer(u, &out, 429, "Retry-After: 1\r\n", "busy",
			      false);
	assert_string_equal(buf_str(&out),
			    "HTTP/1.1 429 Too Many Requests\r\n"
			    "Connection: close\r\nContent-Length: 4\r\n"
			    "Retry-After: 1\r\n\r\nbusy");
	upgrade_server_free(u);
	buf_free(&out);
}

static void test_a_request_has_limits(void **state)
{
	struct upgrade_server *u;
	struct buf big = {0}, many = {0};
	size_t used;

	(void)state;
	buf_puts(&big, LINE "X: ");
	while (big.len < 9000)
		buf_puts(&big, "x");
	assert_int_equal(upgrade_server_new(&u), 0);
	assert_int_equal(feed(u, (char *)big.data, big.len, 100, &used),
			 -EMSGSIZE);
	upgrade_server_free(u);
	buf_puts(&many, LINE);
	for (unsigned i = 0; i < 65; i++)
		buf_puts(&many, "X: y\r\n");
	assert_int_equal(upgrade_server_new(&u), 0);
	assert_int_equal(feed(u, (char *)many.data, many.len, 100, &used),
			 -EMSGSIZE);
	upgrade_server_free(u);
	buf_free(&big);
	buf_free(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_request_whole_and_in_pieces),
		cmocka_unit_test(test_target_headers_and_rest),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_request_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
