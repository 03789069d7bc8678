/** @file test_frames.c  Frames in and out: rules, limits, any split */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ws/frames.h"

/* -- what comes in -------------------------------------------------------- */

struct row {
	const char *name;
	const char *bytes;
	size_t len;
	const char *heard;  /* "T:text|B:2|D:300000|" */
	int result;
	unsigned code;
	const char *text;   /* of the end; NULL: whatever */
};

#define ROW(name, bytes, ...) { name, bytes, sizeof(bytes) - 1, __VA_ARGS__ }
#define BAD(name, bytes, code) ROW(name, bytes, "", -EPROTO, code, NULL)
#define CLOSE(name, bytes, code, text) ROW(name, bytes, "", 1, code, text)
#define SIXTY_ONE "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz123456789"
#define DIGITS "01234567890123456789012345678901234567890123456789012345678901"

/* reference: RFC 6455 section 5 to 8, the groups of the Autobahn suite, and
 * what wslay 1.1.1 was measured to do (reliability 1.5) */
static const struct row rows[] = {
	ROW("nothing", "", "", 0, 0, NULL),
	ROW("text", "\x81\x05Hello", "T:Hello|", 0, 0, NULL),
	ROW("binary", "\x82\x02\0\1", "B:2|", 0, 0, NULL),
	ROW("empty text", "\x81\x00", "T:|", 0, 0, NULL),
	ROW("empty binary", "\x82\x00", "B:0|", 0, 0, NULL),
	ROW("two messages", "\x81\x01" "a\x81\x01" "b", "T:a|T:b|", 0, 0, NULL),
	ROW("two fragments", "\x01\x03Hel\x80\x02lo", "T:Hello|", 0, 0, NULL),
	ROW("empty fragments", "\x01\x00\x00\x01" "a\x00\x00\x80\x00", "T:a|", 0,
	    0, NULL),
	ROW("ping between fragments", "\x01\x03Hel\x89\x01p\x80\x02lo",
	    "T:Hello|", 0, 0, NULL),
	ROW("unasked pong", "\x8a\x03xyz\x81\x01" "a", "T:a|", 0, 0, NULL),
	ROW("ping of 124 bytes", "\x89\x7c" DIGITS DIGITS, "", 0, 0, NULL),
	ROW("16-bit length", "\x82\x7e\x00\x7e" DIGITS DIGITS "ab", "B:126|", 0,
	    0, NULL),

	BAD("RSV1", "\xc1\x01x", 1002),
	BAD("RSV2", "\xa1\x01x", 1002),
	BAD("RSV3", "\x91\x01x", 1002),
	BAD("RSV1 in a ping", "\xc9\x00", 1002),
	BAD("opcode 3", "\x83\x00", 1002),
	BAD("opcode 4", "\x84\x01x", 1002),
	BAD("opcode 5", "\x85\x00", 1002),
	BAD("opcode 6", "\x86\x00", 1002),
	BAD("opcode 7", "\x87\x00", 1002),
	BAD("opcode 11", "\x8b\x00", 1002),
	BAD("opcode 12", "\x8c\x01x", 1002),
	BAD("opcode 15", "\x8f\x00", 1002),
	BAD("continuation of nothing", "\x80\x01x", 1002),
	BAD("continuation of nothing, not the last", "\x00\x01x", 1002),
	ROW("continuation after a whole message", "\x81\x01" "a\x80\x01" "b",
	    "T:a|", -EPROTO, 1002, NULL),
	BAD("text inside text", "\x01\x01" "a\x81\x01" "b", 1002),
	BAD("masked by a server", "\x81\x81\0\0\0\0x", 1002),
	BAD("ping of 126 bytes", "\x89\x7e\x00\x7e\0\0", 1002),
	BAD("fragmented ping", "\x09\x01x", 1002),
	BAD("length 125 in 16 bits", "\x82\x7e\x00\x7d\0\0", 1002),
	BAD("length 65535 in 64 bits", "\x82\x7f\0\0\0\0\0\0\xff\xff\0", 1002),
	BAD("length with the top bit",
	    "\x82\x7f\x80\0\0\0\0\0\0\0\0", 1002),
	BAD("announces 1 GiB", "\x82\x7f\0\0\0\0\x40\0\0\0x", 1009),
	BAD("announces 4 MiB and a byte", "\x82\x7f\0\0\0\0\0\x40\0\1x", 1009),

	ROW("two, three and four bytes of UTF-8",
	    "\x81\x09\xc2\xa2\xe2\x82\xac\xf0\x90\x8d\x88",
	    "T:\xc2\xa2\xe2\x82\xac\xf0\x90\x8d\x88|", 0, 0, NULL),
	ROW("a character over two fragments",
	    "\x01\x02\xe2\x82\x80\x01\xac", "T:\xe2\x82\xac|", 0, 0, NULL),
	ROW("a character over three, pings between",
	    "\x01\x01\xe2\x89\x00\x00\x01\x82\x89\x00\x80\x01\xac",
	    "T:\xe2\x82\xac|", 0, 0, NULL),
	BAD("a byte that is never UTF-8", "\x81\x01\xff", 1007),
	BAD("a character cut at the end", "\x81\x02\xe2\x82", 1007),
	BAD("cut at the end of the last fragment",
	    "\x01\x01" "a\x80\x02\xe2\x82", 1007),
	BAD("a continuation byte alone", "\x81\x01\x80", 1007),
	BAD("overlong slash", "\x81\x02\xc0\xaf", 1007),
	BAD("overlong, three bytes", "\x81\x03\xe0\x80\xaf", 1007),
	BAD("overlong, four bytes", "\x81\x04\xf0\x80\x80\xaf", 1007),
	BAD("surrogate", "\x81\x03\xed\xa0\x80", 1007),
	BAD("above U+10FFFF", "\x81\x04\xf4\x90\x80\x80", 1007),
	BAD("five bytes", "\x81\x05\xf8\x88\x80\x80\x80", 1007),
	BAD("bad byte in the second fragment",
	    "\x01\x01" "a\x80\x02" "b\xff", 1007),
	ROW("binary need not be UTF-8", "\x82\x01\xff", "B:1|", 0, 0, NULL),

	CLOSE("close", "\x88\x02\x03\xe8", 1000, ""),
	CLOSE("close with a reason", "\x88\x05\x03\xe8" "bye", 1000, "bye"),
	CLOSE("close without a code", "\x88\x00", 1005, ""),
	ROW("close after a message", "\x81\x01" "a\x88\x02\x03\xe9", "T:a|", 1,
	    1001, ""),
	CLOSE("nothing after close", "\x88\x02\x03\xe8\x81\x01x\xff\xff", 1000,
	      ""),
	CLOSE("close inside a message", "\x01\x01" "a\x88\x02\x03\xe8", 1000,
	      ""),
	CLOSE("close 1003", "\x88\x02\x03\xeb", 1003, ""),
	CLOSE("close 1007", "\x88\x02\x03\xef", 1007, ""),
	CLOSE("close 1008", "\x88\x02\x03\xf0", 1008, ""),
	CLOSE("close 1011", "\x88\x02\x03\xf3", 1011, ""),
	CLOSE("close 1012", "\x88\x06\x03\xf4" "soon", 1012, "soon"),
	CLOSE("reason with characters of two and three bytes",
	      "\x88\x0a\x03\xf5\xc3\xbc\xc3\xbc\xe2\x82\xac!", 1013,
	      "\xc3\xbc\xc3\xbc\xe2\x82\xac!"),
	CLOSE("close 1013", "\x88\x02\x03\xf5", 1013, ""),
	CLOSE("close 1014", "\x88\x02\x03\xf6", 1014, ""),
	CLOSE("close 3000", "\x88\x02\x0b\xb8", 3000, ""),
	CLOSE("close 3999", "\x88\x02\x0f\x9f", 3999, ""),
	CLOSE("close 4000", "\x88\x02\x0f\xa0", 4000, ""),
	CLOSE("close 4999", "\x88\x02\x13\x87", 4999, ""),
	BAD("close of one byte", "\x88\x01\x03", 1002),
	BAD("close of one byte that begins a good code", "\x88\x01\x0c", 1002),
	BAD("close 0", "\x88\x02\x00\x00", 1002),
	BAD("close 999", "\x88\x02\x03\xe7", 1002),
	BAD("close 1004", "\x88\x02\x03\xec", 1002),
	BAD("close 1005", "\x88\x02\x03\xed", 1002),
	BAD("close 1006", "\x88\x02\x03\xee", 1002),
	BAD("close 1015", "\x88\x02\x03\xf7", 1002),
	BAD("close 1016", "\x88\x02\x03\xf8", 1002),
	BAD("close 1100", "\x88\x02\x04\x4c", 1002),
	BAD("close 2000", "\x88\x02\x07\xd0", 1002),
	BAD("close 2999", "\x88\x02\x0b\xb7", 1002),
	BAD("close 5000", "\x88\x02\x13\x88", 1002),
	BAD("close 65535", "\x88\x02\xff\xff", 1002),
	BAD("close reason is not UTF-8", "\x88\x04\x03\xe8\xc3\x28", 1007),
	BAD("close reason is cut", "\x88\x04\x03\xe8\xe2\x82", 1007),
	BAD("close reason begins badly", "\x88\x05\x03\xe8\x80" "ab", 1007),
	BAD("fragmented close", "\x08\x02\x03\xe8", 1002),
	BAD("close of 126 bytes", "\x88\x7e\x00\x7e\x03\xe8", 1002),
	CLOSE("control characters in the reason",
	      "\x88\x0a\x03\xe8" "a\x1b[2J\0\n\x7f", 1000, "a?[2J???"),
	CLOSE("reason of 123 bytes", "\x88\x7d\x03\xe8" DIGITS SIXTY_ONE, 1000,
	      DIGITS SIXTY_ONE),
};

