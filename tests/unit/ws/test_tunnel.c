/** @file test_tunnel.c  The way through a proxy: what is asked, what is told */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/ws/tunnel.h"

static void test_requests(void **state)
{
	static char long_auth[4200];
	static const struct {
		const char *host;
		uint16_t port;
		const char *auth;
		const char *want; /* NULL: -EINVAL */
	} rows[] = {
		{ "stt.example", 443, NULL,
		  "CONNECT stt.example:443 HTTP/1.1\r\n"
		  "Host: stt.example:443\r\n\r\n" },
		{ "2001:db8::1", 80, NULL,
		  "CONNECT [2001:db8::1]:80 HTTP/1.1\r\n"
		  "Host: [2001:db8::1]:80\r\n\r\n" },
		/* RFC 7617 section 2 */
		{ "a", 1, "Aladdin:open_sesame",
		  "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"
		  "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuX3Nlc2FtZQ=="
		  "\r\n\r\n" },
		{ "a", 1, ":", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n"
		  "Proxy-Authorization: Basic Og==\r\n\r\n" },
		{ "", 1, NULL, NULL },
		{ "a b", 1, NULL, NULL },
		{ "a\r\nX:", 1, NULL, NULL },
		{ "a", 1, "", NULL },
		{ "a", 1, "no colon", NULL },
		{ "a", 1, "nocolon", NULL },
		{ "a", 1, "u:p\r\nX: y", NULL },
		{ "a", 1, "u:p\xc3\xbc", NULL },
		{ "a", 1, long_auth, NULL },
	};

	(void)state;
	memset(long_auth, ':', sizeof(long_auth) - 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};
		const int err = tunnel_request(&b, rows[i].host, rows[i].port,
					       rows[i].auth);

		if (err != (rows[i].want ? 0 : -EINVAL) ||
		    (rows[i].want && strcmp(buf_str(&b), rows[i].want) != 0))
			fail_msg("row %zu: %d %s", i, err, buf_str(&b));
		buf_free(&b);
	}
}

#define PAGE "Content-Type: text/html\r\nContent-Length: 13\r\n\r\n" \
	     "Basic c2VjcmV0"

static const struct row {
	const char *name;
	const char *answer;
	int result;
	enum reason_class class;
	uint32_t retry_ms;
	const char *words;
} rows[] = {
	{ "200", "HTTP/1.1 200 Connection established\r\n\r\n", 1, 0, 0, "" },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", 1, 0, 0, "" },
	{ "another 2xx", "HTTP/1.1 204 Fine\r\n\r\n", 1, 0, 0, "" },
	/* RFC 9110 section 9.3.6: both are to be ignored */
	{ "200 with a length",
	  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: 1.1 p\r\n\r\n", 1, 0, 0,
	  "" },
	{ "200 in chunks",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1, 0, 0,
	  "" },
	{ "not whole", "HTTP/1.1 200 OK\r\n", 0, 0, 0, "" },
	{ "bytes behind it", "HTTP/1.1 200 OK\r\n\r\nHTTP", -EPROTO,
	  REASON_CONFIG, 0, "before the service was asked" },
	{ "407", "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
	  PAGE, -EPROTO, REASON_CONFIG, 0, "HTTP 407: it wants a login" },
	{ "401", "HTTP/1.1 401 No\r\n" PAGE, -EPROTO, REASON_CONFIG, 0,
	  "proxy-auth-file" },
	{ "403", "HTTP/1.1 403 No\r\n" PAGE, -EPROTO, REASON_CONFIG, 0,
	  "does not let us through" },
	{ "405", "HTTP/1.1 405 No\r\n\r\n", -EPROTO, REASON_CONFIG, 0,
	  "CONNECT" },
	{ "302", "HTTP/1.1 302 Login\r\nLocation: http://portal/\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 0, "HTTP 302" },
	{ "429", "HTTP/1.1 429 No\r\nRetry-After: 7\r\n\r\n", -EPROTO,
	  REASON_TCP, 7000, "overloaded" },
	{ "500", "HTTP/1.1 500 No\r\n\r\n", -EPROTO, REASON_TCP, 0,
	  "cannot reach" },
	{ "502", "HTTP/1.1 502 No\r\n" PAGE, -EPROTO, REASON_TCP, 0,
	  "cannot reach the service" },
	{ "503", "HTTP/1.1 503 No\r\nRetry-After: 99999\r\n\r\n", -EPROTO,
	  REASON_TCP, 3600000, "overloaded" },
	{ "504", "HTTP/1.1 504 No\r\n\r\n", -EPROTO, REASON_TCP, 0, "in time" },
	{ "not HTTP", "220 mail.example ESMTP\r\n", -EBADMSG, REASON_CONFIG, 0,
	  "host and port of proxy" },
	{ "TLS", "\x15\x03\x03\x00\x02\x02\x32", -EBADMSG, REASON_CONFIG, 0,
	  "host and port of proxy" },
};

/* Read it `piece` bytes at a time, each in memory of its own size. */
static int read_in_pieces(const char *text, size_t len, size_t piece,
			  struct reason *why)
{
	struct tunnel *t;
	int result = 0;

	assert_int_equal(tunnel_new(&t), 0);
	for (size_t at = 0, n; at < len && result == 0; at += n) {
		uint8_t *copy;

		n = MIN(piece, len - at);
		copy = malloc(n);
		memcpy(copy, text + at, n);
		result = tunnel_feed(t, copy, n, why);
		free(copy);
	}
	tunnel_free(t);
	return result;
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const size_t len = strlen(r->answer);

		for (size_t piece = 1; piece <= len; piece++) {
			struct reason why = {0};
			const int got = read_in_pieces(r->answer, len, piece,
						       &why);

			/* cut behind the blank line, what follows was not yet
			 * there: then TLS meets it */
			if (!strcmp(r->name, "bytes behind it") && got == 1)
				continue;
			if (got != r->result || why.class != r->class ||
			    why.code != 0 || why.retry_after_ms != r->retry_ms ||
			    !strstr(why.text, r->words) ||
			    strstr(why.text, "c2VjcmV0"))
				fail_msg("%s by %zu: %d %s %s", r->name, piece,
					 got, reason_name(why.class), why.text);
		}
	}
}

static void test_a_head_without_end(void **state)
{
	static const char line[] = "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
	struct buf b = {0};
	struct reason why = {0};

	(void)state;
	buf_puts(&b, "HTTP/1.1 200 OK\r\n");
	while (b.len < 20000)
		buf_puts(&b, line);
	assert_int_equal(read_in_pieces(buf_str(&b), b.len, 100, &why),
			 -EMSGSIZE);
	assert_int_equal(why.class, REASON_CONFIG);
	buf_free(&b);
	tunnel_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_head_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
