/** @file timer.c  A one-shot timer of the loop */
#include "daemon/net/timer.h"

#include <errno.h>
#include <stdlib.h>

struct timer_once {
	uv_timer_t handle;
	timer_once_fn *fn;
	void *arg;
};

static void on_timer(uv_timer_t *h)
{
	struct timer_once *t = h->data;

	t->fn(t->arg); /* may close t: last line */
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

int timer_once_open(struct timer_once **out, uv_loop_t *loop, timer_once_fn *fn,
		    void *arg)
{
	struct timer_once *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fn = fn;
	t->arg = arg;
	t->handle.data = t;

	const int err = uv_timer_init(loop, &t->handle);
	if (err) {
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

void timer_once_start(struct timer_once *t, uint64_t ms)
{
	uv_timer_start(&t->handle, on_timer, ms, 0);
}

void timer_once_stop(struct timer_once *t)
{
	uv_timer_stop(&t->handle);
}

void timer_once_close(struct timer_once *t)
{
	if (t && !uv_is_closing((uv_handle_t *)&t->handle))
		uv_close((uv_handle_t *)&t->handle, on_closed);
}
