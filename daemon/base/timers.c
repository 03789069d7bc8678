/** @file timers.c  Deadlines on a clock that somebody else moves */
#include "daemon/base/timers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct timers {
	struct timer **heap;
	size_t n;
	size_t size;
	uint64_t now_us;
	uint64_t armed; /* counts arming, for equal times */
};

int timers_new(struct timers **out)
{
	struct timers *ts = calloc(1, sizeof(*ts));

	if (!ts)
		return -ENOMEM;
	*out = ts;
	return 0;
}

void timers_free(struct timers *ts)
{
	if (!ts)
		return;
	for (size_t i = 0; i < ts->n; i++)
		ts->heap[i]->slot = 0;
	free(ts->heap);
	free(ts);
}

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us
				    : a->order < b->order;
}

static void place(struct timers *ts, size_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void rise(struct timers *ts, size_t i, struct timer *t)
{
	while (i > 0 && before(t, ts->heap[(i - 1) / 2])) {
		place(ts, i, ts->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sink(struct timers *ts, size_t i, struct timer *t)
{
	for (size_t kid; (kid = 2 * i + 1) < ts->n; i = kid) {
		if (kid + 1 < ts->n && before(ts->heap[kid + 1], ts->heap[kid]))
			kid++;
		if (!before(ts->heap[kid], t))
			break;
		place(ts, i, ts->heap[kid]);
	}
	place(ts, i, t);
}

void timers_disarm(struct timers *ts, struct timer *t)
{
	if (!t->slot)
		return;

	const size_t i = t->slot - 1;
	struct timer *last = ts->heap[--ts->n];

	t->slot = 0;
	if (last == t)
		return;
	if (i > 0 && before(last, ts->heap[(i - 1) / 2]))
		rise(ts, i, last);
	else
		sink(ts, i, last);
}

int timers_arm(struct timers *ts, struct timer *t, uint64_t at_us)
{
	if (t->slot && t->at_us == at_us)
		return 0;
	timers_disarm(ts, t);
	if (ts->n == ts->size) {
		const size_t size = ts->size ? ts->size * 2 : 64;
		struct timer **heap = realloc(ts->heap, size * sizeof(*heap));

		if (!heap)
			return -ENOMEM;
		ts->heap = heap;
		ts->size = size;
	}
	t->at_us = at_us;
	t->order = ++ts->armed;
	rise(ts, ts->n++, t);
	return 0;
}

uint64_t timers_next_us(const struct timers *ts)
{
	return ts->n ? ts->heap[0]->at_us : UINT64_MAX;
}

uint64_t timers_now_us(const struct timers *ts)
{
	return ts->now_us;
}

void timers_run(struct timers *ts, uint64_t now_us)
{
	while (ts->n && ts->heap[0]->at_us <= now_us) {
		struct timer *t = ts->heap[0];

		if (t->at_us > ts->now_us)
			ts->now_us = t->at_us;
		timers_disarm(ts, t);
		t->due(t, ts->now_us);
	}
	if (now_us > ts->now_us)
		ts->now_us = now_us;
}
