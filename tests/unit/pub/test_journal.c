/** @file test_journal.c  daemon/pub/journal.c over daemon/pub/store.c */
#include "daemon/pub/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/pub/store.h"

static struct event state_of(const char *call, const char *text)
{
	return (struct event){ .type = EVENT_LEG_STATE, .call = call,
			       .leg = "l",
			       .leg_state = { "streaming", .text = text } };
}

static const struct event partial = {
	.type = EVENT_SEGMENT, .call = "c", .leg = "l",
	.segment = { .state = SEGMENT_PARTIAL, .text = "p" },
};

static void test_numbers_begin_at_1_and_rise_by_1(void **state)
{
	static const char *const call[] = { "a", "b" };
	struct journal *j;

	(void)state;
	assert_int_equal(journal_new(&j, 1 << 20, 0xabc), 0);
	assert_int_equal(journal_epoch(j), 0xabc);
	assert_int_equal(journal_first(j), 1);
	assert_int_equal(journal_next(j), 1);
	for (size_t i = 0; i < ARRAY_LEN(call); i++) {
		const struct event e = state_of(call[i], "x");
		journal_emit(j, &partial);
		journal_sink(&e, j);
		journal_emit(j, &partial);
	}
	assert_int_equal(journal_first(j), 1);
	assert_int_equal(journal_next(j), 3);
	for (size_t i = 0; i < ARRAY_LEN(call); i++) {
		struct journal_line l;
		char seq[16];
		assert_int_equal(journal_read(j, i + 1, &l), 0);
		assert_int_equal(l.seq, i + 1);
		assert_int_equal(l.type, EVENT_LEG_STATE);
		assert_string_equal(l.key, call[i]);
		assert_int_equal(l.text[l.len - 1], '\n');
		snprintf(seq, sizeof(seq), "\"seq\":%zu,", i + 1);
		assert_non_null(memmem(l.text, l.len, seq, strlen(seq)));
	}
	struct journal_line l = { .seq = 77 };
	assert_int_equal(journal_read(j, 0, &l), -ENOENT);
	assert_int_equal(journal_read(j, 3, &l), -ENOENT);
	assert_int_equal(l.seq, 77);
	journal_free(j);
}

static bool is_filled(const char *line, size_t len, char fill)
{
	return line[0] == fill && memcmp(line, line + 1, len - 1) == 0;
}

/* What the store should hold, kept the simplest way: everything, in order. */
static void test_store_keeps_the_newest_whatever_their_sizes(void **state)
{
	static const size_t sizes[] = { 4096, 5000, 9999, 65536 };
	enum { N = 1000 };
	struct { size_t len; char fill; } all[N + 1];
	unsigned seed = 1;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		struct store *s;
		size_t longest_kept = 0;
		assert_int_equal(store_new(&s, sizes[k]), 0);
		for (size_t i = 1; i <= N; i++) {
			seed = seed * 1103515245u + 12345u;
			all[i].len = 1 + (seed >> 8) % (i % 7 ? 200 : 4000);
			all[i].fill = (char)('a' + i % 26);
			char *line = malloc(all[i].len);
			assert_non_null(line);
			memset(line, all[i].fill, all[i].len);
			const struct store_record r = {
				.type = (uint8_t)(i % 16), .key = "key",
				.line = line, .len = all[i].len };
			assert_int_equal(store_put(s, &r), i);
			free(line);

			assert_int_equal(store_next(s), i + 1);
			size_t bytes = 0;
			for (size_t n = store_first(s); n <= i; n++) {
				struct store_record got;
				assert_int_equal(store_get(s, n, &got), 0);
				assert_int_equal(got.type, n % 16);
				assert_string_equal(got.key, "key");
				assert_int_equal(got.len, all[n].len);
				assert_true(is_filled(got.line, got.len,
						      all[n].fill));
				bytes += got.len + 4;
			}
			assert_true(bytes <= sizes[k]);
			longest_kept = longest_kept > bytes ? longest_kept
							    : bytes;
		}
		/* it is of use: half of it, at least, was full at times */
		assert_true(longest_kept > sizes[k] / 2);
		store_free(s);
	}
}

