/** @file chance.h  The same seed, the same chance (splitmix64, Steele et al. 2014) */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/** Streams of their own for each `n` of one seed. */
static inline struct chance chance_of(uint64_t seed, uint64_t n)
{
	struct chance c = { seed };

	c.state = chance_next(&c) + n;
	c.state = chance_next(&c);
	return c;
}

/** 0 .. n-1; 0 when n is 0. */
static inline uint64_t chance_below(struct chance *c, uint64_t n)
{
	return n ? (chance_next(c) >> 11) % n : 0;
}

/** True so many times in a million. */
static inline bool chance_ppm(struct chance *c, uint32_t ppm)
{
	return ppm && chance_below(c, 1000000) < ppm;
}
