/** @file test_sip_stream.c  daemon/sig/sip_stream.c */
#include "daemon/sig/sip_stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define INVITE "INVITE sip:b SIP/2.0\r\n"
#define BYE "BYE sip:b SIP/2.0\r\nl:0\r\n\r\n"
#define OK "SIP/2.0 200 OK\r\n"

/* What comes out: every message with '|' behind it */
static const struct row {
	const char *name, *stream, *want;
} rows[] = {
	{ "one", BYE, BYE "|" },
	{ "two", BYE OK "l: 0\r\n\r\n", BYE "|" OK "l: 0\r\n\r\n|" },
	{ "with a body", INVITE "Content-Length: 5\r\n\r\nhello" BYE,
	  INVITE "Content-Length: 5\r\n\r\nhello|" BYE "|" },
	{ "a body that looks like a message",
	  INVITE "Content-Length: 27\r\n\r\n" BYE "x" BYE,
	  INVITE "Content-Length: 27\r\n\r\n" BYE "x|" BYE "|" },
	{ "a body with blank lines", INVITE "l : \t8\r\n\r\n\r\n\r\n\r\n\r\n"
	  BYE, INVITE "l : \t8\r\n\r\n\r\n\r\n\r\n\r\n|" BYE "|" },
	{ "keep-alives", "\r\n\r\n" BYE "\r\n\r\n\r\n" BYE "\r\n",
	  BYE "|" BYE "|" },
	{ "line feeds", "BYE sip:b SIP/2.0\nContent-Length: 2\n\nhi" BYE,
	  "BYE sip:b SIP/2.0\nContent-Length: 2\n\nhi|" BYE "|" },
	{ "no Content-Length is none", INVITE "X: y\r\n\r\n" BYE,
	  INVITE "X: y\r\n\r\n|" BYE "|" },
	{ "no Content-Length, and a body", INVITE "X: y\r\n\r\nv=0\r\ns=-\r\n"
	  BYE, INVITE "X: y\r\n\r\n|" BYE "|" },
	{ "no header at all", OK "\r\n" BYE, OK "\r\n|" BYE "|" },
	{ "the same Content-Length twice", INVITE "l:2\r\nl: 2\r\n\r\nhi" BYE,
	  INVITE "l:2\r\nl: 2\r\n\r\nhi|" BYE "|" },
	{ "two Content-Lengths", INVITE "l:2\r\nl:3\r\n\r\nhi\r\n" BYE,
	  BYE "|" },
	{ "Content-Length -1", INVITE "Content-Length: -1\r\n\r\n" BYE,
	  BYE "|" },
	{ "Content-Length 2^32 + 2", INVITE "Content-Length: 4294967298\r\n"
	  "\r\nhi\r\n" BYE, BYE "|" },
	{ "Content-Length empty", INVITE "Content-Length:\r\n\r\n" BYE,
	  BYE "|" },
	{ "Content-Length over 128 KiB", INVITE "Content-Length: 131073\r\n\r\n"
	  BYE, BYE "|" },
	{ "head and body together over 128 KiB",
	  INVITE "Content-Length: 131072\r\n\r\n" BYE, BYE "|" },
	{ "begins inside a body", "=audio 4000 RTP/AVP 0\r\na=x\r\n" BYE,
	  BYE "|" },
	{ "begins inside a head", "tag=1\r\nCall-ID: x\r\nl: 0\r\n\r\n" BYE,
	  BYE "|" },
	{ "junk between", BYE "\1\2\3 junk\r\n" BYE "more junk\n" BYE,
	  BYE "|" BYE "|" BYE "|" },
	{ "other protocols", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" BYE,
	  BYE "|" },
	{ "a zero byte in front costs the line", "\1" BYE BYE, BYE "|" },
	{ "not yet whole", BYE INVITE "l:5\r\n\r\nhell", BYE "|" },
	{ "headers only begun", BYE "INVITE sip:b SIP/2.0\r\nX", BYE "|" },
};

static void take_all(struct sip_stream *s, struct buf *out)
{
	const uint8_t *data;
	size_t len;

	while (sip_stream_next(s, &data, &len) == 1) {
		buf_add(out, data, len);
		buf_puts(out, "|");
	}
}

static void feed(struct sip_stream *s, const char *text, size_t len,
		 struct buf *out)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	assert_int_equal(sip_stream_feed(s, exact, len), 0);
	free(exact);
	take_all(s, out);
}

/* In pieces of `piece` bytes, the first of `first` */
static void run(const struct row *r, size_t first, size_t piece)
{
	const size_t len = strlen(r->stream);
	struct sip_stream *s;
	struct buf got = { 0 };

	assert_int_equal(sip_stream_new(&s), 0);
	for (size_t at = 0, n = first; at < len; at += n, n = piece) {
		n = MIN(n, len - at);
		feed(s, r->stream + at, n, &got);
	}
	assert_string_equal(buf_str(&got), r->want);
	buf_free(&got);
	sip_stream_free(s);
}

