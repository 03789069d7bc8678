/**
 * @file g711_avx512.c  G.711 decoding with AVX-512 VBMI: 64 codes at once
 *
 * Two permutes of 128 bytes look the whole magnitude up, a byte each.
 */
#include <immintrin.h>

#include "codecs/g711.h"

struct lookup {
	__m512i invert, low[2], high[2];
};

static inline void expand(int16_t *pcm, const uint8_t *data,
			  const struct lookup *at)
{
	/* unpacking works within lanes: bring its halves where it looks */
	const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
	const __m512i zero = _mm512_setzero_si512();
	__m512i code = _mm512_loadu_si512(data);

	code = _mm512_xor_si512(_mm512_permutexvar_epi64(order, code),
				at->invert);

	/* bit 7 of the index, the sign, is not looked at */
	const __m512i low =
		_mm512_permutex2var_epi8(at->low[0], code, at->low[1]);
	const __m512i high =
		_mm512_permutex2var_epi8(at->high[0], code, at->high[1]);
	__m512i a = _mm512_unpacklo_epi8(low, high);
	__m512i b = _mm512_unpackhi_epi8(low, high);
	const __mmask32 sign_a =
		_mm512_movepi16_mask(_mm512_unpacklo_epi8(zero, code));
	const __mmask32 sign_b =
		_mm512_movepi16_mask(_mm512_unpackhi_epi8(zero, code));

	a = _mm512_mask_sub_epi16(a, sign_a, zero, a);
	b = _mm512_mask_sub_epi16(b, sign_b, zero, b);

	_mm512_storeu_si512(pcm, a);
	_mm512_storeu_si512(pcm + 32, b);
}

void g711_expand_avx512(int16_t *pcm, const uint8_t *data, size_t n,
			const struct g711_law *law)
{
	if (n < 64) {
		g711_expand_avx2(pcm, data, n, law);
		return;
	}

	const struct lookup at = {
		.invert = _mm512_set1_epi8((char)law->invert),
		.low = { _mm512_load_si512(law->low),
			 _mm512_load_si512(law->low + 64) },
		.high = { _mm512_load_si512(law->high),
			  _mm512_load_si512(law->high + 64) },
	};
	size_t i = 0;

	for (; i + 64 <= n; i += 64)
		expand(pcm + i, data + i, &at);
	if (i < n) /* the rest: the last 64, some of them again */
		expand(pcm + n - 64, data + n - 64, &at);
}
