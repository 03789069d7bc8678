/** @file clock_step.c  Somebody set the wall clock */
#include "daemon/net/clock_step.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/net/now.h"

enum { EVERY_MS = 1000, STEP_US = 500000 };

struct clock_step {
	uv_timer_t timer;
	int64_t ahead_us;      /* Wall clock before the monotonic one */
	void (*step)(int64_t delta_us, void *arg);
	void *arg;
};

/* Both at one instant: what lies between the readings could look like a
   step on a busy machine. */
static int64_t ahead_us(void)
{
	int64_t best = 0;
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		const uint64_t before = uv_hrtime() / 1000;
		const uint64_t wall = now_wall_us();
		const uint64_t took = uv_hrtime() / 1000 - before;

		if (took < least) {
			least = took;
			best = (int64_t)(wall - before);
		}
	}
	return best;
}

static void on_timer(uv_timer_t *h)
{
	struct clock_step *c = h->data;
	const int64_t now = ahead_us();
	const int64_t delta = now - c->ahead_us;

	c->ahead_us = now;
	if (delta >= STEP_US || delta <= -STEP_US)
		c->step(delta, c->arg);
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

int clock_step_open(struct clock_step **out, uv_loop_t *loop,
		    void (*step)(int64_t delta_us, void *arg), void *arg)
{
	struct clock_step *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct clock_step){ .ahead_us = ahead_us(), .step = step,
				  .arg = arg };
	c->timer.data = c;
	uv_timer_init(loop, &c->timer);
	uv_timer_start(&c->timer, on_timer, EVERY_MS, EVERY_MS);
	uv_unref((uv_handle_t *)&c->timer);
	*out = c;
	return 0;
}

void clock_step_close(struct clock_step *c)
{
	if (c && !uv_is_closing((uv_handle_t *)&c->timer))
		uv_close((uv_handle_t *)&c->timer, on_closed);
}