struct heard {
	struct buf log;
	struct frames *stop; /* at the first message */
};

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct heard *h = arg;

	if (text && len < 1000) {
		buf_puts(&h->log, "T:");
		buf_add(&h->log, data, len);
		buf_puts(&h->log, "|");
	} else {
		buf_printf(&h->log, "%s:%zu|", text ? "T" : "B", len);
	}
	if (h->stop)
		frames_stop(h->stop);
}

static void on_dropped(size_t len, void *arg)
{
	buf_printf(&((struct heard *)arg)->log, "D:%zu|", len);
}

static const struct frames_cb cb = { on_message, on_dropped };

/* Feed a piece of `first` bytes, then pieces of `piece`, each in a block of
 * its own so that a sanitizer sees a byte too many. */
static int feed(struct frames *f, const uint8_t *data, size_t len,
		size_t first, size_t piece, struct frames_end *end)
{
	int result = 0;
	size_t n = first;

	for (size_t at = 0; result == 0 && at < len; n = piece) {
		if (n > len - at)
			n = len - at;

		uint8_t *exact = malloc(n);

		memcpy(exact, data + at, n);
		result = frames_feed(f, exact, n, 0, end);
		free(exact);
		at += n;
	}
	return result;
}

static bool row_holds(const struct row *r, size_t first, size_t piece)
{
	struct heard h = {0};
	struct frames_end end = {0};
	struct frames *f;
	bool ok;

	assert_int_equal(frames_new(&f, false, NULL, &cb, &h), 0);

	const int result = feed(f, (const uint8_t *)r->bytes, r->len, first,
				piece, &end);

	ok = result == r->result && !strcmp(buf_str(&h.log), r->heard) &&
	     (!result || end.code == r->code) &&
	     (!r->text || !strcmp(end.text, r->text)) &&
	     (result != -EPROTO || *end.text);
	if (!ok)
		print_error("%s (%zu, then %zu): %d %u \"%s\" heard %s\n",
			    r->name, first, piece, result, end.code, end.text,
			    buf_str(&h.log));
	frames_free(f);
	buf_free(&h.log);
	return ok;
}

