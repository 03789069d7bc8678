/** @file test_upgrade.c  The client's request, and every kind of answer */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "daemon/ws/upgrade.h"

/* the example of RFC 6455 section 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define HEAD "HTTP/1.1 101 Switching Protocols\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define PROOF "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define GOOD HEAD UP PROOF "\r\n"

#define SECRET "0123456789abcdef"
#define ASKED "Authorization: Token " SECRET "\r\n"                            \
	      "Sec-WebSocket-Protocol: one, two\r\n"
#define TARGET "/v1?token=querysecret99&x=1"

/* -- the request ---------------------------------------------------------- */

static void test_key_and_proof_of_the_rfc(void **state)
{
	char key[UPGRADE_KEY], accept[UPGRADE_ACCEPT];

	(void)state;
	upgrade_key(key, (const uint8_t *)"the sample nonce");
	assert_string_equal(key, KEY);
	upgrade_accept(accept, key);
	assert_string_equal(accept, ACCEPT);
}

static void test_the_request(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		bool tls;
		const char *line;
	} hosts[] = {
		{ "a.test", 80, false, "Host: a.test\r\n" },
		{ "a.test", 443, true, "Host: a.test\r\n" },
		{ "a.test", 443, false, "Host: a.test:443\r\n" },
		{ "a.test", 8080, true, "Host: a.test:8080\r\n" },
		{ "::1", 80, false, "Host: [::1]\r\n" },
		{ "::1", 9, false, "Host: [::1]:9\r\n" },
	};
	struct buf out = {0};

	(void)state;
	assert_int_equal(upgrade_request(&out, "a.test", 8080, false, "/x?y=1",
					 "Authorization: Token k\r\n", KEY), 0);
	assert_string_equal(buf_str(&out),
			    "GET /x?y=1 HTTP/1.1\r\nHost: a.test:8080\r\n"
			    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			    "Sec-WebSocket-Key: " KEY "\r\n"
			    "Sec-WebSocket-Version: 13\r\n"
			    "Authorization: Token k\r\n\r\n");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		buf_clear(&out);
		assert_int_equal(upgrade_request(&out, hosts[i].host,
						 hosts[i].port, hosts[i].tls,
						 "/", NULL, KEY), 0);
		if (!strstr(buf_str(&out), hosts[i].line))
			fail_msg("%zu: %s", i, buf_str(&out));
	}
	buf_free(&out);
}

static void test_nothing_can_be_smuggled_into_the_request(void **state)
{
	static const struct {
		const char *host, *target, *headers;
	} rows[] = {
		{ "", "/", NULL },
		{ "a b", "/", NULL },
		{ "a\r\nX: y", "/", NULL },
		{ "a", "", NULL },
		{ "a", "x", NULL },
		{ "a", "/ HTTP/1.1\r\nX: y\r\n", NULL },
		{ "a", "/\n", NULL },
		{ "a", "/\x7f", NULL },
		{ "a", "/", "X: y" },
		{ "a", "/", "X: y\n" },
		{ "a", "/", "X: y\r" },
		{ "a", "/", "X: y\r\n\r\nGET / HTTP/1.1\r\n" },
		{ "a", "/", "X: y\rZ: a\r\n" },
		{ "a", "/", "X: \x01\r\n" },
		{ "a", "/", ": y\r\n" },
		{ "a", "/", "X : y\r\n" },
		{ "a", "/", " X: y\r\n" },
		{ "a", "/", "host: y\r\n" },
		{ "a", "/", "sec-websocket-key: y\r\n" },
		{ "a", "/", "Sec-WebSocket-Extensions: x\r\n" },
		{ "a", "/", "Content-Length: 1\r\n" },
	};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (upgrade_request(&out, rows[i].host, 1, false,
				    rows[i].target, rows[i].headers, KEY) !=
		    -EINVAL)
			fail_msg("row %zu was taken", i);
		assert_int_equal(out.len, 0);
	}
	assert_int_equal(upgrade_request(&out, "a", 1, false, "/",
					 "X:\r\nY: \t z\r\n", KEY), 0);
	buf_free(&out);
}

/* -- the answer ----------------------------------------------------------- */

