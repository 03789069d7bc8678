/** @file test_positions.c  daemon/call/positions.c, against a map of every sample */
#include "daemon/call/positions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

enum { SAMPLES_MAX = 200000 };

/* Where on the leg each sample of the connection is; put in ones stand where
 * the leg stood. */
static struct {
	uint64_t leg[SAMPLES_MAX];
	bool inserted[SAMPLES_MAX];
	uint64_t total, begin, at;
} model;

static struct positions *begin(uint64_t leg)
{
	struct positions *p;

	model.total = 0;
	model.begin = model.at = leg;
	assert_int_equal(positions_new(&p, leg), 0);
	return p;
}

static void sent(struct positions *p, uint64_t leg, uint64_t n)
{
	assert_int_equal(positions_sent(p, leg, n), 0);
	for (uint64_t i = 0; i < n; i++, model.total++) {
		model.leg[model.total] = leg + i;
		model.inserted[model.total] = false;
	}
	model.at = leg + n;
}

static void inserted(struct positions *p, uint64_t n)
{
	assert_int_equal(positions_inserted(p, n), 0);
	for (uint64_t i = 0; i < n; i++, model.total++) {
		model.leg[model.total] = model.at;
		model.inserted[model.total] = true;
	}
}

static uint64_t start_of(uint64_t at)
{
	if (at < model.total)
		return model.leg[at];
	if (!model.total)
		return model.begin;
	return model.leg[model.total - 1] +
	       !model.inserted[model.total - 1];
}

static uint64_t end_of(uint64_t at)
{
	if (at == 0)
		return model.total ? model.leg[0] : model.begin;
	at = at > model.total ? model.total : at;
	return at ? model.leg[at - 1] + !model.inserted[at - 1] : model.begin;
}

static void check(const struct positions *p, unsigned every)
{
	assert_int_equal(positions_total(p), model.total);
	for (uint64_t at = 0; at <= model.total + 3; at += 1 + rng(every)) {
		if (positions_start(p, at) != start_of(at))
			fail_msg("start at %zu: %zu, not %zu", (size_t)at,
				 (size_t)positions_start(p, at),
				 (size_t)start_of(at));
		if (positions_end(p, at) != end_of(at))
			fail_msg("end at %zu: %zu, not %zu", (size_t)at,
				 (size_t)positions_end(p, at),
				 (size_t)end_of(at));
	}
	assert_int_equal(positions_start(p, UINT64_MAX), start_of(model.total));
	assert_int_equal(positions_end(p, UINT64_MAX), end_of(model.total));
}

static void check_inserted(const struct positions *p)
{
	uint64_t leg = 0, n = 0;
	size_t stretch = 0;

	for (uint64_t i = 0; i < model.total;) {
		uint64_t len = 0;

		while (i + len < model.total && model.inserted[i + len])
			len++;
		if (!len) {
			i++;
			continue;
		}
		assert_int_equal(positions_inserted_at(p, stretch++, &leg, &n),
				 1);
		assert_int_equal(leg, model.leg[i]);
		assert_int_equal(n, len);
		i += len;
	}
	assert_int_equal(positions_inserted_at(p, stretch, &leg, &n), 0);
	assert_int_equal(positions_inserted_at(p, 100000, &leg, &n), 0);
}

/* The picture in the header: p 1000, a 80, q 1080, b 120, c 160, r..s skipped */
static void test_the_header_s_picture(void **state)
{
	struct positions *p = begin(1000);

	(void)state;
	assert_int_equal(positions_start(p, 0), 1000);
	assert_int_equal(positions_end(p, 50), 1000);
	sent(p, 1000, 80);
	inserted(p, 40);
	sent(p, 1080, 40);
	sent(p, 1620, 80);
	assert_int_equal(positions_start(p, 0), 1000);
	assert_int_equal(positions_start(p, 79), 1079);
	assert_int_equal(positions_end(p, 80), 1080);
	assert_int_equal(positions_start(p, 100), 1080);
	assert_int_equal(positions_start(p, 120), 1080);
	assert_int_equal(positions_end(p, 121), 1081);
	assert_int_equal(positions_end(p, 160), 1120);   /* before the skip */
	assert_int_equal(positions_start(p, 160), 1620); /* behind it */
	assert_int_equal(positions_end(p, 240), 1700);
	assert_int_equal(positions_start(p, 9999), 1700);
	check(p, 1);
	check_inserted(p);
	positions_free(p);
	positions_free(NULL);
}

static void test_nothing_but_silence(void **state)
{
	struct positions *p = begin(77);

	(void)state;
	inserted(p, 100);
	inserted(p, 60);
	check(p, 1);
	check_inserted(p);
	sent(p, 90, 10); /* the leg's audio begins later */
	check(p, 1);
	check_inserted(p);
	positions_free(p);
}

static void test_nothing_changes_nothing(void **state)
{
	struct positions *p = begin(5);

	(void)state;
	sent(p, 5, 0);
	inserted(p, 0);
	check(p, 1);
	check_inserted(p);
	sent(p, 5, 10);
	inserted(p, 0);
	sent(p, 400, 0);
	inserted(p, 0);
	sent(p, 400, 10);
	check(p, 1);
	check_inserted(p);
	positions_free(p);
}

static void test_like_a_map_of_every_sample(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct positions *p = begin(rng(1000000));

		rng_seed(round + 1);
		for (unsigned i = 0; i < 60; i++) {
			const uint64_t n = 1 + rng(rng(3) ? 20 : 400);

			if (rng(3) == 0)
				inserted(p, n);
			else
				sent(p, model.at + (rng(4) ? 0 : rng(90000)),
				     n);
		}
		check(p, 3);
		check_inserted(p);
		positions_free(p);
	}
}

/* Hours of keep-alive: the newest half of what it knows is still exact. */
static void test_the_oldest_is_forgotten(void **state)
{
	struct positions *p = begin(0);

	(void)state;
	for (unsigned i = 0; i < 12000; i++) {
		if (i % 2)
			inserted(p, 3);
		else
			sent(p, model.at + 100, 5);
	}
	assert_int_equal(positions_total(p), model.total);
	for (uint64_t at = model.total - 2000 * 4; at < model.total; at++) {
		assert_int_equal(positions_start(p, at), start_of(at));
		assert_int_equal(positions_end(p, at), end_of(at));
	}
	/* older times are somewhere on the leg, never ahead */
	assert_true(positions_start(p, 0) <= model.at);
	assert_true(positions_end(p, 0) <= positions_end(p, model.total));
	positions_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_header_s_picture),
		cmocka_unit_test(test_nothing_but_silence),
		cmocka_unit_test(test_nothing_changes_nothing),
		cmocka_unit_test(test_like_a_map_of_every_sample),
		cmocka_unit_test(test_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
