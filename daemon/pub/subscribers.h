/**
 * @file subscribers.h  The event socket (INTERFACES section 3)
 *
 * A subscriber is a cursor on the journal and at most SUBSCRIBER_OUT bytes on
 * their way to it; whoever is slower than the events falls behind, and when
 * the journal drops what it has not read it is told by `lost`.  Nothing waits
 * for it: lines are handed out from the loop, never from journal_emit().
 *
 * What a subscriber meets, beyond INTERFACES:
 *
 *    - Delivery begins when the client has chosen, or 0.1 to 0.2 s after the
 *      connect when it says nothing, with the event that `hello` named as
 *      `next`.  A choice that comes later and goes back is preceded by a
 *      second `hello`.
 *    - `heartbeat.next` is this subscriber's own position.
 *    - `from` "resume" with a name that is not known begins at the oldest.
 *    - After a `reset`: another epoch begins at the oldest, a number that is
 *      not there yet at the next one; a name that had seen what a crash of
 *      the machine took (journal_open_disk()) where numbers are given anew.
 *    - With `ack`: closed after 60 s in which events waited and neither an
 *      acknowledgement came nor a byte could be sent.
 *    - Closed after 10 bad lines, a line over 4 KiB or 100 lines a second;
 *      acknowledgements that move on do not count among those.
 *    - 64 connections, 16 of one user.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/buf.h"

enum { SUBSCRIBER_OUT = 256 * 1024, SUBSCRIBER_WINDOW = 1000 };

struct journal;
struct subscribers;

struct subscribers_options {
	const char *path;       /**< Of the socket */
	unsigned mode;          /**< 0660 */
	const char *group;      /**< NULL or "": as the process */
	uint32_t tick_ms;       /**< 0: 100; tests let time run faster: hold 1
				     to 2 ticks, heartbeat 50, stalled 600,
				     lines counted over 10 */
};

/**
 * @param j One that keeps lines; must outlive it
 * @param why On error: what is wrong and what to do
 *
 * @return 0 or -errno
 */
int subscribers_open(struct subscribers **out, uv_loop_t *loop,
		     struct journal *j, const struct subscribers_options *o,
		     struct buf *why);
/** Those connected get what their sockets still take, then `bye`; that ends
 * within 2 s of the loop.  NULL is fine. */
void subscribers_close(struct subscribers *all);

struct subscribers_stats {
	unsigned connected;
	uint64_t accepted, refused; /**< Refused: over the limits */
	uint64_t lost;              /**< Events announced as lost */
	uint64_t stalled, bad;      /**< Connections we closed, why */
};
void subscribers_stats(const struct subscribers *all,
		       struct subscribers_stats *out);

/**
 * Every name that is known, the one used longest ago first.
 *
 * @param tell `behind`: events that it has still to get (or to acknowledge);
 *             `here`: it is connected
 */
void subscribers_names(const struct subscribers *all,
		       void (*tell)(const char *name, uint64_t behind,
				    bool here, void *arg),
		       void *arg);