static void test_every_row_in_every_split(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wrong += !row_holds(&rows[i], SIZE_MAX, SIZE_MAX);
		wrong += !row_holds(&rows[i], 1, 1);
		for (size_t at = 1; at < rows[i].len; at++)
			wrong += !row_holds(&rows[i], at, SIZE_MAX);
	}
	assert_int_equal(wrong, 0);
}

/* -- limits --------------------------------------------------------------- */

static void header(struct buf *b, uint8_t first, size_t len)
{
	uint8_t h[10] = { first, 127 };

	for (unsigned i = 0; i < 8; i++)
		h[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	if (len < 126) {
		h[1] = (uint8_t)len;
		buf_add(b, h, 2);
	} else if (len < 65536) {
		h[1] = 126;
		h[2] = (uint8_t)(len >> 8);
		h[3] = (uint8_t)len;
		buf_add(b, h, 4);
	} else {
		buf_add(b, h, 10);
	}
}

static const struct {
	const char *name;
	size_t frame;      /* payload of each frame */
	size_t frames;     /* one message of so many */
	const char *heard;
	int result;
} limits[] = {
	{ "256 KiB", 262144, 1, "B:262144|B:1|", 0 },
	{ "256 KiB and a byte", 262145, 1, "D:262145|B:1|", 0 },
	{ "256 KiB in 1,024 fragments", 256, 1024, "B:262144|B:1|", 0 },
	{ "200,000 fragments of a byte", 1, 200000, "B:200000|B:1|", 0 },
	{ "262,145 fragments of a byte", 1, 262145, "D:262145|B:1|", 0 },
	{ "5,000 empty fragments", 0, 5000, "B:0|B:1|", 0 },
	{ "4 MiB", 4194304, 1, "D:4194304|B:1|", 0 },
	{ "4 MiB in 16 fragments", 262144, 16, "D:4194304|B:1|", 0 },
	{ "4 MiB and more in fragments", 262144, 17, "", -EPROTO },
	{ "4 MiB and a byte", 4194305, 1, "", -EPROTO },
};

static bool limit_holds(size_t i, const struct buf *in, size_t piece)
{
	struct heard h = {0};
	struct frames_end end = {0};
	struct frames *f;
	bool ok;

	assert_int_equal(frames_new(&f, false, NULL, &cb, &h), 0);

	const int result = feed(f, in->data, in->len, piece, piece, &end);

	ok = result == limits[i].result &&
	     !strcmp(buf_str(&h.log), limits[i].heard) &&
	     (!result || end.code == 1009);
	if (!ok)
		print_error("%s: %d %u %s\n", limits[i].name, result, end.code,
			    buf_str(&h.log));
	frames_free(f);
	buf_free(&h.log);
	return ok;
}

static void test_limits_of_a_message(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint8_t *zero = calloc(1, limits[i].frame + 1);
		struct buf in = {0};

		for (size_t n = 0; n < limits[i].frames; n++) {
			const bool last = n + 1 == limits[i].frames;

			header(&in, (uint8_t)((n ? 0 : 2) | (last ? 0x80 : 0)),
			       limits[i].frame);
			buf_add(&in, zero, limits[i].frame);
		}
		buf_add(&in, "\x82\1x", 3); /* life goes on */
		wrong += !limit_holds(i, &in, 1461);
		wrong += !limit_holds(i, &in, SIZE_MAX);
		buf_free(&in);
		free(zero);
	}
	assert_int_equal(wrong, 0);
}

