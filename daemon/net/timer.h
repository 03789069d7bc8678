/**
 * @file timer.h  A one-shot timer of the loop, in real (monotonic) time
 *
 * For what waits for the network.  What waits for audio uses base/timers.h on
 * the media clock.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

struct timer_once;

typedef void timer_once_fn(void *arg);

/** @return 0 or -errno; `fn` is called once per timer_once_start() */
int timer_once_open(struct timer_once **out, uv_loop_t *loop, timer_once_fn *fn,
		    void *arg);
/** (Re)arm to fire in `ms`. */
void timer_once_start(struct timer_once *t, uint64_t ms);
void timer_once_stop(struct timer_once *t);
/** NULL is fine; no callback afterwards. */
void timer_once_close(struct timer_once *t);
