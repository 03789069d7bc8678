/** @file law.h  ITU-T G.711 by its definition, for comparison only */
#pragma once

#include <stdint.h>

/* G.711 table 2a/2b: bits inverted; sign, 3 bits segment, 4 bits step; the
 * decision values are 33 * 2^segment apart, less 33, on 14 bits. */
static inline int16_t law_mu(uint8_t code)
{
	const int v = ~code & 0xff;
	const int t = (((v & 15) * 2 + 33) << (v >> 4 & 7)) - 33;

	return (int16_t)((v & 0x80 ? -t : t) * 4);
}

/* G.711 table 1a/1b: even bits inverted; 13 bits. */
static inline int16_t law_a(uint8_t code)
{
	const int v = code ^ 0x55, segment = v >> 4 & 7;
	const int t = segment ? ((v & 15) * 2 + 33) << (segment - 1)
			      : (v & 15) * 2 + 1;

	return (int16_t)((v & 0x80 ? t : -t) * 8);
}
