/** @file test_conceal.c  codecs/conceal.c */
#include <math.h>
#include <setjmp.h>
#include <spandsp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/conceal.h"

enum { FRAME = 160, RATE = 8000, MS = RATE / 1000 };

/* `n` samples of a 200 Hz tone from position `at`, in a block of just that */
static int16_t *tone(size_t at, size_t n)
{
	int16_t *pcm = malloc(n * sizeof *pcm + 1);

	assert_non_null(pcm);
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)lrint(
			8000 * sin(2 * 3.14159265358979 * 200 *
				   (double)(at + i) / RATE));
	return pcm;
}

static struct conceal *after_tone(size_t frames)
{
	struct conceal *c;

	assert_int_equal(conceal_new(&c), 0);
	for (size_t i = 0; i < frames; i++) {
		int16_t *pcm = tone(i * FRAME, FRAME);

		conceal_good(c, pcm, FRAME);
		free(pcm);
	}
	return c;
}

static int16_t *fill(struct conceal *c, size_t n)
{
	int16_t *pcm = malloc(n * sizeof *pcm + 1);

	assert_non_null(pcm);
	memset(pcm, 0x5a, n * sizeof *pcm);
	conceal_fill(c, pcm, n);
	return pcm;
}

static double loudness(const int16_t *pcm, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / (double)n;
}

static void test_received_samples_are_never_altered(void **state)
{
	/* frames of every kind right after a loss, where spandsp cross-fades */
	static const size_t lens[] = { 0, 1, 7, 80, 160, 480, 1500, 1501, 4000 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct conceal *c = after_tone(5);
		int16_t *lost = fill(c, FRAME);
		int16_t *pcm = tone(40000, lens[i]);
		int16_t *same = tone(40000, lens[i]);

		conceal_good(c, pcm, lens[i]);
		assert_memory_equal(pcm, same, lens[i] * sizeof *pcm);
		free(lost);
		free(pcm);
		free(same);
		conceal_free(c);
	}
}

static void test_a_loss_sounds_like_what_came_before(void **state)
{
	struct conceal *c = after_tone(5);
	int16_t *pcm = fill(c, 20 * MS);
	int16_t *want = tone(5 * FRAME, 20 * MS);
	double product = 0;

	(void)state;
	for (size_t i = 0; i < 20 * MS; i++)
		product += (double)pcm[i] * want[i];
	product /= 20 * MS;

	/* about as loud, and in step with the tone that would have come */
	assert_true(loudness(pcm, 20 * MS) > 0.25 * loudness(want, 20 * MS));
	assert_true(product / sqrt(loudness(pcm, 20 * MS) * loudness(want, 20 * MS)) >
		    0.9);
	free(pcm);
	free(want);
	conceal_free(c);
}

static void test_a_long_loss_fades_to_silence(void **state)
{
	struct conceal *c = after_tone(5);
	int16_t *pcm = fill(c, 200 * MS);

	(void)state;
	assert_true(loudness(pcm, 20 * MS) > loudness(pcm + 20 * MS, 20 * MS));
	for (size_t i = 60 * MS; i < 200 * MS; i++)
		assert_int_equal(pcm[i], 0);
	free(pcm);
	conceal_free(c);
}

/* spandsp writes some 30 samples even when asked for one: valgrind sees it, and
 * so does the byte behind. */
static void test_no_length_is_overrun(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 200; n++) {
		struct conceal *c = after_tone(5), *d = after_tone(5);
		int16_t *whole = fill(d, 1000);
		int16_t pcm[200 + 64];

		memset(pcm, 0x5a, sizeof pcm);
		conceal_fill(c, pcm, n);
		assert_memory_equal(pcm, whole, n * sizeof *pcm);
		for (size_t i = n; i < n + 64; i++)
			assert_int_equal(pcm[i], 0x5a5a);
		free(whole);
		free(fill(c, n));
		conceal_free(c);
		conceal_free(d);
	}
}

