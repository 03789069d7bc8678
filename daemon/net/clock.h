/**
 * @file clock.h  The media clock of a live daemon
 *
 * The monotonic clock, set once at start to the wall clock: it never goes back
 * and no NTP step moves it.  Drives a struct timers: everything armed there
 * comes due on the loop.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

#include "daemon/base/timers.h"

struct clock_live;

/** @param timers Must outlive it.  @return 0 or -errno */
int clock_live_open(struct clock_live **out, uv_loop_t *loop,
		    struct timers *timers);
/** NULL is fine. */
void clock_live_close(struct clock_live *c);

/** Now [us since the Unix epoch]; everything due until then has been called. */
uint64_t clock_live_run(struct clock_live *c);
