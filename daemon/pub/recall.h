/**
 * @file recall.h  A line of the journal -> what open_calls.h wants to know
 *
 * Of an event's fields only those: type, call, leg, role, and the positions
 * and causes.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"

/**
 * @param at_us Becomes `now_us` of the event
 * @param tell  The event is borrowed.  Not called for a line that is no event
 *              or one about no call
 *
 * @return 0, -EBADMSG or -ENOMEM
 */
int recall_line(const char *line, size_t len, uint64_t at_us,
		void (*tell)(const struct event *e, void *arg), void *arg);
