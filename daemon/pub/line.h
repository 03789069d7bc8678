/**
 * @file line.h  An event -> one line of JSON (INTERFACES section 3)
 *
 * Milliseconds are samples / 8 rounded down, except where two of them must add
 * up to a third: `sent_ms` = received_ms - lost_ms - paused_ms, and a
 * segment's `heard_ms` = end_ms - start_ms - lost_ms.  What is unknown is left
 * out; only a segment's `text` may be the empty string, when that is what the
 * service said.
 *
 * A line never exceeds LINE_MAX_BYTES whatever is handed in: words, ids, spans
 * and inserted silences that do not fit are left out and counted
 * (`words_omitted` ...), a text over LINE_TEXT_MAX is cut (`text_omitted`
 * [bytes]), other strings are cut at LINE_STRING_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/event.h"

enum {
	LINE_MAX_BYTES = 256 * 1024, /**< With its line feed */
	LINE_TEXT_MAX = 64 * 1024,
	LINE_STRING_MAX = 1024,
};

/** Has it a `seq`?  Partial segments and `speech` do not. */
bool line_durable(const struct event *e);

/** "call.start" ...; "daemon" for all EVENT_DAEMON. */
const char *line_type_name(enum event_type type);

/**
 * Append the line and its line feed.
 *
 * @param seq 0: the event has none
 *
 * @return 0 or -ENOMEM, then `out` ends where it ended before
 */
int line_print(struct buf *out, const struct event *e, uint64_t seq);
