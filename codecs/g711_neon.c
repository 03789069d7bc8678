/**
 * @file g711_neon.c  G.711 decoding with NEON (AArch64): 16 codes at once
 *
 * One table lookup holds sixteen numbers, so a magnitude is made of its
 * segment's start and step: start + interval * step.
 */
#include <arm_neon.h>

#include "codecs/g711.h"

struct lookup {
	uint8x16_t invert, start_low, start_high, step8;
};

static inline void expand(int16_t *pcm, const uint8_t *data,
			  const struct lookup *at)
{
	const uint8x16_t code = veorq_u8(vld1q_u8(data), at->invert);
	const uint8x16_t segment = vshrq_n_u8(code, 4);
	const uint8x16_t interval8 =
		vandq_u8(vshlq_n_u8(code, 3), vdupq_n_u8(0x78));
	const uint8x16_t step8 = vqtbl1q_u8(at->step8, segment);
	const uint8x16_t low = vqtbl1q_u8(at->start_low, segment);
	const uint8x16_t high = vqtbl1q_u8(at->start_high, segment);

	const uint16x8_t a = vmlal_u8(
		vreinterpretq_u16_u8(vzip1q_u8(low, high)),
		vget_low_u8(interval8), vget_low_u8(step8));
	const uint16x8_t b = vmlal_high_u8(
		vreinterpretq_u16_u8(vzip2q_u8(low, high)), interval8, step8);

	/* all ones where the sample is negative */
	const int8x16_t sign = vshrq_n_s8(vreinterpretq_s8_u8(code), 7);
	const int16x8_t sign_a = vmovl_s8(vget_low_s8(sign));
	const int16x8_t sign_b = vmovl_high_s8(sign);

	vst1q_s16(pcm, vsubq_s16(veorq_s16(vreinterpretq_s16_u16(a), sign_a),
				 sign_a));
	vst1q_s16(pcm + 8,
		  vsubq_s16(veorq_s16(vreinterpretq_s16_u16(b), sign_b),
			    sign_b));
}

void g711_expand_neon(int16_t *pcm, const uint8_t *data, size_t n,
		      const struct g711_law *law)
{
	if (n < 16) {
		g711_expand_portable(pcm, data, n, law);
		return;
	}

	const struct lookup at = {
		.invert = vdupq_n_u8(law->invert),
		.start_low = vld1q_u8(law->start_low),
		.start_high = vld1q_u8(law->start_high),
		.step8 = vld1q_u8(law->step8),
	};
	size_t i = 0;

	for (; i + 16 <= n; i += 16)
		expand(pcm + i, data + i, &at);
	if (i < n) /* the rest: the last 16, some of them again */
		expand(pcm + n - 16, data + n - 16, &at);
}
