/**
 * @file stream_clock.h  Holes in a stream of samples that has no timestamps
 *
 * Over TCP nothing is lost, but a sender that says nothing for a while
 * (comfort noise that is not passed on, hold) leaves a hole that only the
 * arrival clock knows of.  Audio that is late because the network stalled looks
 * the same at first; it is followed by what was held up, faster than it was
 * spoken.  So late audio is held for a moment:
 *
 *    put()  late by 100 ms or less           goes on at once
 *    put()  later                            is held ...
 *    put()  not late any more                ... a stall: all of it goes on
 *    200 ms without catching up (at most 2 s)... a hole: silence of as much as
 *                                            the least late of it was late
 *
 * "Late": its end lies so far behind the least late audio before it.  That
 * mark follows a sender whose clock is slower by up to one in 1,000; small
 * holes add up to one that is seen.  Pure; positions in samples at 8 kHz.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_CLOCK_LATE_US = 100 * 1000,
	STREAM_CLOCK_HOLD_US = 200 * 1000,
	STREAM_CLOCK_HOLD_MAX_US = 2000 * 1000,
	STREAM_CLOCK_DRIFT = 1000,       /**< One in so many */
};

/** `{0}` to begin. */
struct stream_clock {
	bool started;
	bool holding;
	uint64_t first_us;   /* when sample 0 would have come */
	uint64_t seen_us;    /* the latest arrival */
	uint64_t samples;    /* so far, holes included */
	int64_t mark_us;     /* how late the least late audio was */
	int64_t late_us;     /* while holding: least, behind the mark */
	uint64_t since_us;   /* holding since ... */
	uint64_t until_us;   /* ... and at most until */
};

/**
 * `n` samples came.
 *
 * @param at_us One that goes back counts as the latest so far
 * @return true: hold them, and what is held already, on; false: they and
 *         whatever was held go on now
 */
bool stream_clock_put(struct stream_clock *c, size_t n, uint64_t at_us);
/** When what is held is to go on, by stream_clock_release(); UINT64_MAX. */
uint64_t stream_clock_deadline_us(const struct stream_clock *c);
/** What is held goes on.  @return samples of silence before it */
uint64_t stream_clock_release(struct stream_clock *c);
