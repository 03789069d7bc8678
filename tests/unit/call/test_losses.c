/** @file test_losses.c  daemon/call/losses.c */
#include "daemon/call/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

enum { SAMPLES = 20000 };

static bool lost[SAMPLES];

static uint64_t within(uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (uint64_t i = start; i < end; i++)
		sum += lost[i];
	return sum;
}

/* The first that ends behind `pos`, looked for sample by sample. */
static void check_behind(const struct losses *l, uint64_t pos)
{
	struct event_span found = {0};
	uint64_t start = pos, end;

	while (start < SAMPLES && !lost[start])
		start++;
	for (end = start; end < SAMPLES && lost[end];)
		end++;
	while (start > 0 && start < SAMPLES && lost[start] &&
	       lost[start - 1])
		start--;
	const bool any = losses_behind(l, pos, &found);
	assert_int_equal(any, end > pos && end > start);
	if (any) {
		assert_int_equal(found.start, start);
		assert_int_equal(found.end, end);
	}
}

static void add(struct losses *l, uint64_t start, uint64_t end)
{
	losses_add(l, start, end);
	for (uint64_t i = start; i < end; i++)
		lost[i] = true;
}

/* Network loss comes as it happens, what was given up is told later: the
 * beginnings go back and forth. */
static void test_like_a_map_of_every_sample(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct losses l = {0};
		uint64_t at = 0;

		rng_seed(round + 1);
		memset(lost, 0, sizeof(lost));
		for (unsigned i = 0; i < 30; i++) {
			at += rng(500);
			const bool back = round % 2 && rng(4) == 0;
			const uint64_t start = back ? at - rng(at + 1) : at;

			add(&l, start, start + rng(back ? 3000 : 400));
			const uint64_t a = rng(SAMPLES), b = rng(SAMPLES);

			check_behind(&l, a);
			if (a <= b)
				assert_int_equal(losses_within(&l, a, b),
						 within(a, b));
		}
		assert_int_equal(losses_within(&l, 0, SAMPLES),
				 within(0, SAMPLES));
		losses_free(&l);
	}
}

static void test_edges(void **state)
{
	struct losses l = {0};

	(void)state;
	assert_int_equal(losses_within(&l, 0, UINT64_MAX), 0);
	losses_add(&l, 100, 100);
	losses_add(&l, 100, 50);
	assert_int_equal(losses_within(&l, 0, UINT64_MAX), 0);
	losses_add(&l, 100, 200);
	losses_add(&l, 200, 250); /* touches */
	losses_add(&l, 120, 130); /* inside */
	assert_int_equal(losses_within(&l, 0, UINT64_MAX), 150);
	assert_int_equal(losses_within(&l, 100, 101), 1);
	assert_int_equal(losses_within(&l, 99, 100), 0);
	assert_int_equal(losses_within(&l, 250, 300), 0);
	assert_int_equal(losses_within(&l, 150, 150), 0);
	losses_add(&l, 0, 10);    /* before all */
	assert_int_equal(losses_within(&l, 0, 101), 11);
	losses_add(&l, 5, 300);   /* over all */
	assert_int_equal(losses_within(&l, 0, UINT64_MAX), 300);
	losses_free(&l);
	losses_free(&l);
}

static void test_the_oldest_are_forgotten(void **state)
{
	struct losses l = {0};
	const uint64_t n = 10 * LOSSES_KEPT;

	(void)state;
	for (uint64_t i = 0; i < n; i++)
		losses_add(&l, i * 100, i * 100 + 7);
	assert_true(l.n <= LOSSES_KEPT);
	assert_int_equal(losses_within(&l, (n - 500) * 100, n * 100), 500 * 7);
	/* one that is told late, and when all places are taken */
	for (uint64_t i = n; l.n < LOSSES_KEPT; i++)
		losses_add(&l, i * 100, i * 100 + 7);
	const uint64_t last = l.kept[l.n - 1].end;
	losses_add(&l, last - 50, last - 30);
	assert_int_equal(losses_within(&l, last - 60, last), 20 + 7);
	losses_free(&l);
}

/* -- groups --------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct event_span holes[6];
	size_t n;
	const char *groups;   /* spans in each group, as they are told */
} rows[] = {
	{ "one", { { 100, 200 } }, 1, "1" },
	{ "just below a second apart", { { 0, 100 }, { 8099, 8200 } }, 2, "2" },
	{ "a second apart", { { 0, 100 }, { 8100, 8200 } }, 2, "11" },
	{ "a chain", { { 0, 100 }, { 8099, 8100 }, { 16000, 16001 },
		       { 30000, 30001 } }, 4, "31" },
	{ "touching are one", { { 0, 100 }, { 100, 150 }, { 151, 160 } }, 3,
	  "2" },
};

static void test_near_holes_are_told_as_one(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct losses l = {0};
		const struct event_span *spans;
		char groups[16] = "";
		size_t n = 0;

		print_message("row: %s\n", rows[r].name);
		for (size_t i = 0; i < rows[r].n; i++) {
			const struct event_span *h = &rows[r].holes[i];

			if (losses_gather(&l, h->start, h->end)) {
				groups[n++] = (char)('0' + losses_group(&l,
									&spans));
				losses_group_done(&l);
				assert_false(losses_gather(&l, h->start,
							   h->end));
			}
		}
		groups[n++] = (char)('0' + losses_group(&l, &spans));
		assert_string_equal(groups, rows[r].groups);
		const uint64_t end = spans[groups[n - 1] - '1'].end;

		assert_int_equal(end, rows[r].holes[rows[r].n - 1].end);
		assert_false(losses_due(&l, end + LOSSES_APART - 1));
		assert_true(losses_due(&l, end + LOSSES_APART));
		losses_group_done(&l);
		assert_int_equal(losses_group(&l, &spans), 0);
		assert_false(losses_due(&l, UINT64_MAX));
		losses_free(&l);
	}
}

static void test_a_group_has_at_most_64(void **state)
{
	struct losses l = {0};
	const struct event_span *spans;

	(void)state;
	for (uint64_t i = 0; i < LOSSES_SPANS; i++)
		assert_false(losses_gather(&l, i * 200, i * 200 + 100));
	assert_true(losses_gather(&l, LOSSES_SPANS * 200, LOSSES_SPANS * 200 + 1));
	assert_int_equal(losses_group(&l, &spans), LOSSES_SPANS);
	for (uint64_t i = 0; i < LOSSES_SPANS; i++) {
		assert_int_equal(spans[i].start, i * 200);
		assert_int_equal(spans[i].end, i * 200 + 100);
	}
	losses_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_a_map_of_every_sample),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_the_oldest_are_forgotten),
		cmocka_unit_test(test_near_holes_are_told_as_one),
		cmocka_unit_test(test_a_group_has_at_most_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
