/**
 * @file fuzz_upgrade.c  An HTTP answer, and an HTTP request, to the upgrade
 *
 * Input: one byte (bit 0: a server reads a request; the rest: size of the
 * pieces), then the bytes.  http_parser is not instrumented, so a mutator of
 * our own puts whole lines together and only sometimes changes bytes.
 */
#include <errno.h>
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/ws/upgrade.h"
#include "daemon/ws/upgrade_server.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

/* the example of RFC 6455 section 1.3 */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void check(const struct reason *why)
{
	must(why->class > REASON_NONE && why->class < REASON_CLASSES);
	must(*why->text && utf8_valid(why->text, strlen(why->text)));
	must(!strstr(why->text, "thesecretkey1234"));
}

/* The answer in one piece, and in pieces: the verdict must be the same. */
static int answer(const uint8_t *data, size_t len, size_t piece,
		  struct reason *why)
{
	struct upgrade *u;
	size_t used = 0, total = 0;
	int result = 0;

	must(!upgrade_new(&u, KEY, "/", "A: thesecretkey1234\r\n"
					"Sec-WebSocket-Protocol: one, two\r\n"));
	for (size_t at = 0; at < len && result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);

		must(exact);
		memcpy(exact, data + at, n);
		result = upgrade_feed(u, exact, n, &used, why);
		must(used <= n);
		total += used;
		free(exact);
	}
	if (result == 0 && upgrade_cut(u, why))
		result = -EPROTO;
	if (result < 0)
		check(why);
	if (result == 1)
		must(total <= UPGRADE_HEAD);
	upgrade_free(u);
	return result;
}

static int request(const uint8_t *data, size_t len, size_t piece)
{
	struct upgrade_server *u;
	struct buf out = {0};
	size_t used;
	int result = 0;

	must(!upgrade_server_new(&u));
	for (size_t at = 0; at < len && result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);

		must(exact);
		memcpy(exact, data + at, n);
		result = upgrade_server_feed(u, exact, n, &used);
		must(used <= n);
		free(exact);
	}
	if (result == 1) {
		must(*upgrade_server_target(u) == '/');
		must(upgrade_server_header(u, "Sec-WebSocket-Key"));
	}
	upgrade_server_answer(u, &out, result == 1 ? 101 : 400, NULL, "no",
			      false);
	must(!strncmp(buf_str(&out), "HTTP/1.1 ", 9));
	buf_free(&out);
	upgrade_server_free(u);
	return result;
}

/* http_parser tells a name in parts, so a broken name of one header too many
 * is either: refused in any case. */
