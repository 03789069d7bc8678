/**
 * @file tcp_streams.h  TCP segments of a capture into bytes in order
 *
 * Follows connections on SIP's port 5060 from wherever the capture begins, and
 * any other from the first segment that looks like SIP.  At most 256; the one
 * that was silent longest makes room.  A direction is a `slot`: its bytes come
 * in order, each once, and where the capture lacks some it says so.  Pure:
 * time is an argument.
 *
 * How to use it: after every tcp_streams_feed(), call tcp_streams_next() until
 * it returns 0; after tcp_streams_tick() at the latest when the next segment
 * has been fed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/net/decap.h"

enum { TCP_CONNECTIONS_MAX = 256, TCP_SLOTS = 2 * TCP_CONNECTIONS_MAX };

struct tcp_streams;

enum tcp_event_kind {
	TCP_BYTES,  /**< The next bytes of this direction */
	TCP_LOST,   /**< Bytes are missing here: begin anew */
	TCP_END,    /**< Nothing more comes; the slot may be used again */
};

/** Borrowed until the next call with this object or the next decap_feed(). */
struct tcp_event {
	enum tcp_event_kind kind;
	unsigned slot;           /**< 0..TCP_SLOTS - 1: a direction */
	struct addr from, to;
	const uint8_t *data;     /**< TCP_BYTES */
	size_t len;
};

int tcp_streams_new(struct tcp_streams **out);
void tcp_streams_free(struct tcp_streams *t);

/**
 * @param p A DECAP_TCP packet; others are ignored
 * @return 0, or -ENOMEM: the segment is lost
 */
int tcp_streams_feed(struct tcp_streams *t, const struct decap_packet *p,
		     uint64_t at_us);

/** Time goes on: gives up gaps after 2 s, silent connections after 600 s.
 * Costs nothing when called often. */
void tcp_streams_tick(struct tcp_streams *t, uint64_t now_us);

/** The capture is over: hand out what waits behind gaps, end everything. */
void tcp_streams_flush(struct tcp_streams *t);

/** @return 1, or 0: nothing more for now */
int tcp_streams_next(struct tcp_streams *t, struct tcp_event *out);

struct tcp_streams_stats {
	uint64_t segments;      /**< Of connections that are followed */
	uint64_t repeated;      /**< Nothing new in them */
	uint64_t out_of_order;
	uint64_t lost;          /**< Gaps given up */
	uint64_t evicted;       /**< Connections that had to make room */
};

void tcp_streams_stats(const struct tcp_streams *t,
		       struct tcp_streams_stats *out);
