/** @file test_account.c  daemon/call/account.c */
#include "daemon/call/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

static struct event_leg_end printed(const struct account *a)
{
	const struct receiver_stats rs = {0};
	struct event_leg_end e;

	memset(&e, 0xa5, sizeof(e));
	account_print(a, &e, &rs);
	return e;
}

/* Nearest rank: the smallest that at least 95 of 100 do not exceed. */
static uint64_t p95_of(const uint32_t *v, size_t n)
{
	uint64_t best = EVENT_UNKNOWN;

	for (size_t i = 0; i < n; i++) {
		size_t below = 0;

		for (size_t k = 0; k < n; k++)
			below += v[k] <= v[i];
		if (below * 100 >= n * 95 && v[i] < best)
			best = v[i];
	}
	return best;
}

static void test_p95_is_the_nearest_rank(void **state)
{
	static const size_t counts[] = { 1, 2, 19, 20, 21, 39, 40, 100, 511,
					 512 };
	static uint32_t v[512];

	(void)state;
	assert_int_equal(printed(&(struct account){0}).final_latency_p95_ms,
			 EVENT_UNKNOWN);
	for (size_t c = 0; c < ARRAY_LEN(counts); c++) {
		struct account a = {0};

		print_message("row: %zu\n", counts[c]);
		for (size_t i = 0; i < counts[c]; i++) {
			v[i] = (uint32_t)rng(3000);
			account_segment(&a, SEGMENT_FINAL, 0, v[i]);
		}
		assert_int_equal(printed(&a).final_latency_p95_ms,
				 p95_of(v, counts[c]));
		assert_int_equal(printed(&a).finals, counts[c]);
	}

	/* by hand: 1..100 -> the 95th; 1..20 -> the 19th */
	struct account a = {0};
	for (uint32_t i = 100; i > 0; i--)
		account_segment(&a, SEGMENT_FINAL, 0, i);
	assert_int_equal(printed(&a).final_latency_p95_ms, 95);
}

static void test_of_the_last_512(void **state)
{
	struct account a = {0};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		account_segment(&a, SEGMENT_FINAL, 0, 9999);
	for (unsigned i = 0; i < 512; i++)
		account_segment(&a, SEGMENT_FINAL, 0, 7);
	assert_int_equal(printed(&a).final_latency_p95_ms, 7);
	assert_int_equal(printed(&a).finals, 1512);
	account_segment(&a, SEGMENT_FINAL, 0, EVENT_UNKNOWN);
	assert_int_equal(a.latencies, 1512);
	assert_int_equal(printed(&a).finals, 1513);
	account_segment(&a, SEGMENT_FINAL, 0, (uint64_t)1 << 40);
	assert_int_equal(printed(&a).final_latency_p95_ms, 7);
}

static void test_segments_are_counted(void **state)
{
	struct account a = {0};

	(void)state;
	assert_int_equal(printed(&a).first_partial_ms, EVENT_UNKNOWN);
	account_segment(&a, SEGMENT_RETRACTED, 50, 1);
	account_segment(&a, SEGMENT_PARTIAL, 0, EVENT_UNKNOWN);
	account_segment(&a, SEGMENT_PARTIAL, 900, 5);
	account_segment(&a, SEGMENT_FINAL, 1000, EVENT_UNKNOWN);

	const struct event_leg_end e = printed(&a);
	assert_int_equal(e.partials, 2);
	assert_int_equal(e.finals, 1);
	assert_int_equal(e.first_partial_ms, 0); /* at once is known */
	assert_int_equal(e.final_latency_p95_ms, EVENT_UNKNOWN);
}

static void test_inserted_silence_is_listed_to_a_limit(void **state)
{
	struct account a = {0};

	(void)state;
	for (unsigned i = 0; i < ACCOUNT_INSERTED + 10; i++)
		account_inserted(&a, 1 + i / 100, i * 1000, i);
	const struct event_leg_end e = printed(&a);

	assert_int_equal(e.n_inserted, ACCOUNT_INSERTED);
	for (unsigned i = 0; i < ACCOUNT_INSERTED; i++) {
		assert_int_equal(e.inserted[i].connection, 1 + i / 100);
		assert_int_equal(e.inserted[i].at, i * 1000);
		assert_int_equal(e.inserted[i].samples, i);
	}
	account_free(&a);
	account_free(&a);
}

static void test_every_figure_has_its_place(void **state)
{
	const struct account a = {
		.received = 1, .sent = 2, .lost = 3, .paused = 4,
		.replayed = 5, .concealed = 6, .partials = 7, .finals = 8,
		.first_partial_ms = 10, .connections = 11,
	};
	const struct receiver_stats rs = {
		.packets = 21, .lost = 22, .late = 23, .duplicate = 24,
		.reordered = 25, .jitter_ms = 1.5, .mos = 4.25, .samples = 26,
	};
	struct event_leg_end e = { .reason = "kept", .duration = 99,
				   .offset_us = 98, .asr = true };

	(void)state;
	account_print(&a, &e, &rs);
	assert_int_equal(e.received, 1);
	assert_int_equal(e.sent, 2);
	assert_int_equal(e.lost, 3);
	assert_int_equal(e.paused, 4);
	assert_int_equal(e.replayed, 5);
	assert_int_equal(e.concealed, 6);
	assert_int_equal(e.partials, 7);
	assert_int_equal(e.finals, 8);
	assert_int_equal(e.first_partial_ms, 9);
	assert_int_equal(e.connections, 11);
	assert_int_equal(e.rtp_packets, 21);
	assert_int_equal(e.rtp_lost, 22);
	assert_int_equal(e.rtp_late, 23);
	assert_int_equal(e.rtp_duplicate, 24);
	assert_int_equal(e.rtp_reordered, 25);
	assert_true(e.jitter_ms == 1.5 && e.mos == 4.25);

	/* nothing was heard: nothing is known of how it sounded */
	const struct receiver_stats deaf = { .mos = 4.4 };
	struct event_leg_end none = {0};

	account_print(&a, &none, &deaf);
	assert_true(none.jitter_ms < 0 && none.mos < 0);
	/* not its own: untouched */
	assert_string_equal(e.reason, "kept");
	assert_int_equal(e.duration, 99);
	assert_int_equal(e.offset_us, 98);
	assert_true(e.asr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p95_is_the_nearest_rank),
		cmocka_unit_test(test_of_the_last_512),
		cmocka_unit_test(test_segments_are_counted),
		cmocka_unit_test(test_inserted_silence_is_listed_to_a_limit),
		cmocka_unit_test(test_every_figure_has_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
