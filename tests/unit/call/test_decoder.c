/** @file test_decoder.c  daemon/call/decoder.c, with the real codecs */
#include "daemon/call/decoder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/law.h"
#include "tests/unit/call/rng.h"

static struct decoder *begin(void)
{
	struct decoder *d;

	assert_int_equal(decoder_new(&d), 0);
	return d;
}

static int16_t sample_of(const struct span *s, size_t i)
{
	switch (s->kind) {
	case SPAN_PCMU:
		return law_mu(s->data[i]);
	case SPAN_PCMA:
		return law_a(s->data[i]);
	default:
		return (int16_t)(s->data[2 * i] << 8 | s->data[2 * i + 1]);
	}
}

static void test_every_code(void **state)
{
	uint8_t codes[512];
	struct decoder *d = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(codes); i++)
		codes[i] = (uint8_t)(i * 3 + (i >> 8));
	for (enum span_kind k = SPAN_PCMU; k <= SPAN_L16; k++) {
		const struct span s = { .kind = k, .len = 256, .data = codes };
		const int16_t *pcm = decoder_span(d, &s);

		print_message("row: kind %d\n", (int)k);
		for (size_t i = 0; i < 256; i++)
			assert_int_equal(pcm[i], sample_of(&s, i));
	}
	decoder_free(d);
	decoder_free(NULL);
}

static void test_which_losses_are_concealed(void **state)
{
	static const struct {
		enum span_kind kind;
		uint64_t len;
		bool conceals;
	} rows[] = {
		{ SPAN_LOSS, 1, true },
		{ SPAN_LOSS, 160, true },
		{ SPAN_LOSS, DECODER_CONCEAL, true },
		{ SPAN_LOSS, DECODER_CONCEAL + 1, false },
		{ SPAN_LOSS, (uint64_t)1 << 40, false },
		{ SPAN_SILENCE, 1, false },
		{ SPAN_SILENCE, 160, false },
		{ SPAN_PCMU, 160, false },
	};
	uint8_t tone[160];

	(void)state;
	for (size_t i = 0; i < sizeof(tone); i++)
		tone[i] = i / 20 % 2 ? 0x90 : 0x10; /* loud, 200 Hz */
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		const struct span s = { .kind = rows[r].kind, .data = tone,
					.len = rows[r].len };
		const struct span good = { .kind = SPAN_PCMU, .len = 160,
					   .data = tone };
		struct decoder *d = begin();

		print_message("row: %zu\n", r);
		assert_int_equal(decoder_conceals(&s), rows[r].conceals);
		for (int i = 0; i < 4; i++)
			decoder_span(d, &good);
		const int16_t *pcm = decoder_span(d, &s);
		if (span_is_audio(&s)) {
			assert_non_null(pcm);
		} else if (rows[r].conceals) {
			assert_non_null(pcm);
			assert_int_not_equal(pcm[0], 0);
		} else {
			assert_null(pcm);
		}
		decoder_free(d);
	}
}

/* Whatever lies between: what was received comes out as it is by the law. */
static void test_a_received_sample_is_never_altered(void **state)
{
	struct decoder *d = begin(), *twin = begin();

	(void)state;
	rng_seed(7);
	for (unsigned n = 0; n < 3000; n++) {
		const enum span_kind kind = (enum span_kind)rng(5);
		struct span s = { .kind = kind };

		s.len = 1 + (span_is_audio(&s) ? rng(rng(9) ? 320 : DECODER_MAX)
					       : rng(900));
		const size_t bytes = span_bytes(&s);
		uint8_t *data = bytes ? malloc(bytes) : NULL;

		for (size_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)rng(256);
		s.data = data;
		const int16_t *pcm = decoder_span(d, &s);
		const int16_t *same = decoder_span(twin, &s);

		assert_int_equal(pcm == NULL, same == NULL);
		if (pcm)
			assert_memory_equal(pcm, same,
					    (size_t)s.len * sizeof(*pcm));
		for (size_t i = 0; span_is_audio(&s) && i < s.len; i++)
			if (pcm[i] != sample_of(&s, i))
				fail_msg("span %u, sample %zu", n, i);
		free(data);
	}
	decoder_free(d);
	decoder_free(twin);
}

/* Two losses with nothing between are one: 60 ms of each, faded by then. */
static void test_concealment_ends(void **state)
{
	const struct span loss = { .kind = SPAN_LOSS, .len = DECODER_CONCEAL };
	uint8_t tone[800];
	const struct span good = { .kind = SPAN_PCMU, .len = sizeof(tone),
				   .data = tone };
	struct decoder *d = begin();
	double first = 0, last = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(tone); i++)
		tone[i] = i / 20 % 2 ? 0x90 : 0x10;
	decoder_span(d, &good);
	const int16_t *pcm = decoder_span(d, &loss);
	for (size_t i = 0; i < 160; i++) {
		first += abs(pcm[i]);
		last += abs(pcm[320 + i]);
	}
	assert_true(first > 10 * last);
	pcm = decoder_span(d, &loss);
	for (size_t i = 0; i < DECODER_CONCEAL; i++)
		assert_int_equal(pcm[i], 0);
	decoder_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_which_losses_are_concealed),
		cmocka_unit_test(test_a_received_sample_is_never_altered),
		cmocka_unit_test(test_concealment_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
