/**
 * @file timers.h  Deadlines on a clock that somebody else moves
 *
 * The media clock's alarm: in a replay the capture moves it, in a live daemon
 * one loop timer does.  Deadlines come due in order of time, then of arming,
 * and each sees the clock at exactly its own time, so a replay takes the same
 * decisions at any speed.  Pure; one owner.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct timers;

/** Part of whoever wants to be woken; zero-filled before first use. */
struct timer {
	void (*due)(struct timer *t, uint64_t now_us); /**< May arm, disarm
							    or free any */
	uint64_t at_us;
	uint64_t order;
	size_t slot;     /**< Place in the heap + 1; 0: not armed */
};

/** @return 0 or -ENOMEM */
int timers_new(struct timers **out);
/** Timers still armed are simply forgotten. */
void timers_free(struct timers *ts);

/**
 * Wake `t` at `at_us`; arming an armed timer moves it (for the time it has
 * already: it keeps its turn).
 *
 * @return 0 or -ENOMEM (then it is not armed)
 */
int timers_arm(struct timers *ts, struct timer *t, uint64_t at_us);
void timers_disarm(struct timers *ts, struct timer *t);

/** The earliest deadline, or UINT64_MAX. */
uint64_t timers_next_us(const struct timers *ts);
/** Move the clock to `now_us`: everything due until then is called. */
void timers_run(struct timers *ts, uint64_t now_us);
/** Where the clock stands [us]. */
uint64_t timers_now_us(const struct timers *ts);
