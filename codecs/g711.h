/**
 * @file g711.h  ITU-T G.711, what its two laws and all kernels share
 *
 * A code, all its agreed inversions taken back, is sign (bit 7, 1 = negative),
 * segment (3 bits) and interval (4 bits); the lower seven bits number the 128
 * output magnitudes in rising order.  A law is therefore these 128 numbers and
 * the inversion, and nothing else: a kernel looks the magnitude up and sets
 * the sign.  The kernels differ in what they look up at once - a number, a
 * byte of it, or a segment's start and step - but all of it is spelled by
 * G711_LAW from the one list of numbers.
 */
#pragma once

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct g711_law {
	alignas(64) int16_t magnitude[128]; /**< Rising, 16-bit scale */
	alignas(64) uint8_t low[128];       /**< Its lower bytes ... */
	alignas(64) uint8_t high[128];      /**< ... and its upper */

	/**
	 * By sign and segment: a segment's first magnitude, in two bytes, and
	 * its step in eighths (16 bits hold no step above 255 * 8).
	 */
	alignas(16) uint8_t start_low[16];
	alignas(16) uint8_t start_high[16];
	alignas(16) uint8_t step8[16];

	uint8_t invert; /**< XOR a code with this before use */
};

/** Decode `n` codes; the kernels and the pointer have this type. */
typedef void g711_expand_fn(int16_t *pcm, const uint8_t *data, size_t n,
			    const struct g711_law *law);

g711_expand_fn g711_expand_portable;
g711_expand_fn g711_expand_avx2;
g711_expand_fn g711_expand_avx512;
g711_expand_fn g711_expand_neon;

/** The kernel in use; codecs_init() sets it, once. */
extern g711_expand_fn *g711_expand;

/*
 * G711_LAW(NUMBERS, INVERT) initialises a law.  NUMBERS(S) is S(16 numbers)
 * for each of the eight segments.
 */
#define G711_EACH(f, a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q)           \
	f(a), f(b), f(c), f(d), f(e), f(g), f(h), f(i), f(j), f(k), f(l),      \
		f(m), f(n), f(o), f(p), f(q),
#define G711_BYTE0(v)        ((v) & 0xff)
#define G711_BYTE1(v)        ((v) >> 8)
#define G711_WHOLE(...)      __VA_ARGS__,
#define G711_LOW(...)        G711_EACH(G711_BYTE0, __VA_ARGS__)
#define G711_HIGH(...)       G711_EACH(G711_BYTE1, __VA_ARGS__)
#define G711_START0(a, ...)  G711_BYTE0(a),
#define G711_START1(a, ...)  G711_BYTE1(a),
#define G711_STEP(a, b, ...) ((b) - (a)) / 8,

#define G711_LAW(NUMBERS, INVERT)                                              \
	{                                                                      \
		.magnitude = { NUMBERS(G711_WHOLE) },                          \
		.low = { NUMBERS(G711_LOW) },                                  \
		.high = { NUMBERS(G711_HIGH) },                                \
		.start_low = { NUMBERS(G711_START0) NUMBERS(G711_START0) },    \
		.start_high = { NUMBERS(G711_START1) NUMBERS(G711_START1) },   \
		.step8 = { NUMBERS(G711_STEP) NUMBERS(G711_STEP) },            \
		.invert = (INVERT),                                            \
	}