static int ping(struct frames *f, unsigned n, uint64_t now_us,
		struct frames_end *end)
{
	int result = 0;

	while (n-- && !result)
		result = frames_feed(f, (const uint8_t *)"\x89\1p", 3, now_us,
				     end);
	return result;
}

static void test_control_frames_have_a_rate(void **state)
{
	struct heard h = {0};
	struct frames_end end = {0};
	struct frames *f;
	struct buf flood = {0};

	(void)state;
	assert_int_equal(frames_new(&f, false, NULL, &cb, &h), 0);
	assert_int_equal(ping(f, 1000, 5000000, &end), 0);
	assert_int_equal(ping(f, 1000, 6000000, &end), 0);
	assert_int_equal(ping(f, 1, 6999999, &end), -EPROTO);
	assert_int_equal(end.code, 1008);
	frames_free(f);

	/* in one piece as well */
	for (unsigned i = 0; i < 1001; i++)
		buf_add(&flood, "\x8a", 2);
	assert_int_equal(frames_new(&f, false, NULL, &cb, &h), 0);
	assert_int_equal(frames_feed(f, flood.data, flood.len, 1, &end),
			 -EPROTO);
	assert_int_equal(end.code, 1008);
	frames_free(f);
	buf_free(&flood);
}

static void test_stop_inside_a_message(void **state)
{
	struct heard h = {0};
	struct frames_end end = {0};
	struct frames *f;

	(void)state;
	assert_int_equal(frames_new(&f, false, NULL, &cb, &h), 0);
	h.stop = f;
	assert_int_equal(frames_feed(f, (const uint8_t *)"\x81\1a\x81\1b\x88\0",
				     8, 0, &end), -ECANCELED);
	assert_string_equal(buf_str(&h.log), "T:a|");
	frames_free(f);
	buf_free(&h.log);
}

/* -- what goes out -------------------------------------------------------- */

static void rfc_mask(uint8_t *out, size_t len, void *arg)
{
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };

	(void)arg;
	assert_int_equal(len, 4);
	memcpy(out, key, 4);
}