/* So short that their number is the limit, not their bytes. */
static void test_store_keeps_the_newest_of_very_short_ones(void **state)
{
	struct store *s;
	struct store_record got;
	char line;

	(void)state;
	assert_int_equal(store_new(&s, 4096), 0);
	for (uint64_t i = 1; i <= 5000; i++) {
		line = (char)i;
		store_put(s, &(struct store_record){ .line = &line, .len = 1 });
		assert_true(store_first(s) <= i);
		for (uint64_t n = store_first(s); n <= i; n++) {
			assert_int_equal(store_get(s, n, &got), 0);
			assert_int_equal(got.line[0], (char)n);
		}
	}
	assert_true(store_first(s) <= 5000 - 30);
	store_free(s);
}

static void test_what_was_dropped_is_known_exactly(void **state)
{
	struct journal *j;
	struct journal_line l;

	(void)state;
	assert_int_equal(journal_new(&j, 4096, 1), 0);
	const struct event e = state_of("c", "some text to fill the ring");
	for (int i = 0; i < 1000; i++)
		journal_emit(j, &e);
	const uint64_t first = journal_first(j);
	assert_int_equal(journal_next(j), 1001);
	assert_true(first > 900 && first < 1000);
	assert_int_equal(journal_dropped(j), first - 1);
	assert_int_equal(journal_read(j, first - 1, &l), -ENOENT);
	assert_int_equal(journal_read(j, first, &l), 0);
	assert_int_equal(l.seq, first);
	assert_int_equal(journal_read(j, 1000, &l), 0);

	/* one longer than the whole ring: it and all before it are gone */
	char *text = malloc(5000);
	assert_non_null(text);
	memset(text, 'x', 4999);
	text[4999] = 0;
	const struct event s = {
		.type = EVENT_SEGMENT,
		.segment = { .state = SEGMENT_FINAL, .text = text } };
	journal_emit(j, &s);
	free(text);
	assert_int_equal(journal_first(j), 1002);
	assert_int_equal(journal_next(j), 1002);
	journal_emit(j, &e);
	assert_int_equal(journal_first(j), 1002);
	assert_int_equal(journal_read(j, 1002, &l), 0);
	journal_free(j);
}

static void test_age_drops_the_oldest(void **state)
{
	struct journal *j;
	struct event e = state_of("c", "x");

	(void)state;
	assert_int_equal(journal_new(&j, 1 << 20, 1), 0);
	journal_set_age(j, 1000);
	for (uint64_t t = 0; t < 50; t++) {
		e.now_us = 100000 + t * 100;
		journal_emit(j, &e);
		assert_int_equal(journal_first(j), t < 10 ? 1 : t - 9);
	}
	assert_int_equal(journal_after(j, 7), journal_first(j));
	journal_expire(j, 105900);
	assert_int_equal(journal_first(j), 50);
	journal_expire(j, 1000000);
	assert_int_equal(journal_first(j), 51);
	assert_int_equal(journal_after(j, 7), 51);
	journal_emit(j, &e);
	assert_int_equal(journal_first(j), 51);
	journal_free(j);
}

/* Only what is written down follows the wall clock. */
static void test_times_are_shifted(void **state)
{
	struct journal *j;
	struct journal_line l;
	const struct event e = {
		.type = EVENT_LEG_MEDIA, .now_us = 1700000000000000,
		.call = "c", .leg = "c.1",
		.leg_media = { .at_us = 1700000000000001, .offset_us = 7000 } };

	(void)state;
	assert_int_equal(journal_new(&j, 1 << 20, 1), 0);
	journal_shift(j, 3600000000);
	journal_emit(j, &e);
	journal_shift(j, -7200000000);
	journal_emit(j, &e);
	assert_int_equal(journal_read(j, 1, &l), 0);
	assert_non_null(memmem(l.text, l.len,
			       "\"ts\":\"2023-11-14T23:13:20.000000Z\"", 34));
	assert_non_null(memmem(l.text, l.len,
			       "\"at\":\"2023-11-14T23:13:20.000001Z\"", 34));
	assert_non_null(memmem(l.text, l.len, "\"offset_ms\":7", 13));
	assert_int_equal(journal_read(j, 2, &l), 0);
	assert_non_null(memmem(l.text, l.len,
			       "\"ts\":\"2023-11-14T21:13:20.000000Z\"", 34));
	journal_free(j);
}

static void test_a_line_lost_before_the_store_leaves_a_hole(void **state)
{
	struct store *s;
	struct store_record got;
	const struct store_record whole = { .key = "k", .line = "x", .len = 1 };

	(void)state;
	assert_int_equal(store_new(&s, 4096), 0);
	store_put(s, &whole);
	store_put(s, &(struct store_record){ .key = "k" });
	store_put(s, &whole);
	assert_int_equal(store_first(s), 1);
	assert_int_equal(store_get(s, 1, &got), 0);
	assert_int_equal(store_get(s, 2, &got), -ENOENT);
	assert_int_equal(store_get(s, 3, &got), 0);
	store_free(s);
}

