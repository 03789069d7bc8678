/** @file stream_clock.c  Holes in a stream of samples without timestamps */
#include "daemon/media/stream_clock.h"

#include <sys/param.h>

enum { SAMPLE_US = 125 };

static void begin(struct stream_clock *c, size_t n, uint64_t at_us)
{
	*c = (struct stream_clock){
		.started = true, .seen_us = at_us,
		.first_us = at_us - n * SAMPLE_US,
	};
}

/* How late what ends now is, behind the mark. */
static int64_t lateness(const struct stream_clock *c)
{
	return (int64_t)(c->seen_us - c->first_us - c->samples * SAMPLE_US) -
	       c->mark_us;
}

/* Audio in time: the mark follows it. */
static void follow(struct stream_clock *c, size_t n, int64_t late)
{
	const int64_t drift = (int64_t)n * SAMPLE_US / STREAM_CLOCK_DRIFT;

	c->mark_us += MIN(late, drift);
	c->holding = false;
}

static void hold(struct stream_clock *c, int64_t late)
{
	c->holding = true;
	c->late_us = late;
	c->since_us = c->seen_us;
	c->until_us = c->seen_us + STREAM_CLOCK_HOLD_US;
}

/* It is catching up: worth waiting for some more. */
static void hold_on(struct stream_clock *c, int64_t late)
{
	c->late_us = late;
	c->until_us = MIN(c->seen_us + STREAM_CLOCK_HOLD_US,
			  c->since_us + STREAM_CLOCK_HOLD_MAX_US);
}

bool stream_clock_put(struct stream_clock *c, size_t n, uint64_t at_us)
{
	if (!c->started)
		begin(c, n, at_us);
	c->samples += n;
	c->seen_us = MAX(at_us, c->seen_us);

	const int64_t late = lateness(c);
	if (late <= STREAM_CLOCK_LATE_US)
		follow(c, n, late);
	else if (!c->holding)
		hold(c, late);
	else if (late < c->late_us)
		hold_on(c, late);
	return c->holding;
}

uint64_t stream_clock_deadline_us(const struct stream_clock *c)
{
	return c->holding ? c->until_us : UINT64_MAX;
}

uint64_t stream_clock_release(struct stream_clock *c)
{
	if (!c->holding)
		return 0;
	const uint64_t hole = (uint64_t)c->late_us / SAMPLE_US;

	c->holding = false;
	c->samples += hole;
	return hole;
}
