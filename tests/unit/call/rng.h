/** @file rng.h  The same chance in every run */
#pragma once

#include <stdint.h>

static uint64_t rng_state = 0x9e3779b97f4a7c15u;

static inline void rng_seed(uint64_t seed)
{
	rng_state = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
}

/** 0 .. n-1 (xorshift64, Marsaglia 2003). */
static inline uint64_t rng(uint64_t n)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (rng_state >> 11) % n;
}
