/** @file history.c  What became of a leg's connections: the last of it */
#include "daemon/call/history.h"

#include <stdio.h>

void history_add(struct history *h, uint64_t at_us, const char *state,
		 const char *note, const struct reason *why)
{
	struct history_item *i = &h->items[h->n++ % HISTORY];

	*i = (struct history_item){ .at_us = at_us, .state = state };
	if (note)
		snprintf(i->note, sizeof(i->note), "%s", note);
	if (why)
		i->why = *why;
}

const struct history_item *history_at(const struct history *h, size_t i)
{
	const uint64_t first = h->n > HISTORY ? h->n - HISTORY : 0;

	return first + i < h->n ? &h->items[(first + i) % HISTORY] : NULL;
}

const struct history_item *history_trouble(const struct history *h)
{
	const uint64_t first = h->n > HISTORY ? h->n - HISTORY : 0;

	for (uint64_t i = h->n; i-- > first;)
		if (h->items[i % HISTORY].why.class != REASON_NONE)
			return &h->items[i % HISTORY];
	return NULL;
}
