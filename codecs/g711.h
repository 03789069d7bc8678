/**
 * @file g711.h  ITU-T G.711, what its two laws and all kernels share
 *
 * The upper four bits of a code are sign and segment, the lower four the
 * interval within it.  All segments of a law are the same ramp, stretched and
 * moved; so its 256 samples are a sum of two products,
 *
 *	sample = interval[0][lower] * segment[0][upper] +
 *		 interval[1][lower] * segment[1][upper]
 *
 * and both laws have factors that fit a byte: unsigned for the intervals, and
 * even; signed for the segments.  These 64 bytes are the law.  A vector kernel
 * looks the factors up, sixteen entries being what one byte shuffle holds, and
 * one instruction multiplies and adds the pairs.  The plain kernel looks the
 * finished sample up.  G711_LAW spells it all from one list of factors, which
 * stand at the code's own bits: its agreed inversions cost nothing.
 */
#pragma once

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct g711_law {
	alignas(16) uint8_t interval[2][16];
	alignas(16) int8_t segment[2][16];

	/** The same in pairs, and twice: a permute of words reads five bits. */
	alignas(64) uint8_t intervals[32][2];
	alignas(64) int8_t segments[32][2];

	alignas(64) int16_t sample[256]; /**< Worked out */
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
 * G711_LAW(INTERVALS, SEGMENTS) initialises a law.  Each of the two is a macro
 * of a macro P and more arguments, and says P(FACTOR0, FACTOR1, arguments) for
 * each of the sixteen values of its bits, in order.
 */
#define G711_FACTOR0(f0, f1, ...) f0,
#define G711_FACTOR1(f0, f1, ...) f1,
#define G711_PAIR(f0, f1, ...)    { f0, f1 },
#define G711_SAMPLE(i0, i1, s0, s1, ...) (i0) * (s0) + (i1) * (s1),
#define G711_SEGMENT(s0, s1, INTERVALS)  INTERVALS(G711_SAMPLE, s0, s1)

#define G711_LAW(INTERVALS, SEGMENTS)                                          \
	{                                                                      \
		.interval = { { INTERVALS(G711_FACTOR0, ) },                   \
			      { INTERVALS(G711_FACTOR1, ) } },                 \
		.segment = { { SEGMENTS(G711_FACTOR0, ) },                     \
			     { SEGMENTS(G711_FACTOR1, ) } },                   \
		.intervals = { INTERVALS(G711_PAIR, )                          \
			       INTERVALS(G711_PAIR, ) },                       \
		.segments = { SEGMENTS(G711_PAIR, ) SEGMENTS(G711_PAIR, ) },   \
		.sample = { SEGMENTS(G711_SEGMENT, INTERVALS) },               \
	}
