/**
 * @file fuzz_sip_stream.c  SIP messages out of a stream cut into pieces
 *
 * The first byte says how: however the bytes are cut, the same messages must
 * come out.  Its top bit says that bytes are lost in the middle.
 */
#include <errno.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/sig/sip_stream.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

static const char *const whole_lines[] = {
	"INVITE sip:b@h SIP/2.0", "BYE sip:b@h SIP/2.0", "SIP/2.0 200 OK",
	"Content-Length: 0", "Content-Length: 5", "l: 3", "l:40", "X: y", "",
	"", "GET / HTTP/1.1", "v=0", " folded", "Content-Length: 131072",
	"Content-Length: -1",
};
static const char *const values[] = {
	"", " ", "0", "1", "2", "10", "131073", "-1", "SIP/2.0", "sip:", "l:",
	"\r", "\n", "\r\n\r\n", "Content-Length:", "99999999999999999999",
};
static const struct lines_words words = {
	whole_lines, ARRAY_LEN(whole_lines), values, ARRAY_LEN(values),
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	if (size < 2 || seed % 16 == 0)
		return LLVMFuzzerMutate(data, size, max);
	return 1 + lines_mutate(data + 1, size - 1, max - 1, seed, &words,
				NULL);
}

static size_t take_all(struct sip_stream *s, struct buf *out)
{
	const uint8_t *data;
	size_t len, n = 0;

	for (; sip_stream_next(s, &data, &len) == 1; n++) {
		must(len > 0 && len <= 128 * 1024);
		buf_add(out, data, len);
		buf_add(out, "\0|", 2);
	}
	return n;
}

static size_t feed(struct sip_stream *s, const uint8_t *data, size_t len,
		   struct buf *out)
{
	uint8_t *exact = malloc(len ? len : 1);

	must(exact);
	memcpy(exact, data, len);
	const int err = sip_stream_feed(s, exact, len);

	free(exact);
	must(err == 0 || err == -EMSGSIZE);
	return take_all(s, out);
}

/* @param step 0: in one piece */
static size_t run(const uint8_t *data, size_t len, unsigned step, size_t lost,
		  struct buf *out)
{
	struct sip_stream *s;
	size_t n = 0;

	must(sip_stream_new(&s) == 0);
	for (size_t at = 0; at < len;) {
		const size_t stop = at < lost ? lost : len;
		size_t piece = step ? 1 + at * 7 % step : len;

		if (piece > stop - at)
			piece = stop - at;
		if (lost && at == lost)
			sip_stream_lost(s);
		n += feed(s, data + at, piece, out);
		at += piece;
	}
	sip_stream_free(s);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf whole = { 0 }, cut = { 0 };

	if (len < 2 || len > 64 * 1024)
		return -1;
	const unsigned step = 1 + (data[0] & 0x7f);
	const size_t lost = data[0] & 0x80 ? (len - 1) / 2 : 0;
	const size_t n = run(data + 1, len - 1, 0, lost, &whole);

	must(run(data + 1, len - 1, step, lost, &cut) == n);
	must(whole.len == cut.len &&
	     memcmp(buf_str(&whole), buf_str(&cut), cut.len) == 0);
	buf_free(&whole);
	buf_free(&cut);
	fuzz_count_input(n > 0);
	return 0;
}