static void test_sizes_out_of_range_are_refused(void **state)
{
	struct journal *j = NULL;

	(void)state;
	assert_int_equal(journal_new(&j, 4095, 1), -EINVAL);
	assert_int_equal(journal_new(&j, ((size_t)1 << 30) + 1, 1), -EINVAL);
	assert_null(j);
}

struct seen {
	struct journal_tap tap;
	struct buf what;      /* Per line: its number, or 'p' */
	struct journal_tap *take_out;
};

static void on_line(const struct journal_line *l, const struct event *e,
		    void *arg)
{
	struct seen *s = arg;

	assert_int_equal(l->type, e->type);
	assert_int_equal(l->text[l->len - 1], '\n');
	if (l->seq)
		buf_printf(&s->what, "%d ", (int)l->seq);
	else
		buf_puts(&s->what, "p ");
	if (s->take_out)
		journal_untap(s->take_out);
}

static void seen_init(struct seen *s, bool durable_only)
{
	*s = (struct seen){ .tap = { .line = on_line, .arg = s,
				     .durable_only = durable_only } };
}

/* The same with a store and with none. */
static void test_taps_see_every_line_in_order(void **state)
{
	static const size_t sizes[] = { 0, 4096 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct journal *j;
		struct journal_line l;
		struct seen all, durable;
		const struct event e = state_of("c", "x");

		assert_int_equal(journal_new(&j, sizes[i], 1), 0);
		journal_emit(j, &e);
		seen_init(&all, false);
		seen_init(&durable, true);
		journal_tap(j, &all.tap);
		journal_tap(j, &durable.tap);
		journal_emit(j, &partial);
		journal_emit(j, &e);
		journal_emit(j, &partial);
		journal_emit(j, &e);
		journal_untap(&all.tap);
		journal_untap(&all.tap);
		journal_emit(j, &partial);
		journal_emit(j, &e);
		assert_string_equal(buf_str(&all.what), "p 2 p 3 ");
		assert_string_equal(buf_str(&durable.what), "2 3 4 ");
		assert_int_equal(journal_read(j, 1, &l) == 0, sizes[i] != 0);
		assert_int_equal(journal_first(j), sizes[i] ? 1 : 5);
		journal_free(j);
		journal_untap(&durable.tap);
		buf_free(&all.what);
		buf_free(&durable.what);
	}
}

/* Whoever is taken out is not called again, and nobody else is missed. */
static void test_taps_may_be_taken_out_inside_one(void **state)
{
	struct journal *j;
	struct seen s[4];
	const struct event e = state_of("c", "x");

	(void)state;
	assert_int_equal(journal_new(&j, 0, 1), 0);
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		seen_init(&s[i], false);
		journal_tap(j, &s[i].tap);
	}
	s[0].take_out = &s[0].tap;  /* itself */
	s[1].take_out = &s[2].tap;  /* one whose turn is still to come */
	journal_emit(j, &e);
	s[3].take_out = &s[1].tap;  /* one who had his */
	journal_emit(j, &e);
	journal_emit(j, &e);
	assert_string_equal(buf_str(&s[0].what), "1 ");
	assert_string_equal(buf_str(&s[1].what), "1 2 ");
	assert_string_equal(buf_str(&s[2].what), "");
	assert_string_equal(buf_str(&s[3].what), "1 2 3 ");
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		buf_free(&s[i].what);
	journal_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_begin_at_1_and_rise_by_1),
		cmocka_unit_test(
			test_store_keeps_the_newest_whatever_their_sizes),
		cmocka_unit_test(
			test_store_keeps_the_newest_of_very_short_ones),
		cmocka_unit_test(test_what_was_dropped_is_known_exactly),
		cmocka_unit_test(
			test_a_line_lost_before_the_store_leaves_a_hole),
		cmocka_unit_test(test_age_drops_the_oldest),
		cmocka_unit_test(test_times_are_shifted),
		cmocka_unit_test(test_sizes_out_of_range_are_refused),
		cmocka_unit_test(test_taps_see_every_line_in_order),
		cmocka_unit_test(test_taps_may_be_taken_out_inside_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
