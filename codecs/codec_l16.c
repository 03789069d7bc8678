/**
 * @file codec_l16.c  L16, linear PCM in network order (RFC 3551 4.5.11)
 *
 * Mono at 8 kHz, which has no static payload type (10 and 11 are 44.1 kHz).
 */
#include "codecs/codec.h"

static void decode(int16_t *pcm, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = (int16_t)(data[2 * i] << 8 | data[2 * i + 1]);
}

static void encode(uint8_t *data, const int16_t *pcm, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		data[2 * i] = (uint8_t)((uint16_t)pcm[i] >> 8);
		data[2 * i + 1] = (uint8_t)((uint16_t)pcm[i] & 0xff);
	}
}

const struct codec codec_l16 = {
	.name = "L16", .pt = -1, .clock_hz = 8000, .rate_hz = 8000,
	.sample_bytes = 2, .decode = decode, .encode = encode,
};
