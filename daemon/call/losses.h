/**
 * @file losses.h  What of a leg's timeline nobody heard
 *
 * Network loss and audio that was given up, as intervals, for the `coverage`
 * of segments; and network loss gathered into `gap` events: holes less than
 * 1 s apart are told as one.  Bounded: the oldest intervals are forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"

enum { LOSSES_KEPT = 1024, LOSSES_SPANS = 64, LOSSES_APART = 8000 };

/** `{0}` to begin; losses_free() at the end. */
struct losses {
	struct event_span *kept; /* rising, not touching; oldest first */
	size_t n, size;
	struct event_span group[LOSSES_SPANS];
	size_t n_group;
};

/** [start, end) was lost; in any order, overlaps count once. */
void losses_add(struct losses *l, uint64_t start, uint64_t end);
/** The first interval that ends behind `pos`.  @return false: none does */
bool losses_behind(const struct losses *l, uint64_t pos, struct event_span *out);
/** How much of [start, end) was lost [samples]. */
uint64_t losses_within(const struct losses *l, uint64_t start, uint64_t end);

/**
 * [start, end) is a network loss: gather it.
 *
 * @return true when the group so far has to be published first (losses_group)
 */
bool losses_gather(struct losses *l, uint64_t start, uint64_t end);
/** Has the timeline gone on for so long that the group is complete? */
bool losses_due(const struct losses *l, uint64_t pos);
/** The group's spans; then begin a new one with losses_group_done(). */
size_t losses_group(const struct losses *l, const struct event_span **spans);
void losses_group_done(struct losses *l);

void losses_free(struct losses *l);
