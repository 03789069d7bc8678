/**
 * @file backlog.h  A leg's audio, as it came, until a transcript settled it
 *
 *     first ........ settled ........ sent ........ end
 *                    |<- kept to be sent again ->|
 *                                    |<- unsent ->|
 *
 * Spans over their undecoded bytes (G.711: one byte a sample).  Memory grows
 * as it is needed, up to the limit; nothing is allocated per packet in steady
 * state.  Over the limit the oldest audio goes, a span at a time, and is
 * reported; so it goes with spans beyond a number that audio never needs (a
 * hole may be as short as it likes).  Pure; one owner.
 *
 * A reader is a span's number (they count up from 0 for ever) kept by whoever
 * reads; backlog_span() tells when it was overtaken.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/call/span.h"

struct backlog;

/** @param limit Audio kept at most [samples].  @return 0 or -ENOMEM */
int backlog_new(struct backlog **out, uint64_t limit);
void backlog_free(struct backlog *b);

/**
 * Append; `s->pos` is where the last one ended.  The bytes are copied.
 *
 * @return 0 or -ENOMEM (nothing was appended)
 */
int backlog_put(struct backlog *b, const struct span *s);

/** Is more kept than the limit allows?  Then drop with backlog_drop(). */
int backlog_over(const struct backlog *b);
/** Take the oldest span out.  @return 1, or 0: empty */
int backlog_drop(struct backlog *b, struct span *out);

/** Number of the oldest span kept, and of the one to come. */
uint64_t backlog_first(const struct backlog *b);
uint64_t backlog_next(const struct backlog *b);

/**
 * The span numbered `n`; its bytes are borrowed until the next put or drop.
 *
 * @return 1, or 0 when n is not kept (any more, or yet)
 */
int backlog_span(const struct backlog *b, uint64_t n, struct span *out);

/** Number of the span that holds position `pos`, or of the first behind it. */
uint64_t backlog_find(const struct backlog *b, uint64_t pos);

/** Forget everything that ends at or before `pos`. */
void backlog_forget(struct backlog *b, uint64_t pos);

/** Where the next span begins [samples]. */
uint64_t backlog_end(const struct backlog *b);
