/**
 * @file fuzz_tunnel.c  A proxy's answer to CONNECT
 *
 * Input: one byte (size of the pieces), then the bytes.  http_parser is not
 * instrumented, so a mutator of our own puts whole lines together and only
 * sometimes changes bytes.
 */
#include <errno.h>
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/ws/tunnel.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

static int answer(const uint8_t *data, size_t len, size_t piece,
		  struct reason *why)
{
	struct tunnel *t;
	int result = 0;

	must(!tunnel_new(&t));
	for (size_t at = 0; at < len && result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);

		must(exact);
		memcpy(exact, data + at, n);
		result = tunnel_feed(t, exact, n, why);
		free(exact);
	}
	tunnel_free(t);
	if (result >= 0)
		return result;
	/* never a matter of the service's key, no code, no foreign words */
	must(why->class == REASON_CONFIG || why->class == REASON_TCP);
	must(why->code == 0 && why->retry_after_ms <= 3600000);
	must(utf8_valid(why->text, strlen(why->text)));
	must(strstr(why->text, "proxy") && !strstr(why->text, "c2VjcmV0"));
	return result;
}

/* Cut right behind the head, what follows it is not seen; and http_parser tells
 * a name in parts, so a broken name of one header too many is either. */
static bool same(int whole, int pieces, const struct reason *why)
{
	const bool behind = whole == -EPROTO &&
			    strstr(why->text, "before the service was asked");

	return whole == pieces || (behind && pieces == 1) ||
	       ((whole == -EBADMSG || whole == -EMSGSIZE) &&
		(pieces == -EBADMSG || pieces == -EMSGSIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reason a = {0}, b = {0};
	int result;

	if (len < 2)
		return 0;
	result = answer(data + 1, len - 1, len, &a);
	must(same(result, answer(data + 1, len - 1, data[0] + 1u, &b), &a));
	fuzz_count_input(result == 1 || result == -EPROTO);
	return 0;
}

/* -- mutation by lines ------------------------------------------------------ */

static const char *const lines[] = {
	"HTTP/1.1 200 Connection established\r\n", "HTTP/1.0 200 OK\r\n",
	"HTTP/1.1 204 \r\n", "HTTP/1.1 299 x\r\n", "HTTP/1.1 100 Wait\r\n",
	"HTTP/1.1 302 Found\r\n", "HTTP/1.1 401 c2VjcmV0\r\n",
	"HTTP/1.1 403 No\r\n", "HTTP/1.1 405 No\r\n",
	"HTTP/1.1 407 Proxy Authentication Required\r\n",
	"HTTP/1.1 408 Late\r\n", "HTTP/1.1 429 Slow\r\n",
	"HTTP/1.1 500 No\r\n", "HTTP/1.1 502 Bad Gateway\r\n",
	"HTTP/1.1 503 No\r\n", "HTTP/1.1 504 Late\r\n", "HTTP/1.1 999 x\r\n",
	"HTTP/2 200\r\n", "220 smtp\r\n",
	/* from here on: headers */
	"Content-Length: 5\r\n", "Content-Length: 18446744073709551615\r\n",
	"Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
	"Connection: Upgrade\r\n", "Upgrade: websocket\r\n",
	"Proxy-Authenticate: Basic realm=\"c2VjcmV0\"\r\n",
	"Retry-After: 7\r\n", "Retry-After: 4294967295\r\n",
	"Retry-After: 99999999999999999999\r\n", "Retry-After: soon\r\n",
	"Via: 1.1 p\r\n", "X:\r\n folded\r\n", "X: \xff\r\n", "c2VjcmV0: x\r\n",
	"\r\n", "\r\n", "\r\n", "\r\nBasic c2VjcmV0", "\r\n<html>",
};

enum { STATUS_LINES = 19, LINES = sizeof(lines) / sizeof(lines[0]) };

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

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	uint32_t r = seed;
	size_t at = 1;
	unsigned n;

	if (max < 256 || (size > 1 && next(&r) % 4 == 0))
		return LLVMFuzzerMutate(data, size, max);
	data[0] = (uint8_t)next(&r);
	at = put(data, at, max, lines[next(&r) % STATUS_LINES]);
	for (n = next(&r) % 16 ? next(&r) % 6 : 70; n; n--)
		at = put(data, at, max,
			 lines[STATUS_LINES + next(&r) % (LINES - STATUS_LINES)]);
	return put(data, at, max, "\r\n");
}
