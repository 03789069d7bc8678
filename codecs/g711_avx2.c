/**
 * @file g711_avx2.c  G.711 decoding with AVX2: 32 codes at once
 *
 * A byte shuffle looks sixteen numbers up, so a magnitude is made of its
 * segment's start and step: start + interval * step, and one
 * multiply-and-add of byte pairs does most of it.
 */
#include <immintrin.h>

#include "codecs/g711.h"

struct lookup {
	__m256i invert, start_low, start_high, step8;
};

static inline __m256i both_lanes(const uint8_t *sixteen)
{
	return _mm256_broadcastsi128_si256(
		_mm_load_si128((const __m128i *)sixteen));
}

static inline void expand(int16_t *pcm, const uint8_t *data,
			  const struct lookup *at)
{
	const __m256i one = _mm256_set1_epi8(1);
	const __m256i zero = _mm256_setzero_si256();
	__m256i code = _mm256_loadu_si256((const __m256i_u *)data);

	/* unpacking works within lanes: bring its halves where it looks */
	code = _mm256_permute4x64_epi64(code, _MM_SHUFFLE(3, 1, 2, 0));
	code = _mm256_xor_si256(code, at->invert);

	const __m256i segment = _mm256_and_si256(_mm256_srli_epi16(code, 4),
						 _mm256_set1_epi8(0x0f));
	const __m256i interval8 = _mm256_and_si256(_mm256_slli_epi16(code, 3),
						   _mm256_set1_epi8(0x78));
	const __m256i step8 = _mm256_shuffle_epi8(at->step8, segment);
	const __m256i low = _mm256_shuffle_epi8(at->start_low, segment);
	const __m256i high = _mm256_shuffle_epi8(at->start_high, segment);

	/* step * interval + 1 * low, then high on top; sums stay below 2^15 */
	__m256i a = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(step8, low),
					 _mm256_unpacklo_epi8(interval8, one));
	__m256i b = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(step8, low),
					 _mm256_unpackhi_epi8(interval8, one));

	a = _mm256_add_epi16(a, _mm256_unpacklo_epi8(zero, high));
	b = _mm256_add_epi16(b, _mm256_unpackhi_epi8(zero, high));

	/* the sign of a word made with the code on top, and never zero */
	a = _mm256_sign_epi16(a, _mm256_unpacklo_epi8(one, code));
	b = _mm256_sign_epi16(b, _mm256_unpackhi_epi8(one, code));

	_mm256_storeu_si256((__m256i_u *)pcm, a);
	_mm256_storeu_si256((__m256i_u *)(pcm + 16), b);
}

void g711_expand_avx2(int16_t *pcm, const uint8_t *data, size_t n,
		      const struct g711_law *law)
{
	if (n < 32) {
		g711_expand_portable(pcm, data, n, law);
		return;
	}

	const struct lookup at = {
		.invert = _mm256_set1_epi8((char)law->invert),
		.start_low = both_lanes(law->start_low),
		.start_high = both_lanes(law->start_high),
		.step8 = both_lanes(law->step8),
	};
	size_t i = 0;

	for (; i + 32 <= n; i += 32)
		expand(pcm + i, data + i, &at);
	if (i < n) /* the rest: the last 32, some of them again */
		expand(pcm + n - 32, data + n - 32, &at);
}
