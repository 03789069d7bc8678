/**
 * @file tcp_order.h  One direction of a TCP connection put in order
 *
 * Sequence numbers in, pieces out: each byte once, in order, or a hole.  Keeps
 * at most 64 segments and 64 KiB behind a hole, then gives the hole up.  What
 * two segments say differently about the same bytes: the first one counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/list.h"

/** A segment that waits behind a hole; its owner frees it with free(). */
struct tcp_held {
	struct list link;
	uint32_t seq;
	size_t len;       /**< Bytes present */
	size_t wire_len;
	uint8_t data[];
};

struct tcp_order {
	bool known;       /**< next and first hold */
	bool fin;         /**< fin_seq holds */
	uint32_t first;
	uint32_t next;    /**< Of the next byte to be handed out */
	uint32_t fin_seq;
	struct list held; /**< By seq */
	size_t n_held, bytes_held;
	uint64_t since_us;/**< Since when something is held */
};

/** A piece of the stream. Of `len` bytes, or a hole (data NULL). */
struct tcp_piece {
	const uint8_t *data;
	size_t len;
};

struct tcp_segment {
	uint32_t seq;
	const uint8_t *data;
	size_t len, wire_len;
};

enum tcp_verdict {
	TCP_NEXT,      /**< `out` is its new part */
	TCP_REPEATED,  /**< Nothing new */
	TCP_AHEAD,     /**< There is a hole before it: tcp_order_hold() */
	TCP_FAR,       /**< So far off that something else began */
};

void tcp_order_init(struct tcp_order *o);
/** Forget everything, free what is held. */
void tcp_order_reset(struct tcp_order *o);

/** The stream begins, or goes on after a hole, here. */
void tcp_order_begin(struct tcp_order *o, uint32_t seq);

/** Where does this segment stand?  Changes nothing but, when nothing was known
 * yet, where the stream begins. */
enum tcp_verdict tcp_order_judge(struct tcp_order *o,
				 const struct tcp_segment *in);

/**
 * Step over a segment judged TCP_NEXT.
 *
 * @param hole Set to the bytes behind `out` that the capture cut off
 */
void tcp_order_take(struct tcp_order *o, const struct tcp_segment *in,
		    struct tcp_piece *out, size_t *hole);

/** Room for `len` more bytes behind a hole? */
bool tcp_order_has_room(const struct tcp_order *o, size_t len);
/** Keep a copy of a segment judged TCP_AHEAD. @return 0 or -ENOMEM */
int tcp_order_hold(struct tcp_order *o, const struct tcp_segment *in,
		   uint64_t at_us);

/** The first held segment, or NULL. */
struct tcp_held *tcp_order_first(const struct tcp_order *o);
/** Take the first held segment out; the caller owns it. */
struct tcp_held *tcp_order_pop(struct tcp_order *o);
