/**
 * @file latest.h  The latest partial of each leg, for readers at the tail
 *
 * One table for all: a reader remembers the version it saw, and a slow one
 * finds only what still holds when it comes back.  A partial goes when its
 * segment gets a durable event, so none is ever delivered after what
 * supersedes it.  `speech` is kept beside, the latest of each leg.  Bounded;
 * when full the oldest goes (partials are best effort).  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/pub/journal.h"

struct latest;

/** @param max Bytes of all lines together.  @return 0 or -ENOMEM */
int latest_new(struct latest **out, size_t max);
void latest_free(struct latest *t);
/** Every event of the journal, in order. */
void latest_put(struct latest *t, const struct journal_line *l,
		const struct event *e);
/** Version of the newest; rises with each. */
uint64_t latest_version(const struct latest *t);
/**
 * Tell those that are newer than `version`, oldest first.
 *
 * @param tell `l->seq` is 0; `l` is borrowed; false: no more
 *
 * @return the version of the last one for which it said true, or `version`
 */
uint64_t latest_each(const struct latest *t, uint64_t version,
		     bool (*tell)(const struct journal_line *l, void *arg),
		     void *arg);
void latest_clear(struct latest *t);
