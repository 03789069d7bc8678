/** @file test_reorder.c  daemon/media/reorder.c
 *
 * In:  "7@0" number 7 at 0 ms ("7s2@0": of SSRC 2), "=80" look at 80 ms,
 *      "!" flush.
 * Out: "7" that packet; "9-1" with one missing before it; "^7" the first of an
 *      SSRC; "~7-5" a jump, five ahead.
 */
#include "daemon/media/reorder.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const struct {
	const char *name, *in, *out;
	uint64_t lost, late, duplicate, reordered;
} rows[] = {
	{ "the first waits", "7@0 8@20 =59 =60", "^7 8", 0, 0, 0, 0 },
	{ "at once after it", "7@0 =60 8@61 9@62", "^7 8 9", 0, 0, 0, 0 },
	{ "swapped at first", "8@0 7@20 =60", "^7 8", 0, 0, 0, 1 },
	{ "a hole", "7@0 =60 9@60 =119 =120", "^7 9-1", 1, 0, 0, 0 },
	{ "filled", "7@0 =60 9@60 8@119.999", "^7 8 9", 0, 0, 0, 1 },
	{ "waits from the first behind", "7@0 =60 10@60 9@100 =120",
	  "^7 9-1 10", 1, 0, 0, 1 },
	{ "late", "7@0 =60 9@60 8@120 8@121", "^7 9-1", 0, 1, 1, 0 },
	{ "twice", "7@0 7@1 =60 7@61 9@62 9@63 !", "^7 9-1", 1, 0, 3, 0 },
	{ "the last 100 are known", "7@0 =60 106@60 =120 8@121 105@122 "
	  "8@123 105@124 7@125", "^7 106-98", 96, 2, 3, 0 },
	{ "a hole of 2,999", "7@0 =60 3007@60 =120 3006@121 2908@122 2909@123 "
	  "3008@124", "^7 3007-2999 3008", 2996, 3, 0, 0 },
	{ "a jump", "7@0 =60 3008@61 3009@62 3010@63", "^7 ~3008-3000 3009 3010",
	  0, 0, 0, 0 },
	{ "back", "200@0 =60 1@61 2@62", "^200 ~1-0 2", 0, 0, 0, 0 },
	{ "not followed", "7@0 =60 9000@61 8@62 9001@63 9@64", "^7 8 9",
	  0, 2, 0, 0 },
	{ "what was held first", "7@0 =60 9@61 9000@62 9001@63",
	  "^7 9-1 ~9000-8992 9001", 1, 0, 0, 0 },
	{ "another SSRC", "7@0 =60 9@61 7s2@62 =122", "^7 9-1 ^7", 1, 0, 0, 0 },
	{ "nothing of the old one counts", "7@0 =60 7s2@62 =122 7s2@123 8s2@124",
	  "^7 ^7 8", 0, 0, 1, 0 },
	{ "flush", "7@0 9@1 11@2 !", "^7 9-1 11-1", 2, 0, 0, 0 },
	{ "flush, nothing held", "! 7@0 ! !", "^7", 0, 0, 0, 0 },
};

static void drain(struct reorder *q, uint64_t now_us, char *out, size_t size)
{
	static const char *const joint[] = {
		[REORDER_FOLLOWS] = "", [REORDER_JUMP] = "~",
		[REORDER_SSRC] = "^",
	};
	struct reorder_packet p;

	while (reorder_next(q, &p, now_us)) {
		const size_t at = strlen(out);
		int n = snprintf(out + at, size - at, "%s%s%u", at ? " " : "",
				 joint[p.joint], (unsigned)p.h.seq);

		if (p.missing || p.joint == REORDER_JUMP)
			snprintf(out + at + n, size - at - (size_t)n, "-%u",
				 (unsigned)p.missing);
		if (p.h.len != 2 || p.h.payload[0] != (p.h.seq >> 8) ||
		    p.h.payload[1] != (p.h.seq & 255) || p.kind != 9)
			fail_msg("not what was put: %s", out);
	}
}

