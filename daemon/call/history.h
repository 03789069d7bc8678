/** @file history.h  What became of a leg's connections: the last of it, for people */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/reason.h"

enum { HISTORY = 12, HISTORY_NOTE = 16 };

struct history_item {
	uint64_t at_us;          /**< Media clock */
	const char *state;       /**< A word of INTERFACES' list; static */
	char note[HISTORY_NOTE]; /**< "no_results" ..., as it stayed; "" */
	struct reason why;       /**< Class REASON_NONE: none was given */
};

/** A ring; `{0}` to begin. */
struct history {
	struct history_item items[HISTORY];
	uint64_t n;              /**< Ever */
};

/** @param note,why NULL: none */
void history_add(struct history *h, uint64_t at_us, const char *state,
		 const char *note, const struct reason *why);
/** The i-th of those kept, oldest first; NULL: there are no more. */
const struct history_item *history_at(const struct history *h, size_t i);
/** Why it was worse than it should be, the latest time; NULL: never. */
const struct history_item *history_trouble(const struct history *h);
