/**
 * @file g711_avx2.c  G.711 decoding with AVX2: 32 codes at once
 */
#include <immintrin.h>

#include "codecs/g711.h"

enum { STEP = 32 };

struct factors {
	__m256i interval[2], segment[2];
};

static inline __m256i in_both_lanes(const void *sixteen)
{
	return _mm256_broadcastsi128_si256(_mm_load_si128(sixteen));
}

static inline void expand(int16_t *pcm, const uint8_t *data,
			  const struct factors *f)
{
	const __m256i four = _mm256_set1_epi8(0x0f);
	__m256i code = _mm256_loadu_si256((const __m256i_u *)data);

	/* unpacking works within lanes: bring its halves where it looks */
	code = _mm256_permute4x64_epi64(code, _MM_SHUFFLE(3, 1, 2, 0));

	const __m256i lower = _mm256_and_si256(code, four);
	const __m256i upper = _mm256_and_si256(_mm256_srli_epi16(code, 4), four);
	const __m256i i0 = _mm256_shuffle_epi8(f->interval[0], lower);
	const __m256i i1 = _mm256_shuffle_epi8(f->interval[1], lower);
	const __m256i s0 = _mm256_shuffle_epi8(f->segment[0], upper);
	const __m256i s1 = _mm256_shuffle_epi8(f->segment[1], upper);

	_mm256_storeu_si256(
		(__m256i_u *)pcm,
		_mm256_maddubs_epi16(_mm256_unpacklo_epi8(i0, i1),
				     _mm256_unpacklo_epi8(s0, s1)));
	_mm256_storeu_si256(
		(__m256i_u *)(pcm + STEP / 2),
		_mm256_maddubs_epi16(_mm256_unpackhi_epi8(i0, i1),
				     _mm256_unpackhi_epi8(s0, s1)));
}

void g711_expand_avx2(int16_t *pcm, const uint8_t *data, size_t n,
		      const struct g711_law *law)
{
	if (n < STEP) {
		g711_expand_portable(pcm, data, n, law);
		return;
	}

	const struct factors f = {
		.interval = { in_both_lanes(law->interval[0]),
			      in_both_lanes(law->interval[1]) },
		.segment = { in_both_lanes(law->segment[0]),
			     in_both_lanes(law->segment[1]) },
	};
	size_t i = 0;

	for (; i + STEP <= n; i += STEP)
		expand(pcm + i, data + i, &f);
	if (i < n) /* the rest: the last 32, some of them again */
		expand(pcm + n - STEP, data + n - STEP, &f);
}
