/**
 * @file open_calls.h  Which calls and legs have begun and not ended
 *
 * Kept from the durable events, so that a start after a crash can close what
 * the crash left open: each leg by a `gap` of cause "restart" where audio went
 * without words, and `leg.end`; each call by `call.end`; reason "restart".
 *
 * What a leg had received is not in any event before its end.  It is taken to
 * have gone on until the last sign of life of the daemon: from `leg.media` by
 * the wall clock, at least up to the last position that an event named.
 *
 * Every segment of the journal begins with what was open (one state line for
 * each), so only the newest has to be read at a start.  Applying an event that
 * the state knows already changes nothing.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"

struct open_calls;

/** @return 0 or -ENOMEM */
int open_calls_new(struct open_calls **out);
void open_calls_free(struct open_calls *o);
/** A durable event.  Without memory it is as if it had not been told. */
void open_calls_event(struct open_calls *o, const struct event *e, uint64_t seq);
size_t open_calls_count(const struct open_calls *o);

/**
 * One line for each call and leg, calls before their legs.
 *
 * @param put `key` is the call's id; false: stop
 *
 * @return false: stopped, or no memory
 */
bool open_calls_print(const struct open_calls *o,
		      bool (*put)(const char *key, const char *line, size_t len,
				  void *arg),
		      void *arg);
/** @return 0, -EBADMSG or -ENOMEM */
int open_calls_restore(struct open_calls *o, const char *line, size_t len);

/**
 * Publish the end of all; none is open then.
 *
 * @param last_us Last sign of life of who left them open [wall clock]
 */
void open_calls_close(struct open_calls *o, uint64_t last_us, uint64_t now_us,
		      const struct event_sink *sink);
