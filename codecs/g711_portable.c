/** @file g711_portable.c  G.711 decoding in plain C: for all other machines */
#include "codecs/g711.h"

void g711_expand_portable(int16_t *pcm, const uint8_t *data, size_t n,
			  const struct g711_law *law)
{
	for (size_t i = 0; i < n; i++)
		pcm[i] = law->sample[data[i]];
}
