/**
 * @file codec_pcma.c  PCMA, G.711 A-law (ITU-T G.711 table 1; RFC 3551 4.5.14)
 *
 * The 13-bit values of the standard stand in the upper bits of 16.  There is
 * no zero: the smallest outputs are 8 (code 0xd5) and -8 (0x55).
 */
#include "codecs/codec.h"
#include "codecs/g711.h"

/* Table 1a, column 8: the decoder's outputs y1 ... y128, times eight. */
#define NUMBERS(S)                                                             \
	S(8, 24, 40, 56, 72, 88, 104, 120,                                     \
	  136, 152, 168, 184, 200, 216, 232, 248)                              \
	S(264, 280, 296, 312, 328, 344, 360, 376,                              \
	  392, 408, 424, 440, 456, 472, 488, 504)                              \
	S(528, 560, 592, 624, 656, 688, 720, 752,                              \
	  784, 816, 848, 880, 912, 944, 976, 1008)                             \
	S(1056, 1120, 1184, 1248, 1312, 1376, 1440, 1504,                      \
	  1568, 1632, 1696, 1760, 1824, 1888, 1952, 2016)                      \
	S(2112, 2240, 2368, 2496, 2624, 2752, 2880, 3008,                      \
	  3136, 3264, 3392, 3520, 3648, 3776, 3904, 4032)                      \
	S(4224, 4480, 4736, 4992, 5248, 5504, 5760, 6016,                      \
	  6272, 6528, 6784, 7040, 7296, 7552, 7808, 8064)                      \
	S(8448, 8960, 9472, 9984, 10496, 11008, 11520, 12032,                  \
	  12544, 13056, 13568, 14080, 14592, 15104, 15616, 16128)              \
	S(16896, 17920, 18944, 19968, 20992, 22016, 23040, 24064,              \
	  25088, 26112, 27136, 28160, 29184, 30208, 31232, 32256)

/* The even bits (table 1a, note 2), and bit 7, which is 1 for positive. */
enum { INVERT = 0xd5 };

static const struct g711_law law = G711_LAW(NUMBERS, INVERT);

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
