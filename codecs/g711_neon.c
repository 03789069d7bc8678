/** @file g711_neon.c  G.711 decoding with NEON (AArch64): 16 codes at once */
#include <arm_neon.h>

#include "codecs/g711.h"

enum { STEP = 16 };

struct factors {
	int8x16_t half[2]; /* of the intervals' factors, signed so */
	int8x16_t segment[2];
};

static inline void expand(int16_t *pcm, const uint8_t *data,
			  const struct factors *f)
{
	const uint8x16_t code = vld1q_u8(data);
	const uint8x16_t lower = vandq_u8(code, vdupq_n_u8(0x0f));
	const uint8x16_t upper = vshrq_n_u8(code, 4);
	const int8x16_t h0 = vqtbl1q_s8(f->half[0], lower);
	const int8x16_t h1 = vqtbl1q_s8(f->half[1], lower);
	const int8x16_t s0 = vqtbl1q_s8(f->segment[0], upper);
	const int8x16_t s1 = vqtbl1q_s8(f->segment[1], upper);
	const int16x8_t a =
		vmlal_s8(vmull_s8(vget_low_s8(h0), vget_low_s8(s0)),
			 vget_low_s8(h1), vget_low_s8(s1));
	const int16x8_t b = vmlal_high_s8(vmull_high_s8(h0, s0), h1, s1);

	vst1q_s16(pcm, vshlq_n_s16(a, 1));
	vst1q_s16(pcm + STEP / 2, vshlq_n_s16(b, 1));
}

static inline int8x16_t half(const uint8_t *sixteen)
{
	return vreinterpretq_s8_u8(vshrq_n_u8(vld1q_u8(sixteen), 1));
}

void g711_expand_neon(int16_t *pcm, const uint8_t *data, size_t n,
		      const struct g711_law *law)
{
	if (n < STEP) {
		g711_expand_portable(pcm, data, n, law);
		return;
	}

	const struct factors f = {
		.half = { half(law->interval[0]), half(law->interval[1]) },
		.segment = { vld1q_s8(law->segment[0]),
			     vld1q_s8(law->segment[1]) },
	};
	size_t i = 0;

	for (; i + STEP <= n; i += STEP)
		expand(pcm + i, data + i, &f);
	if (i < n) /* the rest: the last 16, some of them again */
		expand(pcm + n - STEP, data + n - STEP, &f);
}
