/** @file g711_portable.c  G.711 decoding in plain C: the fallback */
#include "codecs/g711.h"

void g711_expand_portable(int16_t *pcm, const uint8_t *data, size_t n,
			  const struct g711_law *law)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned code = data[i] ^ law->invert;
		const int magnitude = law->magnitude[code & 0x7f];
		const int sign = -(int)(code >> 7);

		pcm[i] = (int16_t)((magnitude ^ sign) - sign);
	}
}
