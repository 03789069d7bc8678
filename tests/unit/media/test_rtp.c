/** @file test_rtp.c  daemon/media/rtp.c */
#include "daemon/media/rtp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

#define FIXED "\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	size_t cut;           /* bytes the capture left out */
	int err;              /* the rest is looked at when this is 0 */
	uint8_t pt;
	bool marker;
	size_t payload_at;    /* offset into bytes */
	size_t payload_len;
	size_t wire_len;
} rows[] = {
	{ "empty datagram",   "", 0, 0,           -EBADMSG, 0, 0, 0, 0, 0 },
	{ "one byte short",   FIXED, 11, 0,       -EBADMSG, 0, 0, 0, 0, 0 },
	{ "header cut off",   FIXED, 11, 161,     -EBADMSG, 0, 0, 0, 0, 0 },
	{ "header only",      FIXED, 12, 0,              0, 0, 0, 12, 0, 0 },
	{ "two octets",       FIXED "ab", 14, 0,         0, 0, 0, 12, 2, 2 },
	{ "payload cut off",  FIXED "ab", 14, 158,       0, 0, 0, 12, 2, 160 },
	{ "version 1",        "\x40" FIXED, 13, 0, -EPROTO, 0, 0, 0, 0, 0 },
	{ "marker, type 8",   "\x80\x88" "1234567890" "a", 13, 0,
	                                              0, 8, 1, 12, 1, 1 },
	{ "type 127",         "\x80\x7f" "1234567890" "a", 13, 0,
	                                              0, 127, 0, 12, 1, 1 },
	{ "two sources",      "\x82" "1" "2345678901" "AAAABBBB" "xyz", 23, 0,
	                                              0, 0x31, 0, 20, 3, 3 },
	{ "15 sources",       "\x8f" "1" "2345678901"
	  "111122223333444455556666777788889999aaaabbbbccccddddeeeeffff" "xyz",
	                       75, 0,                 0, 0x31, 0, 72, 3, 3 },
	{ "sources cut off",  "\x82" "1" "2345678901" "AAAABBB", 19, 0,
	                                          -EBADMSG, 0, 0, 0, 0, 0 },
	{ "extension, 1 word", "\x90" "1" "2345678901" "PP\0\1" "wwww" "z",
	                       21, 0,                 0, 0x31, 0, 20, 1, 1 },
	{ "extension, empty", "\x90" "1" "2345678901" "PP\0\0" "z", 17, 0,
	                                              0, 0x31, 0, 16, 1, 1 },
	{ "sources and extension", "\x91" "1" "2345678901" "AAAA"
	  "PP\0\1" "wwww" "z", 25, 0,                 0, 0x31, 0, 24, 1, 1 },
	{ "extension lies",   "\x90" "1" "2345678901" "PP\xff\xff" "wwww", 20,
	                       0,                 -EBADMSG, 0, 0, 0, 0, 0 },
	{ "extension header cut", "\x90" "1" "2345678901" "PP\0", 15, 0,
	                                          -EBADMSG, 0, 0, 0, 0, 0 },
	{ "padding of 2",     "\xa0" "1" "2345678901" "abc\0\2", 17, 0,
	                                              0, 0x31, 0, 12, 3, 3 },
	{ "padding cut off: payload", "\xa0" "1" "2345678901" "abc\0\2", 17, 4,
	                                              0, 0x31, 0, 12, 5, 9 },
	{ "padding is all",   "\xa0" "1" "2345678901" "\0\0\3", 15, 0,
	                                              0, 0x31, 0, 12, 0, 0 },
	{ "padding of 0",     "\xa0" "1" "2345678901" "ab\0", 15, 0,
	                                          -EBADMSG, 0, 0, 0, 0, 0 },
	{ "padding too long", "\xa0" "1" "2345678901" "\0\4", 14, 0,
	                                          -EBADMSG, 0, 0, 0, 0, 0 },
	{ "padding, no octet", "\xa0" "1" "2345678901", 12, 0,
	                                          -EBADMSG, 0, 0, 0, 0, 0 },
};

/* Each datagram in its own heap block, so a read past it is seen by ASan. */
static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *data = malloc(rows[i].len);
		struct rtp h = { .ssrc = 0x600d };

		memcpy(data, rows[i].bytes, rows[i].len);
		const int err = rtp_parse(&h, data, rows[i].len,
					  rows[i].len + rows[i].cut);
		const bool ok = err == rows[i].err &&
			(err ? h.ssrc == 0x600d :
			 h.pt == rows[i].pt && h.marker == rows[i].marker &&
			 h.payload == data + rows[i].payload_at &&
			 h.len == rows[i].payload_len &&
			 h.wire_len == rows[i].wire_len);
		free(data);
		if (!ok)
			fail_msg("%s: %d, type %u, %zu of %zu", rows[i].name,
				 err, h.pt, h.len, h.wire_len);
	}
}

static void test_numbers(void **state)
{
	struct rtp h;

	(void)state;
	assert_int_equal(0, rtp_parse(&h, (const uint8_t *)FIXED, 12, 12));
	assert_int_equal(0x1234, h.seq);
	assert_int_equal(160, h.ts);
	assert_int_equal(0xdeadbeef, h.ssrc);
}

static void test_distances(void **state)
{
	(void)state;
	assert_int_equal(1, rtp_seq_diff(0, 65535));
	assert_int_equal(-1, rtp_seq_diff(65535, 0));
	assert_int_equal(-32768, rtp_seq_diff(32768, 0));
	assert_int_equal(160, rtp_ts_diff(0, 0xffffff60));
	assert_int_equal(-160, rtp_ts_diff(0xffffff60, 0));
	assert_true(rtp_ts_diff(0x80000000, 0) == INT32_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
