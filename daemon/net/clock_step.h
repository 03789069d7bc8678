/**
 * @file clock_step.h  Somebody set the wall clock
 *
 * Compares it once a second with the monotonic clock.  NTP's slewing moves both
 * and is no step; half a second at once is one.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

struct clock_step;

/**
 * @param step `delta_us` since the last one; forward is positive
 *
 * @return 0 or -errno.  Does not keep the loop alive
 */
int clock_step_open(struct clock_step **out, uv_loop_t *loop,
		    void (*step)(int64_t delta_us, void *arg), void *arg);
/** NULL is fine. */
void clock_step_close(struct clock_step *c);
