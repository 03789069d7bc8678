/** @file race.c  TCP to whichever of a host's addresses answers first */
#include "daemon/net/race.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/net/stream.h"
#include "daemon/net/timer.h"

struct attempt {
	struct race *race;
	struct stream *stream; /* NULL: not begun, failed or won */
};

struct race {
	uv_loop_t *loop;
	struct timer_once *timer;
	race_fn *fn;
	void *arg;
	struct addr to[RACE_MAX];
	struct attempt attempt[RACE_MAX];
	size_t n, begun, failed;
	uint32_t timeout_ms, next_ms;
	struct reason first;   /* why the first address failed */
};

void race_order(struct addr *a, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		size_t k = i;

		while (k < n && a[k].family == a[i - 1].family)
			k++;
		if (k == n)
			return; /* one family is left */

		const struct addr other = a[k];

		memmove(&a[i + 1], &a[i], (k - i) * sizeof(*a));
		a[i] = other;
	}
}

static void drop_all(struct race *r)
{
	for (size_t i = 0; i < r->begun; i++) {
		stream_close(r->attempt[i].stream);
		r->attempt[i].stream = NULL;
	}
	timer_once_stop(r->timer);
}

static void on_open(void *arg)
{
	struct attempt *a = arg;
	struct race *r = a->race;
	struct stream *winner = a->stream;

	a->stream = NULL;
	drop_all(r);
	r->fn(winner, NULL, r->arg);
}

static void nobody(struct race *r)
{
	struct reason why = r->first;

	timer_once_stop(r->timer);
	if (r->n > 1)
		reason_set(&why, REASON_TCP, 0, "%.150s; %zu more tried",
			   r->first.text, r->n - 1);
	r->fn(NULL, &why, r->arg);
}

static void next(struct race *r);

static void lost(struct race *r, const struct attempt *a,
		 const struct reason *why)
{
	if (a == &r->attempt[0])
		r->first = *why;
	if (++r->failed == r->n)
		nobody(r);
	else if (r->begun < r->n)
		next(r);
}

static void on_closed(const struct reason *why, void *arg)
{
	struct attempt *a = arg;

	stream_close(a->stream);
	a->stream = NULL;
	lost(a->race, a, why);
}

static void next(struct race *r)
{
	static const struct stream_cb cb = { .open = on_open,
					     .closed = on_closed };
	struct attempt *a = &r->attempt[r->begun];
	struct reason why;

	a->race = r;
	if (r->begun + 1 < r->n)
		timer_once_start(r->timer, r->next_ms);
	else
		timer_once_stop(r->timer);
	if (!stream_connect(&a->stream, r->loop, &r->to[r->begun++],
			    r->timeout_ms, &cb, a))
		return;
	reason_set(&why, REASON_TCP, 0, "no socket or no memory left on this "
		   "host");
	lost(r, a, &why);
}

static void on_time(void *arg)
{
	next(arg);
}

int race_open(struct race **out, uv_loop_t *loop, const struct race_options *o,
	      race_fn *fn, void *arg)
{
	struct race *r;

	if (o->n == 0)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r || timer_once_open(&r->timer, loop, on_time, r)) {
		free(r);
		return -ENOMEM;
	}
	r->loop = loop;
	r->fn = fn;
	r->arg = arg;
	r->n = MIN(o->n, (size_t)RACE_MAX);
	memcpy(r->to, o->to, r->n * sizeof(*r->to));
	race_order(r->to, r->n);
	r->timeout_ms = o->timeout_ms;
	r->next_ms = o->next_ms ? o->next_ms : RACE_NEXT_MS;
	timer_once_start(r->timer, 0); /* never back before we return */
	*out = r;
	return 0;
}

void race_close(struct race *r)
{
	if (!r)
		return;
	drop_all(r);
	timer_once_close(r->timer);
	free(r);
}
