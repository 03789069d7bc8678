/**
 * @file g711_avx512.c  G.711 decoding with AVX-512: 32 codes at once
 *
 * Codes become words first, so that a permute of words brings both factors.
 */
#include <immintrin.h>

#include "codecs/g711.h"

enum { STEP = 32 };

struct factors {
	__m512i intervals, segments;
};

static inline __m512i samples(__m256i code, const struct factors *f)
{
	const __m512i word = _mm512_cvtepu8_epi16(code);

	/* the lowest five bits choose; the tables do not mind the fifth */
	return _mm512_maddubs_epi16(
		_mm512_permutexvar_epi16(word, f->intervals),
		_mm512_permutexvar_epi16(_mm512_srli_epi16(word, 4),
					 f->segments));
}

void g711_expand_avx512(int16_t *pcm, const uint8_t *data, size_t n,
			const struct g711_law *law)
{
	const struct factors f = {
		.intervals = _mm512_load_si512(law->intervals),
		.segments = _mm512_load_si512(law->segments),
	};
	size_t i = 0;

	for (; i + STEP <= n; i += STEP)
		_mm512_storeu_si512(
			pcm + i,
			samples(_mm256_loadu_si256((const __m256i_u *)(data +
								       i)),
				&f));
	if (i < n) { /* what the mask leaves out is neither read nor written */
		const __mmask32 rest = (1u << (n - i)) - 1;

		_mm512_mask_storeu_epi16(
			pcm + i, rest,
			samples(_mm256_maskz_loadu_epi8(rest, data + i), &f));
	}
}