static void test_a_loss_split_over_calls_is_the_same(void **state)
{
	static const size_t lens[] = { 1, 2, 29, 31, 79, 80, 81, 160, 500 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct conceal *c = after_tone(5), *d = after_tone(5);
		int16_t *whole = fill(d, 1000);

		for (size_t at = 0; at + lens[i] <= 1000; at += lens[i]) {
			int16_t *pcm = fill(c, lens[i]);

			assert_memory_equal(pcm, whole + at,
					    lens[i] * sizeof *pcm);
			free(pcm);
		}
		free(whole);
		conceal_free(c);
		conceal_free(d);
	}
}

/* What spandsp makes of the same past by itself is the fill. */
static void test_it_is_spandsps_filling(void **state)
{
	struct conceal *c = after_tone(4);
	int16_t *pcm = fill(c, 100 * MS), *past = tone(4 * FRAME - 280, 280);
	plc_state_t *plc = plc_init(NULL);
	int16_t want[100 * MS];

	(void)state;
	assert_non_null(plc);
	plc_rx(plc, past, 280);
	plc_fillin(plc, want, 100 * MS);
	assert_memory_equal(pcm, want, sizeof want);
	plc_free(plc);
	free(past);
	free(pcm);
	conceal_free(c);
}

static void test_silence_forgets_the_past(void **state)
{
	struct conceal *c = after_tone(5);
	int16_t *pcm;

	(void)state;
	conceal_silence(c);
	pcm = fill(c, 60 * MS);
	for (size_t i = 0; i < 60 * MS; i++)
		assert_int_equal(pcm[i], 0);
	free(pcm);
	conceal_free(c);
}

/* and a loss that was under way, too: what comes is not faded into it */
static void test_silence_ends_a_loss(void **state)
{
	struct conceal *c = after_tone(5), *fresh;
	int16_t *lost = fill(c, FRAME), *pcm = tone(0, FRAME);
	int16_t *a, *b;

	(void)state;
	conceal_silence(c);
	assert_int_equal(conceal_new(&fresh), 0);
	conceal_good(c, pcm, FRAME);
	conceal_good(fresh, pcm, FRAME);
	a = fill(c, 30 * MS);
	b = fill(fresh, 30 * MS);
	assert_memory_equal(a, b, 30 * MS * sizeof *a);
	assert_true(loudness(a, 30 * MS) > 0);
	free(a);
	free(b);
	free(lost);
	free(pcm);
	conceal_free(c);
	conceal_free(fresh);
}

/* spandsp fades the past it is shown after a loss.  Here that would change the
 * period it finds: 120 by the first samples as they are, 60 when faded. */
static void test_a_second_loss_does_not_know_the_first(void **state)
{
	struct conceal *c, *fresh;
	int16_t *lost, *a, *b;
	int16_t first[280] = { 0 }, pcm[280] = { 0 };

	(void)state;
	for (int i = 0; i < 280; i++)
		first[i] = (int16_t)(i % 120 == 0 ? 30000 : 0);
	for (int i = 0; i < 8; i++) {
		pcm[i] = pcm[120 + i] = 20000;
		pcm[60 + i] = 8000;
		pcm[272 + i] = (int16_t)(100 * i);
	}
	assert_int_equal(conceal_new(&c), 0);
	assert_int_equal(conceal_new(&fresh), 0);
	conceal_good(c, first, 280);
	lost = fill(c, FRAME);
	conceal_good(c, pcm, 280);
	conceal_good(fresh, pcm, 280);
	a = fill(c, 60 * MS);
	b = fill(fresh, 60 * MS);
	assert_memory_equal(a, b, 60 * MS * sizeof *a);
	assert_true(loudness(a, 60 * MS) > 0);
	free(a);
	free(b);
	free(lost);
	conceal_free(c);
	conceal_free(fresh);
}

