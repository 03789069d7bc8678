/**
 * @file timeline.h  RTP timestamps -> positions on the leg's timeline
 *
 * Takes packets in sequence order and says where each one's samples lie, what
 * lies between them, and where the sender's clock was not believed.  The rules
 * are receiver.h's.  Nothing here loops over a hole: a span is a length.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/media/receiver.h"
#include "daemon/media/reorder.h"

enum {
	TIMELINE_HZ = 8000,
	TIMELINE_US = 125,             /**< [us] of one sample */
	TIMELINE_TRUST_US = 1000000,   /**< Timestamp and arrival may differ
					    by less than this */
	TIMELINE_AHEAD_US = 5000000,   /**< Holes may be ahead of the arrival
					    clock, all in all */
	TIMELINE_QUIET_US = 1000000,   /**< Between DISCONTINUITYs of a kind */
	TIMELINE_SSRCS = 8,            /**< BREAK_SSRC: as many within that */
	TIMELINE_ITEMS_MAX = 6,        /**< Of one packet: LOSS SILENCE
					    DISCONTINUITY*2 AUDIO LOSS */
};

struct timeline {
	bool started;
	bool new_ssrc;       /* re-anchor at the next audio packet */
	uint8_t codec;       /* enum payload_kind of the last audio */
	uint32_t window_us;
	uint32_t last_ts;    /* of the last packet that had a place ... */
	uint32_t end_ts;     /* ... and just behind it */
	uint32_t last_len;   /* samples of the last audio packet */
	uint64_t last_us;    /* arrival of it */
	uint64_t missing;    /* sequence numbers lost since then */
	uint64_t pos;        /* where the next item begins */
	uint64_t samples;    /* of AUDIO so far */
	uint64_t jump_lost;  /* packets lost in believed jumps */
	uint64_t ahead_us;   /* holes were ahead of the clock, at the last: */
	uint64_t hole_us;    /* its arrival ... */
	uint64_t hole_samples; /* ... and `samples` then */
	uint64_t told_us[3]; /* DISCONTINUITYs, by enum media_break: since ... */
	unsigned told[3];    /* ... then as many */
};

void timeline_init(struct timeline *t, uint32_t window_us);

/**
 * What joins this packet to the one before it.  For every packet in sequence
 * order, whatever its kind, so that it is known what was lost.
 */
void timeline_follow(struct timeline *t, const struct reorder_packet *p);

/**
 * The same packet's place.
 *
 * @param out Room for TIMELINE_ITEMS_MAX
 *
 * @return number of items; 0 for kinds without a place
 */
unsigned timeline_put(struct timeline *t, const struct reorder_packet *p,
		      struct media_item *out);

/**
 * Where a timestamp lies that no audio packet carries (a telephone-event's
 * beginning); by its arrival where the timestamp is not believable.
 */
uint64_t timeline_locate(const struct timeline *t, uint32_t ts,
			 uint64_t at_us);
