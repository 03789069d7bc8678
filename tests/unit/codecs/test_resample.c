/** @file test_resample.c  codecs/resample.c; against sox: tests/flow */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "codecs/resample.h"

enum { N = 8000, MARGIN = 400 };

static int16_t tone(double hz, double rate, size_t i)
{
	return (int16_t)lrint(10000 * sin(2 * M_PI * hz * (double)i / rate));
}

/* All of `in` in pieces of `step`.  @return samples in out */
static size_t convert(int16_t *out, const int16_t *in, size_t n, size_t step)
{
	struct resample *r;
	size_t got = 0;

	assert_int_equal(resample_new(&r), 0);
	for (size_t at = 0; at < n; at += step) {
		const size_t part = n - at < step ? n - at : step;
		int16_t *piece = malloc(resample_room(part) * sizeof(*piece));
		const size_t k = resample_feed(r, piece, in + at, part,
					       at + part == n);

		assert_true(k <= resample_room(part));
		memcpy(out + got, piece, k * sizeof(*piece));
		got += k;
		free(piece);
	}
	resample_free(r);
	return got;
}

/* Aligned to the sample: the tone comes out as the same tone, not later. */
static void test_a_tone_stays_where_it_is(void **state)
{
	static const double rows[] = { 300, 1000, 2500, 3400 };
	static int16_t in[N], out[4 * N];

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		double signal = 0, noise = 0;

		for (size_t i = 0; i < N; i++)
			in[i] = tone(rows[row], 8000, i);
		assert_int_equal(convert(out, in, N, 800), 2 * N);
		for (size_t i = MARGIN; i < 2 * N - MARGIN; i++) {
			const double want = 10000 * sin(2 * M_PI * rows[row] *
							(double)i / 16000);

			signal += want * want;
			noise += (out[i] - want) * (out[i] - want);
		}
		if (10 * log10(signal / noise) < 40)
			fail_msg("%g Hz: %.1f dB", rows[row],
				 10 * log10(signal / noise));
	}
}

static void test_pieces_of_any_size_give_the_same(void **state)
{
	static const size_t steps[] = { 1, 7, 160, 800, 4000 };
	static int16_t in[N], whole[4 * N], out[4 * N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		in[i] = tone(440 + (double)i / 10, 8000, i);
	assert_int_equal(convert(whole, in, N, N), 2 * N);
	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		assert_int_equal(convert(out, in, N, steps[s]), 2 * N);
		assert_memory_equal(out, whole, 2 * N * sizeof(*out));
	}
}

static void test_even_a_few_samples_come_twice(void **state)
{
	int16_t in[3] = { 1000, -1000, 1000 }, out[1024];

	(void)state;
	for (size_t n = 1; n <= 3; n++)
		assert_int_equal(convert(out, in, n, n), 2 * n);
	resample_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tone_stays_where_it_is),
		cmocka_unit_test(test_pieces_of_any_size_give_the_same),
		cmocka_unit_test(test_even_a_few_samples_come_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
