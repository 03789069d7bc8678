/**
 * @file codec_pcma.c  PCMA, G.711 A-law (ITU-T G.711 table 1; RFC 3551 4.5.14)
 *
 * The 13-bit values of the standard stand in the upper bits of 16.  There is
 * no zero: the smallest outputs are 8 (code 0xd5) and -8 (0x55).
 */
#include "codecs/codec.h"
#include "codecs/g711.h"

/*
 * Table 1a, column 8, times eight: interval m of segment e (both count from 0,
 * and have their even bits inverted in the code) is decoded as
 *
 *	16m + 8                 = (8m + 130) * 65 + (8m + 134) * -63    (e = 0)
 *	(16m + 264) << (e - 1)  = ((8m + 130) + (8m + 134)) * 2^(e-1)   (e > 0)
 */
#define INTERVALS(P, ...)                                                      \
	P(170, 174, __VA_ARGS__) P(162, 166, __VA_ARGS__)                      \
	P(186, 190, __VA_ARGS__) P(178, 182, __VA_ARGS__)                      \
	P(138, 142, __VA_ARGS__) P(130, 134, __VA_ARGS__)                      \
	P(154, 158, __VA_ARGS__) P(146, 150, __VA_ARGS__)                      \
	P(234, 238, __VA_ARGS__) P(226, 230, __VA_ARGS__)                      \
	P(250, 254, __VA_ARGS__) P(242, 246, __VA_ARGS__)                      \
	P(202, 206, __VA_ARGS__) P(194, 198, __VA_ARGS__)                      \
	P(218, 222, __VA_ARGS__) P(210, 214, __VA_ARGS__)

#define SEGMENTS(P, ...)                                                       \
	P(-16, -16, __VA_ARGS__) P(-8, -8, __VA_ARGS__)                        \
	P(-64, -64, __VA_ARGS__) P(-32, -32, __VA_ARGS__)                      \
	P(-1, -1, __VA_ARGS__)   P(-65, 63, __VA_ARGS__)                       \
	P(-4, -4, __VA_ARGS__)   P(-2, -2, __VA_ARGS__)                        \
	P(16, 16, __VA_ARGS__)   P(8, 8, __VA_ARGS__)                          \
	P(64, 64, __VA_ARGS__)   P(32, 32, __VA_ARGS__)                        \
	P(1, 1, __VA_ARGS__)     P(65, -63, __VA_ARGS__)                       \
	P(4, 4, __VA_ARGS__)     P(2, 2, __VA_ARGS__)

/* The even bits (table 1a, note 2), and bit 7, which is 1 for positive. */
enum { INVERT = 0xd5 };

static const struct g711_law law = G711_LAW(INTERVALS, SEGMENTS);

static void decode(int16_t *pcm, const uint8_t *data, size_t n)
{
	g711_expand(pcm, data, n, &law);
}

/*
 * Negative samples are measured by their one's complement, as in the
 * reference program (ITU-T G.191, alaw_compress): of two intervals that meet
 * in a sample, a positive one takes the outer, a negative one the inner.
 * So 0 ... 15 are 0xd5, and -1 ... -16 are 0x55.
 */
static uint8_t compress(int sample)
{
	const int negative = sample < 0;
	const int size = (negative ? ~sample : sample) >> 4;
	int segment = 0;

	if (size > 15) /* the first two segments have the same step */
		segment = 28 - __builtin_clz((unsigned)size);

	const int interval = size >> (segment ? segment - 1 : 0) & 0x0f;

	return (uint8_t)((negative << 7 | segment << 4 | interval) ^ INVERT);
}

static void encode(uint8_t *data, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = compress(pcm[i]);
}

const struct codec codec_pcma = {
	.name = "PCMA", .pt = 8, .clock_hz = 8000, .rate_hz = 8000,
	.sample_bytes = 1, .decode = decode, .encode = encode,
};
