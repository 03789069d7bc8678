/** @file test_wire.c  daemon/call/wire.c */
#include "daemon/call/wire.h"

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

enum { N = 8000 };

static int16_t pcm[N];

static void make_audio(void)
{
	for (size_t i = 0; i < N; i++)
		pcm[i] = (int16_t)(12000 * sin((double)i * 0.31) +
				   8000 * sin((double)i * 0.0127));
}

/* Everything in chunks of `chunk` (0: any): the bytes, in an exact block. */
static uint8_t *encode(const struct asr_wire *format, size_t chunk,
		       size_t *len)
{
	struct wire *w;
	uint8_t *out = malloc(N * 4 + 1);

	assert_int_equal(wire_new(&w, format), 0);
	*len = 0;
	for (size_t at = 0; at < N;) {
		size_t n = chunk ? chunk : 1 + rng(900);
		const uint8_t *data;

		n = n > N - at ? N - at : n;
		int16_t *part = malloc(n * sizeof(*part));
		memcpy(part, pcm + at, n * sizeof(*part));
		const ptrdiff_t got =
			wire_encode(w, part, n, at + n == N, &data);

		free(part);
		assert_true(got >= 0 && *len + (size_t)got <= N * 4);
		memcpy(out + *len, data, (size_t)got);
		*len += (size_t)got;
		at += n;
	}
	wire_free(w);
	return out;
}

static const struct {
	const char *name;
	struct asr_wire format;
	size_t bytes;         /* of one input sample */
} rows[] = {
	{ "pcm 8k", { ASR_PCM_S16LE, 8000 }, 2 },
	{ "mulaw 8k", { ASR_MULAW, 8000 }, 1 },
	{ "alaw 8k", { ASR_ALAW, 8000 }, 1 },
	{ "pcm 16k", { ASR_PCM_S16LE, 16000 }, 4 },
	{ "mulaw 16k", { ASR_MULAW, 16000 }, 2 },
};

static void test_any_chunks_give_the_same_bytes(void **state)
{
	static const size_t chunks[] = { 1, 80, 800, 0 };

	(void)state;
	make_audio();
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		size_t len, again;
		uint8_t *whole = encode(&rows[r].format, N, &len);

		print_message("row: %s\n", rows[r].name);
		assert_int_equal(len, N * rows[r].bytes);
		for (size_t c = 0; c < ARRAY_LEN(chunks); c++) {
			uint8_t *parts = encode(&rows[r].format, chunks[c],
						&again);

			assert_int_equal(again, len);
			assert_memory_equal(parts, whole, len);
			free(parts);
		}
		free(whole);
	}
}

/* The nearest level of the law; where two segments meet G.711's decision value
 * is not in the middle, but a level is never a step off. */
static void check_law(const uint8_t *bytes, int16_t (*law)(uint8_t))
{
	for (size_t i = 0; i < N; i++) {
		int best = 1 << 20;

		for (unsigned c = 0; c < 256; c++) {
			const int d = abs(law((uint8_t)c) - pcm[i]);

			best = d < best ? d : best;
		}
		const int d = abs(law(bytes[i]) - pcm[i]);
		if (d > 2 * best + 8)
			fail_msg("sample %d as %02x, off by %d, not %d",
				 pcm[i], bytes[i], d, best);
	}
}

static void test_samples_at_8k_are_themselves(void **state)
{
	size_t len;

	(void)state;
	make_audio();
	uint8_t *le = encode(&rows[0].format, 160, &len);
	for (size_t i = 0; i < N; i++)
		assert_int_equal((int16_t)(le[2 * i] | le[2 * i + 1] << 8),
				 pcm[i]);
	free(le);

	uint8_t *mu = encode(&rows[1].format, 160, &len);
	check_law(mu, law_mu);
	free(mu);

	uint8_t *a = encode(&rows[2].format, 160, &len);
	check_law(a, law_a);
	free(a);
}

/* Sample k stands at 2k: the even ones of a slow sine are its input's. */
static void test_16k_keeps_the_time(void **state)
{
	size_t len;

	(void)state;
	for (size_t i = 0; i < N; i++)
		pcm[i] = (int16_t)(12000 * sin((double)i * 0.2));
	uint8_t *le = encode(&rows[3].format, 160, &len);
	for (size_t i = 200; i < N - 200; i++) {
		const int16_t v = (int16_t)(le[4 * i] | le[4 * i + 1] << 8);

		if (abs(v - pcm[i]) > 120)
			fail_msg("sample %zu: %d, not %d", i, v, pcm[i]);
	}
	free(le);
}

static void test_who_holds_back(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		const uint8_t *data;
		struct wire *w;

		print_message("row: %s\n", rows[r].name);
		assert_int_equal(wire_new(&w, &rows[r].format), 0);
		assert_int_equal(wire_holds(w), rows[r].format.rate_hz > 8000);
		/* at the end there may be nothing left but that */
		const ptrdiff_t first = wire_encode(w, pcm, 160, false, &data);
		const ptrdiff_t rest = wire_encode(w, pcm, 0, true, &data);

		assert_int_equal(first + rest, 160 * (ptrdiff_t)rows[r].bytes);
		assert_int_equal(rest > 0, wire_holds(w));
		wire_free(w);
	}
	wire_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_chunks_give_the_same_bytes),
		cmocka_unit_test(test_samples_at_8k_are_themselves),
		cmocka_unit_test(test_16k_keeps_the_time),
		cmocka_unit_test(test_who_holds_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