static bool same(int a, int b)
{
	return a == b || ((a == -EBADMSG || a == -EMSGSIZE) &&
			  (b == -EBADMSG || b == -EMSGSIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reason a = {0}, b = {0};
	size_t piece;
	int result;

	if (len < 1)
		return 0;
	piece = data[0] / 2u + 1;
	if (data[0] & 1) {
		result = request(data + 1, len - 1, len);
		must(same(result, request(data + 1, len - 1, piece)));
	} else {
		result = answer(data + 1, len - 1, len, &a);
		must(same(result, answer(data + 1, len - 1, piece, &b)));
		must(a.class == b.class && a.code == b.code &&
		     a.retry_after_ms == b.retry_after_ms);
	}
	/* taken, or refused by us and not by the parser */
	fuzz_count_input(result == 1 || result == -EPROTO);
	return 0;
}

/* -- mutation by lines ----------------------------------------------------- */

static const char *const first[] = {
	"HTTP/1.1 101 Switching Protocols\r\n", "HTTP/1.1 101 \r\n",
	"HTTP/1.0 101 Ok\r\n", "HTTP/1.1 100 Continue\r\n",
	"HTTP/1.1 200 OK\r\n", "HTTP/1.1 204 No Content\r\n",
	"HTTP/1.1 301 Moved\r\n", "HTTP/1.1 401 Unauthorized\r\n",
	"HTTP/1.1 402 Payment Required\r\n", "HTTP/1.1 403 Forbidden\r\n",
	"HTTP/1.1 429 Too Many Requests\r\n", "HTTP/1.1 503 Unavailable\r\n",
	"HTTP/1.1 999 Odd\r\n", "GET / HTTP/1.1\r\n",
	"GET /v1/listen?x=%20 HTTP/1.1\r\n", "POST / HTTP/1.1\r\n",
	"GET http://a/ HTTP/1.1\r\n", "CONNECT a:1 HTTP/1.1\r\n",
};

static const char *const lines[] = {
	"Upgrade: websocket\r\n", "upgrade: h2c, WebSocket\r\n",
	"Connection: Upgrade\r\n", "Connection: keep-alive, upgrade\r\n",
	"Connection: close\r\n", "Sec-WebSocket-Accept: " ACCEPT "\r\n",
	"Sec-WebSocket-Accept: " KEY "\r\n", "Sec-WebSocket-Accept:\r\n",
	"Sec-WebSocket-Protocol: one\r\n", "Sec-WebSocket-Protocol: x\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate\r\n",
	"Retry-After: 7\r\n", "Retry-After: 99999999999999999999\r\n",
	"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n",
	"Content-Length: 10\r\n", "Content-Length: 0\r\n",
	"Content-Length: 18446744073709551615\r\n",
	"Transfer-Encoding: chunked\r\n", "X-Request-Id: r1\r\n",
	"dg-error: thesecretkey1234 is bad\r\n", "dg-request-id: \xff\r\n",
	"X: y\r\n", "X:\r\n folded\r\n", "Host: a.test\r\n",
	"Sec-WebSocket-Key: " KEY "\r\n", "Sec-WebSocket-Version: 13\r\n",
	"Sec-WebSocket-Version: 8\r\n", "Proxy-Connection: close\r\n",
};

static const char *const bodies[] = {
	"", "{\"error\":\"bad\"}", "thesecretkey1234", "<html>", "\x81\x02hi",
	"5\r\nhello\r\n0\r\n\r\n", "5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n",
	"ffffffffffffffff\r\n", "\xff\x1b[2J",
};

#define PICK(list, r) (list)[(r) % (sizeof(list) / sizeof((list)[0]))]

static uint32_t next(uint32_t *r)
{
	*r = *r * 1664525u + 1013904223u;
	return *r >> 8;
}

static size_t put(uint8_t *data, size_t at, size_t max, const char *text)
{
	const size_t n = strlen(text);

	if (n > max - at)
		return at;
	memcpy(data + at, text, n);
	return at + n;
}

/* A new message out of lines. */
static size_t compose(uint8_t *data, size_t max, uint32_t *r)
{
	const unsigned n = next(r) % 64 ? next(r) % 9 : 60 + next(r) % 9;
	size_t at = 1;

	data[0] = (uint8_t)next(r);
	at = put(data, at, max, PICK(first, next(r)));
	if (data[0] & 1)
		data[0] ^= data[1] == 'H';
	if (next(r) % 2) { /* most of what makes it a good one */
		at = put(data, at, max, lines[0]);
		at = put(data, at, max, lines[2]);
		at = put(data, at, max, lines[data[0] & 1 ? 24 : 5]);
		if (data[0] & 1) {
			at = put(data, at, max, lines[23]);
			at = put(data, at, max, lines[25]);
		}
	}
	for (unsigned i = 0; i < n; i++)
		at = put(data, at, max, PICK(lines, next(r)));
	at = put(data, at, max, "\r\n");
	return put(data, at, max, PICK(bodies, next(r)));
}

/* Put a line of ours behind a line of the input's. */
static size_t insert(uint8_t *data, size_t size, size_t max, uint32_t *r)
{
	const char *line = PICK(lines, next(r));
	const size_t n = strlen(line);
	size_t at = next(r) % size;

	while (at < size && data[at] != '\n')
		at++;
	if (at == size || n > max - size)
		return size;
	at++;
	memmove(data + at + n, data + at, size - at);
	memcpy(data + at, line, n);
	return size + n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	uint32_t r = seed;

	if (size < 2 || max < 256)
		return max < 256 ? LLVMFuzzerMutate(data, size, max)
				 : compose(data, max, &r);
	switch (next(&r) % 8) {
	case 0:
	case 1:
		return compose(data, max, &r);
	case 2:
		data[0] ^= (uint8_t)(next(&r) & 0xfe); /* other pieces */
		return size;
	case 3:
		return LLVMFuzzerMutate(data, size, max);
	default:
		return insert(data, size, max, &r);
	}
}
