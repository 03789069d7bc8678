/** @file clock.c  The media clock of a live daemon */
#include "daemon/net/clock.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/array.h"

enum { SLEEP_MAX_MS = 60000 };

struct clock_live {
	struct timers *timers;
	uint64_t zero_us;      /* wall clock when the monotonic one stood at 0 */
	uv_timer_t timer;      /* until the next deadline */
	uv_prepare_t prepare;  /* before each poll: has that changed? */
	int handles;
};

static uint64_t now_us(const struct clock_live *c)
{
	return c->zero_us + uv_hrtime() / 1000;
}

uint64_t clock_live_run(struct clock_live *c)
{
	const uint64_t now = now_us(c);

	timers_run(c->timers, now);
	return now;
}

static void on_timer(uv_timer_t *h)
{
	clock_live_run(h->data);
}

static void on_prepare(uv_prepare_t *h)
{
	struct clock_live *c = h->data;
	const uint64_t now = clock_live_run(c);
	const uint64_t next = timers_next_us(c->timers);
	const uint64_t ms = next > now ? (next - now + 999) / 1000 : 0;

	uv_timer_start(&c->timer, on_timer, MIN(ms, (uint64_t)SLEEP_MAX_MS),
		       0);
}

static void on_closed(uv_handle_t *h)
{
	struct clock_live *c = h->data;

	if (--c->handles == 0)
		free(c);
}

int clock_live_open(struct clock_live **out, uv_loop_t *loop,
		    struct timers *timers)
{
	struct clock_live *c = calloc(1, sizeof(*c));
	uv_timeval64_t wall;

	if (!c)
		return -ENOMEM;
	uv_gettimeofday(&wall);
	c->timers = timers;
	c->zero_us = (uint64_t)wall.tv_sec * 1000000 + (uint64_t)wall.tv_usec -
		     uv_hrtime() / 1000;
	c->handles = 2;
	uv_timer_init(loop, &c->timer);
	uv_prepare_init(loop, &c->prepare);
	c->timer.data = c->prepare.data = c;
	uv_prepare_start(&c->prepare, on_prepare);
	/* it is others that keep the loop alive */
	uv_unref((uv_handle_t *)&c->timer);
	uv_unref((uv_handle_t *)&c->prepare);
	clock_live_run(c);
	*out = c;
	return 0;
}

void clock_live_close(struct clock_live *c)
{
	if (!c || uv_is_closing((uv_handle_t *)&c->timer))
		return;
	uv_close((uv_handle_t *)&c->timer, on_closed);
	uv_close((uv_handle_t *)&c->prepare, on_closed);
}
