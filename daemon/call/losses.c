/** @file losses.c  What of a leg's timeline nobody heard */
#include "daemon/call/losses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"

static int make_room(struct losses *l)
{
	if (l->n == LOSSES_KEPT) {
		l->n /= 2;
		memmove(l->kept, l->kept + l->n, l->n * sizeof(*l->kept));
	}
	if (l->n < l->size)
		return 0;

	const size_t size = l->size ? l->size * 2 : 8;
	struct event_span *kept = realloc(l->kept, size * sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	l->kept = kept;
	l->size = size;
	return 0;
}

void losses_add(struct losses *l, uint64_t start, uint64_t end)
{
	/* out of memory: coverage is then too kind, nothing worse */
	if (start >= end || make_room(l))
		return;

	/* [low, high) are those it touches: mostly none, or the last */
	size_t high = l->n;
	while (high > 0 && l->kept[high - 1].start > end)
		high--;
	size_t low = high;
	while (low > 0 && l->kept[low - 1].end >= start)
		low--;
	if (low < high) {
		start = MIN(start, l->kept[low].start);
		end = MAX(end, l->kept[high - 1].end);
	}
	memmove(l->kept + low + 1, l->kept + high,
		(l->n - high) * sizeof(*l->kept));
	l->n = l->n - (high - low) + 1;
	l->kept[low] = (struct event_span){ start, end };
}

bool losses_behind(const struct losses *l, uint64_t pos, struct event_span *out)
{
	size_t i = l->n;

	while (i > 0 && l->kept[i - 1].end > pos)
		i--;
	if (i == l->n)
		return false;
	*out = l->kept[i];
	return true;
}

uint64_t losses_within(const struct losses *l, uint64_t start, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = l->n; i-- > 0 && l->kept[i].end > start;) {
		const uint64_t from = MAX(l->kept[i].start, start);
		const uint64_t to = MIN(l->kept[i].end, end);

		sum += from < to ? to - from : 0;
	}
	return sum;
}

bool losses_due(const struct losses *l, uint64_t pos)
{
	return l->n_group && pos >= l->group[l->n_group - 1].end + LOSSES_APART;
}

bool losses_gather(struct losses *l, uint64_t start, uint64_t end)
{
	if (losses_due(l, start) || l->n_group == LOSSES_SPANS)
		return true;
	if (l->n_group && l->group[l->n_group - 1].end == start)
		l->group[l->n_group - 1].end = end;
	else
		l->group[l->n_group++] = (struct event_span){ start, end };
	return false;
}

size_t losses_group(const struct losses *l, const struct event_span **spans)
{
	*spans = l->group;
	return l->n_group;
}

void losses_group_done(struct losses *l)
{
	l->n_group = 0;
}

void losses_free(struct losses *l)
{
	free(l->kept);
	*l = (struct losses){0};
}
