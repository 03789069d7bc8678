/**
 * @file codec_pcmu.c  PCMU, G.711 mu-law (ITU-T G.711 table 2; RFC 3551 4.5.14)
 *
 * The 14-bit values of the standard stand in the upper bits of 16.  Zero has
 * two codes, 0xff (positive) and 0x7f (negative).
 */
#include "codecs/codec.h"
#include "codecs/g711.h"

/*
 * Table 2a, column 8, times four: interval m of segment e (both count from 0,
 * and stand inverted in the code) is decoded as
 *
 *	((8m + 132) << e) - 132 = (8m + 132) * (2^e - 1) + 8m * 1
 */
#define INTERVALS(P, ...)                                                      \
	P(252, 120, __VA_ARGS__) P(244, 112, __VA_ARGS__)                      \
	P(236, 104, __VA_ARGS__) P(228, 96, __VA_ARGS__)                       \
	P(220, 88, __VA_ARGS__)  P(212, 80, __VA_ARGS__)                       \
	P(204, 72, __VA_ARGS__)  P(196, 64, __VA_ARGS__)                       \
	P(188, 56, __VA_ARGS__)  P(180, 48, __VA_ARGS__)                       \
	P(172, 40, __VA_ARGS__)  P(164, 32, __VA_ARGS__)                       \
	P(156, 24, __VA_ARGS__)  P(148, 16, __VA_ARGS__)                       \
	P(140, 8, __VA_ARGS__)   P(132, 0, __VA_ARGS__)

#define SEGMENTS(P, ...)                                                       \
	P(-127, -1, __VA_ARGS__) P(-63, -1, __VA_ARGS__)                       \
	P(-31, -1, __VA_ARGS__)  P(-15, -1, __VA_ARGS__)                       \
	P(-7, -1, __VA_ARGS__)   P(-3, -1, __VA_ARGS__)                        \
	P(-1, -1, __VA_ARGS__)   P(0, -1, __VA_ARGS__)                         \
	P(127, 1, __VA_ARGS__)   P(63, 1, __VA_ARGS__)                         \
	P(31, 1, __VA_ARGS__)    P(15, 1, __VA_ARGS__)                         \
	P(7, 1, __VA_ARGS__)     P(3, 1, __VA_ARGS__)                          \
	P(1, 1, __VA_ARGS__)     P(0, 1, __VA_ARGS__)

enum {
	BIAS = 33,    /* makes every segment begin at a power of two */
	MOST = 8191,  /* of 13 bits; louder samples are clipped to it */
	INVERT = 0xff /* every bit: table 2a, note 2 */
};

static const struct g711_law law = G711_LAW(INTERVALS, SEGMENTS);

static void decode(int16_t *pcm, const uint8_t *data, size_t n)
{
	g711_expand(pcm, data, n, &law);
}

/*
 * Negative samples are measured by their one's complement, as in the
 * reference program (ITU-T G.191, ulaw_compress): of two intervals that meet
 * in a sample, a positive one takes the outer, a negative one the inner.
 * So 0 ... 3 are 0xff, and -1 ... -4 are 0x7f.
 */
static uint8_t compress(int sample)
{
	const int negative = sample < 0;
	int size = ((negative ? ~sample : sample) >> 2) + BIAS;

	if (size > MOST)
		size = MOST;

	const int segment = 26 - __builtin_clz((unsigned)size);
	const int interval = size >> (segment + 1) & 0x0f;

	return (uint8_t)((negative << 7 | segment << 4 | interval) ^ INVERT);
}

static void encode(uint8_t *data, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = compress(pcm[i]);
}

const struct codec codec_pcmu = {
	.name = "PCMU", .pt = 0, .clock_hz = 8000, .rate_hz = 8000,
	.sample_bytes = 1, .decode = decode, .encode = encode,
};
