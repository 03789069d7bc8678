/** @file now.h  The wall clock, for whoever writes times down */
#pragma once

#include <stdint.h>
#include <time.h>

/** Since the Unix epoch [us]. */
static inline uint64_t now_wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000;
}
