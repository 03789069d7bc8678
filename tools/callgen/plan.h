/**
 * @file plan.h  Which packets one leg sends, and when: all of it follows from a seed
 *
 * Pure: time runs from 0, the leg's first packet.  A packet is made for each
 * frame in turn, then things happen to it: it is lost, late, sent twice.  The
 * first four packets, the last one, and three at both sides of a break stay
 * whole, so that it is certain where a receiver's timeline begins (it may learn
 * its sender from four in order), ends and breaks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/callgen/account.h"
#include "tools/callgen/chance.h"

enum {
	PLAN_START = 4,         /**< Packets that stay whole at the beginning */
	PLAN_CALM = 3,          /**< ... and at each side of a break */
	PLAN_DIGITS_MAX = 32,
	PLAN_CN = 13,           /**< Payload types: RFC 3389 ... */
	PLAN_EVENT = 101,       /**< ... and as everyone numbers RFC 4733 */
	PLAN_EVENT_MS = 100,    /**< A digit's length, and the pause behind it */
	PLAN_CN_MS = 200,       /**< Between comfort noise packets */
};

/** Chances are parts of a million; frames count from 0. */
struct plan_options {
	enum law law;
	unsigned frame;         /**< Samples of a packet, 80 .. 480 */
	uint64_t frames;        /**< At least 1 */
	size_t offset;          /**< In the sound, of the first */
	uint32_t loss;
	unsigned burst;         /**< 0: each packet alone; else the mean length
				     of a burst (Gilbert) */
	uint32_t reorder;
	unsigned reorder_by;    /**< Packets that overtake it */
	uint32_t duplicate;
	uint32_t spoof;         /**< Packets of another sender beside ours */
	uint64_t jitter_us;     /**< Most delay; keeps the order */
	uint64_t ssrc_at;       /**< Frame with a new SSRC; 0: none */
	uint64_t jump_at;       /**< Frame where the timestamp jumps; 0: none */
	int64_t jump;           /**< [ticks] */
	unsigned talk, quiet;   /**< Frames in turn; quiet 0: no pauses */
	bool cn;                /**< Comfort noise in the pauses */
	char digits[PLAN_DIGITS_MAX + 1];
	uint64_t digits_at;
	uint64_t hold_at, hold; /**< From this frame, for so many; 0: none */
	int64_t first_seq;      /**< -1: by chance */
	int64_t first_ts;
};

enum plan_kind { PLAN_AUDIO, PLAN_COMFORT, PLAN_DIGIT, PLAN_SPOOF };

struct plan_packet {
	uint64_t due_us;
	enum plan_kind kind;
	bool marker;
	bool copy;              /**< Sent once already */
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	size_t offset, len;     /**< In the sound's code: AUDIO, SPOOF */
	uint8_t body[4];        /**< Of the others, `len` bytes */
};

/** Packets. */
struct plan_counts {
	uint64_t audio, comfort, digit, spoof; /**< Handed out, no copies */
	uint64_t lost, reordered, duplicate;
};

/** Read the first ones at the end; the rest is private. */
struct plan {
	struct plan_options o;
	struct account account;
	struct plan_counts counts;
	uint32_t ssrcs[2];       /**< The first and the last */
	struct chance chance;
	uint64_t next;           /* frame not yet made */
	uint64_t last_us;        /* due time of the last one in order */
	uint32_t ts_base;
	uint16_t seq;
	bool in_burst, spoke;
	struct plan_packet *wait;
	size_t n_wait, size_wait;
};

/** @param sound Must outlive it.  @param n Which leg of the seed this is */
void plan_init(struct plan *p, const struct plan_options *o,
	       const struct sound *sound, uint64_t seed, uint64_t n);
void plan_free(struct plan *p);
/** The next packet in order of time.  @return false: no more */
bool plan_next(struct plan *p, struct plan_packet *out);
/** The header on the wire (RFC 3550 section 5.1). */
enum { PLAN_HEADER = 12 };
void plan_header(uint8_t out[PLAN_HEADER], const struct plan_packet *p);

/** Is frame `f` within a hold? */
static inline bool plan_holds(const struct plan_options *o, uint64_t f)
{
	return f >= o->hold_at && f < o->hold_at + o->hold;
}