/* The examples of RFC 6455 section 5.7. */
static void test_frames_of_the_rfc(void **state)
{
	struct frames *client, *server;
	struct frames_end end;
	struct buf out = {0};

	(void)state;
	assert_int_equal(frames_new(&client, false, rfc_mask, &cb, NULL), 0);
	assert_int_equal(frames_new(&server, true, NULL, &cb, NULL), 0);

	assert_int_equal(frames_message(server, true, "Hello", 5, &out), 0);
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.data, "\x81\x05Hello", 7);

	buf_clear(&out);
	assert_int_equal(frames_message(client, true, "Hello", 5, &out), 0);
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.data, "\x81\x85\x37\xfa\x21\x3d"
				      "\x7f\x9f\x4d\x51\x58", 11);

	buf_clear(&out);
	assert_int_equal(frames_feed(client, (const uint8_t *)"\x89\x05Hello",
				     7, 0, &end), 0);
	assert_int_equal(frames_pongs(client, &out), 0);
	assert_int_equal(out.len, 11);
	assert_memory_equal(out.data, "\x8a\x85\x37\xfa\x21\x3d"
				      "\x7f\x9f\x4d\x51\x58", 11);
	buf_clear(&out);
	assert_int_equal(frames_pongs(client, &out), 0);
	assert_int_equal(out.len, 0); /* once */

	assert_int_equal(frames_ping(client, &out), 0);
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.data, "\x89\x80", 2);

	frames_free(client);
	frames_free(server);
	buf_free(&out);
}

static void test_lengths_of_frames(void **state)
{
	static const struct {
		size_t len, header;
		const char *bytes;
	} sizes[] = {
		{ 1, 2, "\x82\x01" },
		{ 125, 2, "\x82\x7d" },
		{ 126, 4, "\x82\x7e\x00\x7e" },
		{ 65535, 4, "\x82\x7e\xff\xff" },
		{ 65536, 10, "\x82\x7f\0\0\0\0\0\1\0\0" },
		{ 300000, 10, "\x82\x7f\0\0\0\0\0\4\x93\xe0" },
	};
	struct frames *f;
	uint8_t *data = calloc(1, 300000);

	(void)state;
	assert_int_equal(frames_new(&f, true, NULL, &cb, NULL), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf out = {0};

		assert_int_equal(frames_message(f, false, data, sizes[i].len,
						&out), 0);
		assert_int_equal(out.len, sizes[i].header + sizes[i].len);
		assert_memory_equal(out.data, sizes[i].bytes, sizes[i].header);
		assert_memory_equal(out.data + sizes[i].header, data,
				    sizes[i].len);
		buf_free(&out);
	}
	frames_free(f);
	free(data);
}

static void test_no_empty_message(void **state)
{
	struct frames *f;
	struct buf out = {0};

	(void)state;
	assert_int_equal(frames_new(&f, true, NULL, &cb, NULL), 0);
	assert_int_equal(frames_message(f, false, "", 0, &out), -EINVAL);
	assert_int_equal(frames_message(f, true, NULL, 1, &out), -EINVAL);
	assert_int_equal(out.len, 0);
	frames_free(f);
}

static void test_close_frames(void **state)
{
	struct frames *f;
	struct buf out = {0};
	char reason[130];

	(void)state;
	assert_int_equal(frames_new(&f, true, NULL, &cb, NULL), 0);
	assert_int_equal(frames_close(f, 0, NULL, &out), 0);
	assert_int_equal(frames_close(f, 1001, "off", &out), 0);
	assert_int_equal(out.len, 9);
	assert_memory_equal(out.data, "\x88\x00\x88\x05\x03\xe9off", 9);
	assert_int_equal(frames_close(f, 65536, NULL, &out), -EINVAL);
	/* cut to 123 bytes, but not inside a character */
	memset(reason, 'x', sizeof(reason));
	memcpy(reason + 122, "\xc2\xa2", 3);
	buf_clear(&out);
	assert_int_equal(frames_close(f, 1000, reason, &out), 0);
	assert_int_equal(out.len, 2 + 2 + 122);
	assert_int_equal(out.data[1], 124);
	frames_free(f);
	buf_free(&out);
}

/* Letters a, b, ... as masked pings; then what is answered. */
static void pings(struct frames *f, uint8_t n, struct buf *out)
{
	struct frames_end end;

	for (uint8_t i = 0; i < n; i++) {
		const uint8_t in[7] = { 0x89, 0x81, 0, 0, 0, 0,
					(uint8_t)('a' + i) };

		assert_int_equal(frames_feed(f, in, sizeof(in), 0, &end), 0);
	}
	buf_clear(out);
	assert_int_equal(frames_pongs(f, out), 0);
}