static void play(struct reorder *q, const char *in, char *out, size_t size)
{
	uint64_t now_us = 0;
	char *end;

	for (; *in; in = end + (*end == ' ')) {
		end = (char *)(uintptr_t)in + 1;
		if (*in == '!') {
			reorder_flush(q);
		} else if (*in == '=') {
			now_us = (uint64_t)(strtod(in + 1, &end) * 1000 + 0.5);
		} else {
			struct rtp h = { .ssrc = 1, .len = 2, .wire_len = 2 };

			h.seq = (uint16_t)strtoul(in, &end, 10);
			if (*end == 's')
				h.ssrc = (uint32_t)strtoul(end + 1, &end, 10);
			now_us = (uint64_t)(strtod(end + 1, &end) * 1000 + 0.5);
			const uint8_t bytes[] = { (uint8_t)(h.seq >> 8),
						  (uint8_t)h.seq };
			h.payload = bytes;
			(void)reorder_put(q, &h, 9, now_us);
			drain(q, now_us, out, size);
		}
		drain(q, now_us, out, size);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char out[256] = "";
		struct reorder q;

		assert_int_equal(0, reorder_init(&q, 60000));
		play(&q, rows[i].in, out, sizeof(out));
		if (strcmp(rows[i].out, out) || q.lost != rows[i].lost ||
		    q.late != rows[i].late ||
		    q.duplicate != rows[i].duplicate ||
		    q.reordered != rows[i].reordered)
			fail_msg("%s: %s; lost %u late %u duplicate %u "
				 "reordered %u", rows[i].name, out,
				 (unsigned)q.lost, (unsigned)q.late,
				 (unsigned)q.duplicate, (unsigned)q.reordered);
		reorder_close(&q);
	}
}

static void test_put_says_why(void **state)
{
	static const struct { uint16_t seq; int err; } puts[] = {
		{ 100, 0 }, { 100, -EALREADY }, { 102, 0 }, { 102, -EALREADY },
		{ 99, -ETIMEDOUT }, { 9000, 0 }, { 9000, -EALREADY },
		{ 101, 0 }, { 101, -EALREADY }, { 103, 0 },
	};
	static const uint8_t byte;
	struct reorder_packet p;
	struct reorder q;

	(void)state;
	assert_int_equal(0, reorder_init(&q, 60000));
	for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
		const struct rtp h = { .seq = puts[i].seq, .payload = &byte,
				       .len = 1, .wire_len = 1 };

		if (reorder_put(&q, &h, 0, 0) != puts[i].err)
			fail_msg("put %zu: %u", i, (unsigned)h.seq);
		if (i == 0)
			reorder_flush(&q);
		while (reorder_next(&q, &p, 0))
			;
	}
	reorder_close(&q);
}

/* Strays give their slots back. */
static void test_strays(void **state)
{
	static const uint8_t bytes[2] = { 0, 9 };
	struct rtp h = { .seq = 7, .payload = bytes, .len = 2, .wire_len = 2 };
	struct reorder_packet p;
	struct reorder q;

	(void)state;
	assert_int_equal(0, reorder_init(&q, 60000));
	assert_int_equal(0, reorder_put(&q, &h, 9, 0));
	reorder_flush(&q);
	assert_int_equal(1, reorder_next(&q, &p, 0));
	for (unsigned i = 0; i < 100; i++) {
		h.seq = (uint16_t)(20000 + 10 * i);
		assert_int_equal(0, reorder_put(&q, &h, 9, 0));
		assert_int_equal(0, reorder_next(&q, &p, 0));
	}
	h.seq = 9;
	assert_int_equal(0, reorder_put(&q, &h, 9, 0));
	assert_int_equal(0, reorder_next(&q, &p, 59999));
	assert_int_equal(1, reorder_next(&q, &p, 60000));
	assert_int_equal(100, q.late);
	reorder_close(&q);
}

/* Nobody takes anything: the window says so and stays whole. */
static void test_full(void **state)
{
	static const uint8_t byte = 0x55;
	struct reorder_packet p;
	struct reorder q;
	unsigned put = 0, got = 0;

	(void)state;
	assert_int_equal(0, reorder_init(&q, 60000));
	for (uint16_t seq = 1; seq <= 100; seq++) {
		const struct rtp h = { .seq = seq, .payload = &byte, .len = 1,
				       .wire_len = 1 };
		const int err = reorder_put(&q, &h, 0, seq * 20000u);

		assert_true(err == 0 || err == -ENOBUFS);
		put += err == 0;
	}
	assert_in_range(put, REORDER_SLOTS - 1, REORDER_SLOTS + 1);
	while (reorder_next(&q, &p, 10000000))
		got += p.h.payload[0] == 0x55;
	assert_int_equal(put, got);

	const struct rtp h = { .seq = 101, .payload = &byte, .len = 1,
			       .wire_len = 1 };
	assert_int_equal(0, reorder_put(&q, &h, 0, 10000000));
	reorder_close(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_put_says_why),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
