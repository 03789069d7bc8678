/**
 * @file reorder.h  The reorder window of one RTP stream
 *
 *    reorder_put()                                      reorder_next()
 *    any order, twice -->  | 7 | 8 |   | 10 |  -->   7, 8, 10 (1 missing)
 *
 * A packet in order is ready at once and not copied.  One behind a hole is
 * copied and waits for the missing ones: `window_us` from the arrival of the
 * packet that showed the hole, or until the slots are full.  What comes before
 * the first packet of a sequence is waited for in the same way, so a first
 * pair that was swapped on its way is put right.
 *
 * Which numbers are believed (RFC 3550 A.1): up to MAX_DROPOUT ahead of the
 * next one expected: a hole; up to MAX_MISORDER behind: late or twice.  All
 * else is a jump, believed when the very next number follows it before the old
 * sequence goes on; both packets are kept, and what was held comes out first.
 *
 * Decisions are taken at the arrival times, whenever the caller looks: the
 * same packets give the same order.  No memory is taken per packet, and no
 * loop runs over more than the slots.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/media/rtp.h"

enum {
	REORDER_SLOTS = 32,          /**< Packets that can wait */
	REORDER_PAYLOAD_MAX = 1500,  /**< [bytes] of one */
	MAX_DROPOUT = 3000,          /**< RFC 3550 A.1 */
	MAX_MISORDER = 100,
};

/** How a packet joins the one before it. */
enum reorder_joint {
	REORDER_FOLLOWS, /**< `missing` numbers lie between them */
	REORDER_JUMP,    /**< The sequence starts again; `missing`: how far
			      ahead, 0 when that was backward */
	REORDER_SSRC,    /**< First of another SSRC, or of all */
};

struct reorder_packet {
	struct rtp h;
	uint8_t kind;            /**< The caller's, handed through */
	enum reorder_joint joint;
	uint32_t missing;        /**< Sequence numbers given up before it */
	uint64_t at_us;
};

struct reorder_slot {
	struct reorder_packet p;
	int16_t next;
};

/** A list of slots, -1: none. */
struct reorder_list {
	int16_t head;
	int16_t tail;
};

/** Private but for the counters. */
struct reorder {
	/* looked at for every packet */
	bool running;            /* `next` is known for good */
	bool idle;               /* nothing is held, ready or suspected */
	bool pending;            /* `direct` holds a packet */
	enum reorder_joint joint; /* of the next packet that gets ready */
	uint16_t next;           /* lowest number not yet ready */
	uint32_t ssrc;
	uint32_t window_us;
	uint64_t got[2];         /* which of the last 128 numbers came */
	uint32_t span;           /* numbers behind `next`, at most 128 */
	struct reorder_packet direct; /* its `missing` is always 0 */

	/* looked at when something waits */
	bool started;
	struct reorder_list ready; /* to be taken, in order */
	struct reorder_list held;  /* behind a hole, by number */
	struct reorder_list free;
	int16_t suspect;         /* a jump not yet believed */
	int16_t lent;            /* handed out last */
	uint64_t since_us;       /* first arrival among the held */
	struct reorder_slot slot[REORDER_SLOTS];
	uint8_t *bytes;          /* REORDER_SLOTS * REORDER_PAYLOAD_MAX */

	/* counters [packets] */
	uint64_t received;       /**< Distinct numbers, in order or not */
	uint64_t lost;           /**< Given up and not come late either */
	uint64_t late;
	uint64_t duplicate;
	uint64_t reordered;
};

/** @return 0 or -ENOMEM */
int reorder_init(struct reorder *q, uint32_t window_us);
void reorder_close(struct reorder *q);

/**
 * @param h Payload at most REORDER_PAYLOAD_MAX.  It is borrowed until
 *          reorder_next() returned 0, or copied
 * @param at_us Arrival, never going back
 *
 * @return 0, -EALREADY, -ETIMEDOUT, or -ENOBUFS: the caller did not take what
 *         was ready
 */
int reorder_put(struct reorder *q, const struct rtp *h, uint8_t kind,
		uint64_t at_us);

/**
 * Take the next packet; its payload stays until the next call.
 *
 * @return 1 or 0
 */
int reorder_next(struct reorder *q, struct reorder_packet *out,
		 uint64_t now_us);

/** When a hole will be given up [us]; UINT64_MAX: none. */
uint64_t reorder_deadline_us(const struct reorder *q);

/** Give up every hole now. */
void reorder_flush(struct reorder *q);

/** Keep what is ready although its datagram goes away.  reorder_put() does it
 * by itself. */
void reorder_keep_ready(struct reorder *q);

/**
 * Keep what was handed out last although its datagram goes away: copies the
 * payload unless it is ours already.
 *
 * @param data Moved to the copy
 *
 * @return 0 or -ENOBUFS
 */
int reorder_keep(struct reorder *q, const uint8_t **data, size_t len);
