/**
 * @file test_stream_clock.c  daemon/media/stream_clock.c
 *
 * A script is steps "WORD N": say N (so many pieces of 20 ms as they are
 * spoken), burst N (the same at once), wait N (ms without a word), slow N (as
 * say, by a clock 500 ppm slower).  What is released is "MS+HOLE" [ms].
 */
#include "daemon/media/stream_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

enum { PIECE = 160, PIECE_US = 20000 };
#define BASE_US (1700000000ull * 1000000)

static struct {
	struct stream_clock clock;
	uint64_t now_us;
	unsigned held;            /* pieces */
	struct buf out;
} t;

static unsigned now_ms(void)
{
	return (unsigned)((t.now_us - BASE_US) / 1000);
}

/* Time passes; what is held may go on meanwhile. */
static void pass_us(uint64_t us)
{
	const uint64_t to = t.now_us + us,
		       due = stream_clock_deadline_us(&t.clock);

	if (due <= to) {
		t.now_us = due;
		buf_printf(&t.out, "%u+%u ", now_ms(), (unsigned)(
			   stream_clock_release(&t.clock) / 8));
		t.held = 0;
	}
	t.now_us = to;
}

static void put(void)
{
	const bool hold = stream_clock_put(&t.clock, PIECE, t.now_us);

	t.held++;
	if (hold)
		return;
	if (t.held > 1)
		buf_printf(&t.out, "%u+0 ", now_ms());
	t.held = 0;
}

static void play(const char *script)
{
	char word[16], *end;

	for (; *script; script = end) {
		const size_t len = strcspn(script, " ");

		assert_true(len < sizeof(word));
		memcpy(word, script, len);
		word[len] = 0;
		const unsigned n = (unsigned)strtoul(script + len, &end, 10);

		end += strspn(end, " ");
		if (!strcmp(word, "wait")) {
			pass_us(n * 1000ull);
			continue;
		}
		for (unsigned i = 0; i < n; i++) {
			pass_us(!strcmp(word, "burst")	? 0
				: !strcmp(word, "slow") ? PIECE_US + 10
							: PIECE_US);
			put();
		}
	}
}

static const struct {
	const char *name, *script, *want;
	unsigned samples;         /* in pieces of 20 ms, holes included */
} rows[] = {
	{ "as it is spoken", "say 500", "", 500 },
	{ "all at once", "burst 500", "", 500 },
	{ "one piece late", "say 10 wait 80 burst 5 say 10", "", 25 },
	{ "late by as much as is let be", "say 10 wait 100 say 100", "", 110 },
	{ "a hole", "say 10 wait 400 say 100", "820+400 ", 130 },
	{ "a stall", "say 10 wait 400 burst 20 say 100", "600+0 ", 130 },
	{ "a stall that comes back slowly",
	  "say 10 wait 1000 burst 10 wait 100 burst 15 wait 100 burst 40 say 9",
	  "1400+0 ", 84 },
	{ "a stall of which some is missing",
	  "say 10 wait 1000 burst 25 say 50", "1400+500 ", 110 },
	{ "a long hold", "say 10 wait 3600000 say 50", "3600420+3600000 ",
	  180060 },
	{ "two holes", "say 10 wait 400 say 50 wait 200 say 50",
	  "820+400 2020+200 ", 140 },
	{ "small ones add up", "say 9 wait 60 say 9 wait 60 say 50",
	  "700+119 ", 73 },
	{ "a sender that is slow by half of one in a thousand", "slow 100000",
	  "", 100000 },
	{ "no end of catching up",
	  "say 10 wait 5000 burst 2 wait 30 burst 4 wait 150 burst 10 wait 150 "
	  "burst 10 wait 150 burst 10 wait 150 burst 10 wait 150 burst 10 "
	  "wait 150 burst 10 wait 150 burst 10 wait 150 burst 10 wait 150 "
	  "burst 10 wait 150 burst 10 wait 150 burst 10 wait 150 burst 10 "
	  "wait 150 burst 10 wait 150 burst 10", "7200+4260 7330+0 ", 369 },
	{ "a hole at the end", "say 10 wait 400 say 2", "", 12 },
};

static void test_what_is_missing_is_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&t, 0, sizeof(t));
		t.now_us = BASE_US;
		play(rows[i].script);
		if (strcmp(buf_str(&t.out), rows[i].want) != 0 ||
		    t.clock.samples / PIECE != rows[i].samples)
			fail_msg("%s: %s, %u", rows[i].name, buf_str(&t.out),
				 (unsigned)(t.clock.samples / PIECE));
		buf_free(&t.out);
	}
}

static void test_at_the_end_a_hole_is_still_one(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.now_us = BASE_US;
	play("say 10 wait 400 say 2");
	assert_int_equal(stream_clock_release(&t.clock), 3200);
	assert_int_equal(stream_clock_release(&t.clock), 0);
	assert_true(stream_clock_deadline_us(&t.clock) == UINT64_MAX);
}

static void test_time_does_not_go_back(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.now_us = BASE_US;
	play("say 10");
	assert_false(stream_clock_put(&t.clock, PIECE, BASE_US - 1000000));
	assert_false(stream_clock_put(&t.clock, PIECE, t.now_us + 40000));
	assert_int_equal(t.clock.samples, 12 * PIECE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_missing_is_silence),
		cmocka_unit_test(test_at_the_end_a_hole_is_still_one),
		cmocka_unit_test(test_time_does_not_go_back),
	};

	return cmocka_run_group_tests_name("stream_clock", tests, NULL, NULL);
}