static void test_streams_whole_bytewise_and_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const size_t len = strlen(r->stream);

		print_message("row: %s\n", r->name);
		run(r, len, len);
		run(r, 1, 1);
		for (size_t split = 1; split < len; split++)
			run(r, split, len);
	}
}

/* RFC 5626 section 4.4.1, wherever it is cut */
static void test_pings(void **state)
{
	static const struct {
		const char *name, *stream;
		bool want;
	} pings[] = {
		{ "alone", "\r\n\r\n", true },
		{ "half of one", "\r\n", false },
		{ "behind a message", BYE "\r\n\r\n", true },
		{ "in front of one", "\r\n\r\n" BYE, true },
		{ "one line end on each side", "\r\n" BYE "\r\n", false },
		{ "a body of line ends", INVITE "l: 4\r\n\r\n\r\n\r\n",
		  false },
		{ "junk between", "\r\njunk\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pings); i++) {
		const char *text = pings[i].stream;

		for (size_t split = 0; split < strlen(text); split++) {
			struct sip_stream *s;
			struct buf got = { 0 };

			assert_int_equal(sip_stream_new(&s), 0);
			feed(s, text, split, &got);
			feed(s, text + split, strlen(text) - split, &got);
			if (sip_stream_pinged(s) != pings[i].want)
				fail_msg("%s, cut at %zu", pings[i].name, split);
			assert_false(sip_stream_pinged(s));
			buf_free(&got);
			sip_stream_free(s);
		}
	}
}

static void test_lost_bytes(void **state)
{
	static const char half[] = INVITE "Content-Length: 500\r\n\r\nv=0\r\n";
	static const struct row after[] = {
		{ "a message", BYE, BYE "|" },
		{ "the rest of another", "a=x\r\n" BYE, BYE "|" },
		{ "inside a line", "sip:b SIP/2.0\r\nl: 0\r\n\r\n" BYE,
		  BYE "|" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(after); i++)
		for (size_t n = 0; n < sizeof(half); n++) {
			struct sip_stream *s;
			struct buf got = { 0 };

			assert_int_equal(sip_stream_new(&s), 0);
			feed(s, half, n, &got);
			sip_stream_lost(s);
			feed(s, after[i].stream, strlen(after[i].stream),
			     &got);
			assert_string_equal(buf_str(&got), after[i].want);
			buf_free(&got);
			sip_stream_free(s);
		}
}

/* Nothing that never ends may grow for ever */
static void test_limits(void **state)
{
	static const struct {
		const char *name, *begin, *fill;
		bool dropped;
	} endless[] = {
		{ "a line", "INVITE sip:", "aaaaaaaaaa", false },
		{ "a header", INVITE "X: ", "aaaaaaaaaa", true },
		{ "headers", INVITE, "X: aaaaa\r\n", true },
		{ "keep-alives", "", "\r\n\r\n\r\n\r\n\r\n", false },
		{ "junk", "", "aaaaaaaa\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(endless); i++) {
		struct sip_stream *s;
		struct buf got = { 0 };
		size_t dropped = 0;

		print_message("row: %s\n", endless[i].name);
		assert_int_equal(sip_stream_new(&s), 0);
		feed(s, endless[i].begin, strlen(endless[i].begin), &got);
		for (size_t n = 0; n < 40000; n++) {
			const int err = sip_stream_feed(
				s, (const uint8_t *)endless[i].fill, 10);

			assert_true(err == 0 || err == -EMSGSIZE);
			dropped += err != 0;
			take_all(s, &got);
		}
		assert_int_equal(dropped != 0, endless[i].dropped);
		assert_int_equal(got.len, 0);
		feed(s, "\r\n" BYE, strlen("\r\n" BYE), &got);
		assert_string_equal(buf_str(&got), BYE "|");
		buf_free(&got);
		sip_stream_free(s);
	}
}

/* 128 KiB is still a message */
static void test_the_longest_message(void **state)
{
	static const char head[] = INVITE "Content-Length: 131000\r\n\r\n";
	struct sip_stream *s;
	struct buf in = { 0 }, got = { 0 };

	(void)state;
	assert_int_equal(sip_stream_new(&s), 0);
	buf_puts(&in, head);
	memset(buf_room(&in, 131000), 'x', 131000);
	in.len += 131000;
	buf_puts(&in, BYE);
	for (size_t at = 0; at < in.len; at += 1000)
		feed(s, buf_str(&in) + at, MIN(1000, in.len - at), &got);
	assert_int_equal(got.len, in.len + 2);
	assert_memory_equal(got.data, in.data, strlen(head) + 131000);
	buf_free(&in);
	buf_free(&got);
	sip_stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_whole_bytewise_and_split),
		cmocka_unit_test(test_pings),
		cmocka_unit_test(test_lost_bytes),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_the_longest_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