static void test_pongs_are_bounded(void **state)
{
	struct heard h = {0};
	struct frames *f;
	struct buf out = {0};

	(void)state;
	assert_int_equal(frames_new(&f, true, NULL, &cb, &h), 0);
	pings(f, 16, &out);
	assert_int_equal(out.len, 16 * 3);
	assert_memory_equal(out.data, "\x8a\x01" "a\x8a\x01" "b", 6);
	pings(f, 17, &out);
	assert_int_equal(out.len, 3); /* the newest */
	assert_memory_equal(out.data, "\x8a\x01q", 3);
	frames_free(f);
	buf_free(&out);
}

static void test_a_server_wants_masks(void **state)
{
	static const uint8_t masked[] = "\x81\x85\x37\xfa\x21\x3d"
					"\x7f\x9f\x4d\x51\x58";
	static const uint8_t closing[] = "\x88\x82\x01\x02\x03\x04\x02\xf6";
	struct heard h = {0};
	struct frames_end end;
	struct frames *f;

	(void)state;
	assert_int_equal(frames_new(&f, true, NULL, &cb, &h), 0);
	assert_int_equal(feed(f, masked, sizeof(masked) - 1, 1, 1, &end), 0);
	assert_string_equal(buf_str(&h.log), "T:Hello|");
	assert_int_equal(feed(f, closing, sizeof(closing) - 1, 1, 1, &end), 1);
	assert_int_equal(end.code, 1012); /* 0x03f4 under the mask */
	frames_free(f);

	assert_int_equal(frames_new(&f, true, NULL, &cb, &h), 0);
	assert_int_equal(frames_feed(f, (const uint8_t *)"\x81\x01x", 3, 0,
				     &end), -EPROTO);
	assert_int_equal(end.code, 1002);
	frames_free(f);
	buf_free(&h.log);
}

/* By hand: what is in the first bytes of frames, whatever is in them. */
static void test_the_last_kinds_are_known(void **state)
{
	static const uint8_t bytes[] = "\x01\x03Hel\x89\x01\x81\x80\x02lo"
				       "\x82\x7e\x00\x7e" DIGITS DIGITS "ab"
				       "\x81\x01z\xc1\x01x";
	static const struct frames_cb none = { NULL, NULL };
	char kinds[FRAMES_KINDS], want[FRAMES_KINDS];
	struct frames_end end;
	struct frames *f;

	(void)state;
	for (size_t step = 1; step < sizeof(bytes); step += 7) {
		assert_int_equal(frames_new(&f, false, NULL, &none, NULL), 0);
		frames_kinds(f, kinds);
		assert_string_equal(kinds, "");
		int ret = 0;
		for (size_t i = 0; !ret && i < sizeof(bytes) - 1; i += step)
			ret = frames_feed(f, bytes + i,
					  sizeof(bytes) - 1 - i < step
						  ? sizeof(bytes) - 1 - i
						  : step,
					  0, &end);
		assert_int_equal(ret, -EPROTO);
		frames_kinds(f, kinds);
		assert_string_equal(kinds, "0189808281c1");
		frames_free(f);
	}

	/* of many, the last 64 */
	assert_int_equal(frames_new(&f, false, NULL, &none, NULL), 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(frames_feed(f, (const uint8_t *)"\x81\x01s", 3,
					     0, &end), 0);
	for (unsigned i = 0; i < 63; i++)
		assert_int_equal(frames_feed(f, (const uint8_t *)"\x82\x01s", 3,
					     0, &end), 0);
	frames_kinds(f, kinds);
	memcpy(want, "81", 3);
	for (unsigned i = 0; i < 63; i++)
		memcpy(want + 2 + 2 * i, "82", 3);
	assert_string_equal(kinds, want);
	frames_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_in_every_split),
		cmocka_unit_test(test_limits_of_a_message),
		cmocka_unit_test(test_control_frames_have_a_rate),
		cmocka_unit_test(test_stop_inside_a_message),
		cmocka_unit_test(test_the_last_kinds_are_known),
		cmocka_unit_test(test_frames_of_the_rfc),
		cmocka_unit_test(test_lengths_of_frames),
		cmocka_unit_test(test_no_empty_message),
		cmocka_unit_test(test_close_frames),
		cmocka_unit_test(test_pongs_are_bounded),
		cmocka_unit_test(test_a_server_wants_masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
