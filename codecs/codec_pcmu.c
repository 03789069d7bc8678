/**
 * @file codec_pcmu.c  PCMU, G.711 mu-law (ITU-T G.711 table 2; RFC 3551 4.5.14)
 *
 * The 14-bit values of the standard stand in the upper bits of 16.  Zero has
 * two codes, 0xff (positive) and 0x7f (negative).
 */
#include "codecs/codec.h"
#include "codecs/g711.h"

/* Table 2a, column 8: the decoder's outputs y0 ... y127, times four. */
#define NUMBERS(S)                                                             \
	S(0, 8, 16, 24, 32, 40, 48, 56,                                        \
	  64, 72, 80, 88, 96, 104, 112, 120)                                   \
	S(132, 148, 164, 180, 196, 212, 228, 244,                              \
	  260, 276, 292, 308, 324, 340, 356, 372)                              \
	S(396, 428, 460, 492, 524, 556, 588, 620,                              \
	  652, 684, 716, 748, 780, 812, 844, 876)                              \
	S(924, 988, 1052, 1116, 1180, 1244, 1308, 1372,                        \
	  1436, 1500, 1564, 1628, 1692, 1756, 1820, 1884)                      \
	S(1980, 2108, 2236, 2364, 2492, 2620, 2748, 2876,                      \
	  3004, 3132, 3260, 3388, 3516, 3644, 3772, 3900)                      \
	S(4092, 4348, 4604, 4860, 5116, 5372, 5628, 5884,                      \
	  6140, 6396, 6652, 6908, 7164, 7420, 7676, 7932)                      \
	S(8316, 8828, 9340, 9852, 10364, 10876, 11388, 11900,                  \
	  12412, 12924, 13436, 13948, 14460, 14972, 15484, 15996)              \
	S(16764, 17788, 18812, 19836, 20860, 21884, 22908, 23932,              \
	  24956, 25980, 27004, 28028, 29052, 30076, 31100, 32124)

enum {
	BIAS = 33,    /* makes every segment begin at a power of two */
	MOST = 8191,  /* of 13 bits; louder samples are clipped to it */
	INVERT = 0xff /* every bit: table 2a, note 2 */
};

static const struct g711_law law = G711_LAW(NUMBERS, INVERT);

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
