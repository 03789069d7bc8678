/** @file test_audiosocket.c  daemon/media/audiosocket.c */
#include "daemon/media/audiosocket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define UUID "\x01\0\x10" "0123456789abcdef"

/* "KIND:LENGTH:FIRST" for each message; then the error's name. */
static const struct {
	const char *name, *bytes;
	size_t len;
	const char *want;
} rows[] = {
	{ "nothing", "", 0, "" },
	{ "hangup", "\0\0\0", 3, "0:0 " },
	{ "a UUID", UUID, 19, "1:16:30 " },
	{ "a call", UUID "\x10\0\4abcd" "\x03\0\1" "5" "\0\0\0", 33,
	  "1:16:30 10:4:61 3:1:35 0:0 " },
	{ "error with its code", "\xff\0\1\4", 4, "ff:1:4 " },
	{ "every rate", "\x10\0\2aa" "\x11\0\2bb" "\x18\0\2cc", 15,
	  "10:2:61 11:2:62 18:2:63 " },
	{ "audio of no length", "\x10\0\0\x10\0\2xy", 8, "10:0 10:2:78 " },
	{ "kinds of later versions", "\x19\0\3abc\x02\0\1z\x42\0\0", 13,
	  "19:3:61 2:1:7a 42:0 " },
	{ "a hangup with more to say", "\0\0\1x", 4, "0:1:78 " },
	{ "the head only", "\x10\1\x40", 3, "" },
	{ "not whole", "\x10\0\4abc", 6, "" },
	{ "a UUID too short", "\x01\0\x0f" "0123456789abcde", 18, "bad" },
	{ "a UUID too long", "\x01\0\x11" "0123456789abcdef0", 20, "bad" },
	{ "odd audio", "\x10\0\3abc", 6, "bad" },
	{ "odd audio of another rate", "\x12\0\1a", 4, "bad" },
	{ "two digits", "\x03\0\2" "12", 5, "bad" },
	{ "no digit", "\x03\0\0", 3, "bad" },
	{ "longer than a second", "\x10\x3e\x82", 3, "long" },
	{ "another protocol", "GET / HTTP/1.1", 14, "long" },
	{ "bad behind good", "\0\0\0\x03\0\2", 6, "0:0 bad" },
};

static int feed(struct buf *out, struct audiosocket *a, const char *bytes,
		size_t len)
{
	uint8_t *exact = malloc(len + !len);
	struct audiosocket_message m;
	struct rd in = rd_of(exact, len);
	int got;

	memcpy(exact, bytes, len);
	while ((got = audiosocket_next(a, &in, &m)) == 1) {
		buf_printf(out, "%x:%zu", m.kind, m.len);
		if (m.len)
			buf_printf(out, ":%x", m.data[0]);
		buf_puts(out, " ");
	}
	if (!got)
		assert_int_equal(rd_left(&in), 0);
	free(exact);
	return got;
}

/* In pieces of `n`, the first of `first`. */
static void check(size_t row, size_t first, size_t n)
{
	struct audiosocket a = {0};
	struct buf out = {0};
	size_t at = 0, step = first;
	int got = 0;

	for (; at < rows[row].len && !got; at += step, step = n) {
		step = MIN(step, rows[row].len - at);
		got = feed(&out, &a, rows[row].bytes + at, step);
	}
	if (got)
		buf_puts(&out, got == -EBADMSG ? "bad" : "long");
	if (strcmp(buf_str(&out), rows[row].want) != 0)
		fail_msg("%s, %zu and %zu: %s", rows[row].name, first, n,
			 buf_str(&out));
	buf_free(&out);
}

static void test_messages_come_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(i, rows[i].len + 1, 1);
		check(i, 1, 1);
		for (size_t cut = 1; cut < rows[i].len; cut++)
			check(i, cut, rows[i].len);
	}
}

static void test_the_longest_fits(void **state)
{
	enum { ALL = AUDIOSOCKET_HEAD + AUDIOSOCKET_MAX };
	uint8_t *bytes = calloc(1, ALL);
	struct audiosocket *a = calloc(1, sizeof(*a));
	struct audiosocket_message m;

	(void)state;
	bytes[0] = AUDIOSOCKET_SLIN;
	bytes[1] = AUDIOSOCKET_MAX >> 8;
	bytes[2] = AUDIOSOCKET_MAX & 255;
	bytes[ALL - 1] = 7;
	for (size_t i = 0; i < ALL; i++) {
		struct rd in = rd_of(bytes + i, 1);

		assert_int_equal(audiosocket_next(a, &in, &m), i == ALL - 1);
	}
	assert_int_equal(m.len, AUDIOSOCKET_MAX);
	assert_int_equal(m.data[m.len - 1], 7);
	free(a);
	free(bytes);
}

static void test_rates(void **state)
{
	(void)state;
	assert_int_equal(audiosocket_rate(0x10), 8000);
	assert_int_equal(audiosocket_rate(0x15), 44100);
	assert_int_equal(audiosocket_rate(0x18), 192000);
	assert_int_equal(audiosocket_rate(0x19), 0);
	assert_int_equal(audiosocket_rate(0x0f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_come_in_any_pieces),
		cmocka_unit_test(test_the_longest_fits),
		cmocka_unit_test(test_rates),
	};

	return cmocka_run_group_tests_name("audiosocket", tests, NULL, NULL);
}