struct row {
	const char *name;
	const char *answer;
	int result;
	enum reason_class class;
	unsigned code;
	uint32_t retry_ms;
	const char *words;
};

static const struct row rows[] = {
	{ "good", GOOD, 1, 0, 0, 0, NULL },
	{ "case and order do not matter",
	  HEAD "connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n"
	       "sec-websocket-accept:   " ACCEPT "  \r\n\r\n", 1, 0, 0, 0, NULL },
	{ "connection in two lines",
	  HEAD "Connection: keep-alive\r\nConnection: upgrade\r\n"
	       "Upgrade: websocket\r\n" PROOF "\r\n", 1, 0, 0, 0, NULL },
	{ "a subprotocol we offered",
	  HEAD UP PROOF "Sec-WebSocket-Protocol: two\r\n\r\n", 1, 0, 0, 0,
	  NULL },
	{ "no reason phrase",
	  "HTTP/1.1 101 \r\n" UP PROOF "\r\n", 1, 0, 0, 0, NULL },

	{ "wrong accept",
	  HEAD UP "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "accept key" },
	{ "accept in another case",
	  HEAD UP "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "accept key" },
	{ "our key as accept",
	  HEAD UP "Sec-WebSocket-Accept: " KEY "\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "accept key" },
	{ "no accept", HEAD UP "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "accept key" },
	{ "two accepts", HEAD UP PROOF PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "accept key" },
	{ "no upgrade", HEAD "Connection: Upgrade\r\n" PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "Upgrade: websocket" },
	{ "upgrade to something else",
	  HEAD "Upgrade: websockets\r\nConnection: Upgrade\r\n" PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "Upgrade: websocket" },
	{ "no connection", HEAD "Upgrade: websocket\r\n" PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "Connection: upgrade" },
	{ "connection: close",
	  HEAD "Upgrade: websocket\r\nConnection: close\r\n" PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "Connection: upgrade" },
	{ "extension",
	  HEAD UP PROOF "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "extension" },
	{ "subprotocol not offered",
	  HEAD UP PROOF "Sec-WebSocket-Protocol: three\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "subprotocol" },
	{ "two subprotocols",
	  HEAD UP PROOF "Sec-WebSocket-Protocol: one\r\n"
			"Sec-WebSocket-Protocol: two\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "subprotocol" },
	{ "HTTP/1.0", "HTTP/1.0 101 Ok\r\n" UP PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "HTTP/1.1" },

	{ "100", "HTTP/1.1 100 Continue\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 100, 0, "check url" },
	{ "200 with a page",
	  "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n<html>hi</html>\r\n",
	  -EPROTO, REASON_CONFIG, 200, 0, "not a websocket" },
	{ "301", "HTTP/1.1 301 Moved\r\nLocation: ws://b.test/\r\n"
		 "Content-Length: 0\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 301, 0, "never followed" },
	{ "400", "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 400, 0, "params" },
	{ "401 with words",
	  "HTTP/1.1 401 Unauthorized\r\nContent-Length: 18\r\n"
	  "X-Request-Id: r-77\r\n\r\n{\"err\": \"bad key\"}",
	  -EPROTO, REASON_AUTH, 401, 0, "{\"err\": \"bad key\"}; id r-77" },
	{ "401 with a header of words",
	  "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n"
	  "dg-error: Invalid credentials.\r\ndg-request-id: d-1\r\n\r\n",
	  -EPROTO, REASON_AUTH, 401, 0, "; Invalid credentials.; id d-1" },
	{ "401 that repeats our secrets",
	  "HTTP/1.1 401 Unauthorized\r\nContent-Length: 44\r\n\r\n"
	  "key " SECRET " or querysecret99 is bad",
	  -EPROTO, REASON_AUTH, 401, 0,
	  "key **************** or ************* is bad" },
	{ "402 in chunks",
	  "HTTP/1.1 402 Payment Required\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "5\r\nempty\r\n5\r\n purse\r\n0\r\n\r\n",
	  -EPROTO, REASON_PAYMENT, 402, 0, "; empty" },
	{ "500, and a second answer behind it",
	  "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nooops"
	  "HTTP/1.1 503 Oops\r\nRetry-After: 1\r\n\r\nlate",
	  -EPROTO, REASON_SERVER, 500, 0, "; ooop" },
	{ "403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
	  -EPROTO, REASON_AUTH, 403, 0, "key-file" },
	{ "404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	  -EPROTO, REASON_CONFIG, 404, 0, "path" },
	{ "429", "HTTP/1.1 429 Too Many\r\nRetry-After: 12\r\n"
		 "Content-Length: 0\r\n\r\n",
	  -EPROTO, REASON_QUOTA, 429, 12000, "quota" },
	{ "429 with a date",
	  "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n"
	  "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n",
	  -EPROTO, REASON_QUOTA, 429, 0, "quota" },
	{ "429 with a year",
	  "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n"
	  "Retry-After: 31536000\r\n\r\n",
	  -EPROTO, REASON_QUOTA, 429, 86400000, "quota" },
	{ "429 with nonsense",
	  "HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n"
	  "Retry-After: -1\r\n\r\n",
	  -EPROTO, REASON_QUOTA, 429, 0, "quota" },
	{ "503", "HTTP/1.1 503 Unavailable\r\nRetry-After: 2\r\n"
		 "Content-Length: 6\r\n\r\nre\x1b[2J",
	  -EPROTO, REASON_SERVER, 503, 2000, "; re?[2J" },
	{ "body is not UTF-8",
	  "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\na\xff\r\n",
	  -EPROTO, REASON_SERVER, 500, 0, "; a?" },

	{ "not HTTP", "SSH-2.0-OpenSSH_9.2\r\n",
	  -EBADMSG, REASON_PROTOCOL, 0, 0, "HTTP" },
	{ "TLS alert", "\x15\x03\x01\x02\x02\x16",
	  -EBADMSG, REASON_PROTOCOL, 0, 0, "wss" },
	{ "HTTP/2 preface of a server", "\x01\x02\x03\x04\x05\x06",
	  -EBADMSG, REASON_PROTOCOL, 0, 0, "HTTP" },
	{ "a header with a space in its name",
	  HEAD "Up grade: websocket\r\nConnection: Upgrade\r\n" PROOF "\r\n",
	  -EPROTO, REASON_CONFIG, 101, 0, "Upgrade: websocket" },
	{ "a control character in a header",
	  HEAD UP "X: a\x01" "b\r\n" PROOF "\r\n",
	  -EBADMSG, REASON_PROTOCOL, 0, 0, "HTTP" },
};

struct answer {
	int result;
	size_t used;
	struct reason why;
};

static void read_answer(struct answer *a, const char *text, size_t len,
			size_t piece)
{
	struct upgrade *u;
	size_t used = 0;

	memset(a, 0, sizeof(*a));
	assert_int_equal(upgrade_new(&u, KEY, TARGET, ASKED), 0);
	for (size_t at = 0; at < len && a->result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);

		memcpy(exact, text + at, n);
		a->result = upgrade_feed(u, exact, n, &used, &a->why);
		a->used += used;
		free(exact);
	}
	upgrade_free(u);
}

static bool row_holds(const struct row *r, size_t piece)
{
	struct answer a;
	bool ok;

	read_answer(&a, r->answer, strlen(r->answer), piece);
	ok = a.result == r->result;
	if (r->result == 1)
		ok = ok && a.used == strlen(r->answer);
	else
		ok = ok && a.why.class == r->class && a.why.code == r->code &&
		     a.why.retry_after_ms == r->retry_ms &&
		     strstr(a.why.text, r->words) &&
		     !strstr(a.why.text, SECRET) &&
		     !strstr(a.why.text, "querysecret99") &&
		     utf8_valid(a.why.text, strlen(a.why.text));
	if (!ok)
		print_error("%s (%zu): %d %s %u %u \"%s\"\n", r->name, piece,
			    a.result, reason_name(a.why.class), a.why.code,
			    a.why.retry_after_ms, a.why.text);
	return ok;
}

static void test_every_answer_whole_and_in_pieces(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wrong += !row_holds(&rows[i], SIZE_MAX / 2);
		for (size_t piece = 1; piece < 9; piece++)
			wrong += !row_holds(&rows[i], piece);
	}
	assert_int_equal(wrong, 0);
}

/* A good answer cut anywhere is not yet an answer; a refusal is one as soon as
 * its head is whole. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].answer);
		const char *blank = strstr(rows[i].answer, "\r\n\r\n");

		if (rows[i].result == -EBADMSG || !blank)
			continue;
		for (size_t at = 0; at < len; at++) {
			const size_t head =
				(size_t)(blank + 4 - rows[i].answer);
			char *exact = malloc(at + 1);
			struct upgrade *u;
			struct reason why = {0};
			size_t used;
			int result;

			memcpy(exact, rows[i].answer, at);
			assert_int_equal(upgrade_new(&u, KEY, TARGET, ASKED),
					 0);
			result = upgrade_feed(u, (uint8_t *)exact, at, &used,
					      &why);
			if (at < head) {
				assert_int_equal(result, 0);
				assert_false(upgrade_cut(u, &why));
				assert_int_equal(used, at);
			} else if (result == 0) {
				assert_true(upgrade_cut(u, &why));
				assert_int_equal(why.code, rows[i].code);
				assert_int_equal(why.class, rows[i].class);
			} else {
				assert_int_equal(result, rows[i].result);
			}
			upgrade_free(u);
			free(exact);
		}
	}
}

static void test_what_follows_belongs_to_the_frames(void **state)
{
	static const char with_frames[] = GOOD "\x81\x02hi\x88\x00";
	const size_t head = strlen(GOOD);

	(void)state;
	for (size_t piece = 1; piece < sizeof(with_frames); piece++) {
		struct answer a;

		read_answer(&a, with_frames, sizeof(with_frames) - 1, piece);
		assert_int_equal(a.result, 1);
		assert_int_equal(a.used, head);
	}
}

static void test_limits_of_the_head(void **state)
{
	static const struct {
		const char *name;
		unsigned headers; /* all in all */
		size_t head;      /* [bytes], blank line and all; 0: as is */
		int result;
	} limits[] = {
		{ "64 headers", 64, 0, 1 },
		{ "65 headers", 65, 0, -EMSGSIZE },
		{ "8 KiB", 4, 8192, 1 },
		{ "8 KiB and a byte", 4, 8193, -EMSGSIZE },
		{ "1 MiB in a header", 4, 1 << 20, -EMSGSIZE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct buf b = {0};

		buf_puts(&b, HEAD UP PROOF);
		for (unsigned n = 4; n < limits[i].headers; n++)
			buf_puts(&b, "X: y\r\n");
		buf_puts(&b, "Pad: ");
		while (b.len + 4 < limits[i].head)
			buf_puts(&b, "p");
		buf_puts(&b, "\r\n\r\n");
		for (size_t piece = 1; piece < 1 << 22; piece *= 1024) {
			struct answer a;

			read_answer(&a, (char *)b.data, b.len, piece);
			if (a.result != limits[i].result ||
			    (a.result < 0 && a.why.class != REASON_PROTOCOL))
				fail_msg("%s (%zu): %d", limits[i].name, piece,
					 a.result);
		}
		buf_free(&b);
	}
}

/* A page without an end is read so far and no further. */
static void test_a_body_has_a_limit(void **state)
{
	struct buf b = {0};
	struct answer a;

	(void)state;
	buf_puts(&b, "HTTP/1.1 502 Bad Gateway\r\n\r\nupstream is gone ");
	for (unsigned i = 0; i < 100000; i++)
		buf_puts(&b, "and gone ");
	for (size_t piece = 100; piece < 2 * b.len; piece *= 100) {
		read_answer(&a, (char *)b.data, b.len, piece);
		assert_int_equal(a.result, -EPROTO);
		assert_int_equal(a.why.code, 502);
		assert_non_null(strstr(a.why.text, "upstream is gone and"));
		assert_true(a.used < 4096 || piece > 4096);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_and_proof_of_the_rfc),
		cmocka_unit_test(test_the_request),
		cmocka_unit_test(test_nothing_can_be_smuggled_into_the_request),
		cmocka_unit_test(test_every_answer_whole_and_in_pieces),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_what_follows_belongs_to_the_frames),
		cmocka_unit_test(test_limits_of_the_head),
		cmocka_unit_test(test_a_body_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