/* What was filled is past as well; so is each frame, however they are cut. */
static void test_the_past_is_all_of_the_timeline(void **state)
{
	static const size_t lens[] = { 1, 40, 80, 160, 279, 280, 281, 1500, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct conceal *c = after_tone(5);
		int16_t *pcm = malloc((FRAME + 5000) * sizeof *pcm);
		int16_t *good = tone(77, 5000), *a, *b;
		struct conceal *d;

		assert_non_null(pcm);
		conceal_fill(c, pcm, FRAME);
		memcpy(pcm + FRAME, good, 5000 * sizeof *pcm);
		for (size_t at = 0, n; at < 5000; at += n) {
			n = 5000 - at < lens[i] ? 5000 - at : lens[i];
			conceal_good(c, good + at, n);
			if (at > 0)
				continue;
			/* after the first: the same as another that was
			 * shown the fill and the frame as one */
			d = after_tone(5);
			conceal_good(d, pcm, FRAME + n);
			a = fill(c, 60 * MS);
			b = fill(d, 60 * MS);
			assert_memory_equal(a, b, 60 * MS * sizeof *a);
			free(a);
			free(b);
			conceal_free(d);
		}
		d = after_tone(0);
		conceal_good(d, good, 5000);
		a = fill(c, 60 * MS);
		b = fill(d, 60 * MS);
		if (5000 - lens[i] >= 280) /* the fill above is out of sight */
			assert_memory_equal(a, b, 60 * MS * sizeof *a);
		free(a);
		free(b);
		free(pcm);
		free(good);
		conceal_free(c);
		conceal_free(d);
	}
}

static void test_a_loss_before_anything_is_silent(void **state)
{
	struct conceal *c;
	int16_t *pcm;

	(void)state;
	assert_int_equal(conceal_new(&c), 0);
	pcm = fill(c, 60 * MS);
	for (size_t i = 0; i < 60 * MS; i++)
		assert_int_equal(pcm[i], 0);
	free(pcm);
	conceal_free(c);
}

/* The same calls, the same samples: a call with frames, losses and silences */
static void play(int16_t *out, size_t rounds)
{
	struct conceal *c = after_tone(3);
	uint32_t random = 1;

	for (size_t i = 0; i < rounds; i++, out += FRAME) {
		random = random * 1664525u + 1013904223u;
		memset(out, 0, FRAME * sizeof *out);
		if (random >> 28 < 4) {
			conceal_fill(c, out, FRAME);
		} else if (random >> 28 == 15) {
			conceal_silence(c);
		} else {
			int16_t *pcm = tone(random >> 16, FRAME);

			conceal_good(c, pcm, FRAME);
			free(pcm);
		}
	}
	conceal_free(c);
}

static void test_same_calls_same_samples(void **state)
{
	enum { ROUNDS = 500 };
	int16_t *a = malloc(ROUNDS * FRAME * sizeof *a);
	int16_t *b = malloc(ROUNDS * FRAME * sizeof *b);

	(void)state;
	assert_true(a && b);
	play(a, ROUNDS);
	play(b, ROUNDS);
	assert_memory_equal(a, b, ROUNDS * FRAME * sizeof *a);
	assert_true(loudness(a, ROUNDS * FRAME) > 0);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received_samples_are_never_altered),
		cmocka_unit_test(test_a_loss_sounds_like_what_came_before),
		cmocka_unit_test(test_a_long_loss_fades_to_silence),
		cmocka_unit_test(test_no_length_is_overrun),
		cmocka_unit_test(test_a_loss_split_over_calls_is_the_same),
		cmocka_unit_test(test_it_is_spandsps_filling),
		cmocka_unit_test(test_silence_forgets_the_past),
		cmocka_unit_test(test_silence_ends_a_loss),
		cmocka_unit_test(test_a_second_loss_does_not_know_the_first),
		cmocka_unit_test(test_the_past_is_all_of_the_timeline),
		cmocka_unit_test(test_a_loss_before_anything_is_silent),
		cmocka_unit_test(test_same_calls_same_samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
