/**
 * @file receiver.h  One leg's RTP in, the leg's timeline out
 *
 *    packets, any order         receiver_put()      reorder window (60 ms)
 *    ------------------------->                     sequence -> position
 *    items in timeline order    receiver_next()     loss, DTX, jumps named
 *    <-------------------------
 *
 * The timeline counts samples at 8 kHz; 0 is the first sample of the first
 * accepted packet.  Every item begins where the one before ended: positions
 * have no holes that are not named.  A packet in order comes out at once, the
 * window only ever holds what waits for a missing one.  The beginning (and
 * that of a new SSRC) is such a wait, too: what comes before the first packet
 * is put in its place for as long.
 *
 * How a step in the RTP timestamp is judged (arrival step = arrival of this
 * packet - arrival of the one before it on the timeline); a timestamp that
 * continues where the last packet ended is no step, whenever it arrives:
 *  - forward, and timestamp step and arrival step differ by less than 1 s: a
 *    hole of the whole length.  With missing sequence numbers it is LOSS (at
 *    most missing * the last packet's length, the rest SILENCE, LOSS first);
 *    without any it is SILENCE (DTX, comfort noise, telephone-event, hold).
 *    Holes together may be 5 s ahead of the arrival clock (made good as time
 *    passes and audio comes): many small lies are not believed either.
 *  - anything else re-anchors: the packet goes where its arrival says (the end
 *    of the timeline, plus the arrival step less the last packet's length when
 *    that is more than the reorder window), with a DISCONTINUITY right before
 *    it, behind the LOSS and SILENCE of the hole.
 *  - a packet that would overlap what is already there re-anchors, too: what
 *    was received is never altered and never dropped.
 *
 * Packets without samples: comfort noise that fits moves the timeline up to its
 * timestamp (SILENCE as it goes on, not only when speech resumes); noise that
 * does not fit, telephone-event and unknown payload types take their sequence
 * numbers and no place.  A jump of the sequence that is believed (reorder.h) is
 * judged by timestamp alone; it is LOSS only when as many packets would fill
 * the hole.
 *
 * A sender whose timestamps never fit is re-anchored at each packet, but told
 * of at most once a second: DISCONTINUITYs of BREAK_TIMESTAMP and BREAK_CODEC
 * are 1 s apart by arrival; of BREAK_SSRC there are at most 8 in that time.
 *
 * Pure: arrival times are arguments, so a replayed capture takes the decisions
 * the live call took.  Memory is taken in receiver_new() and never grows.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/media/rtp.h"

struct receiver;

/** What a payload type means on this leg (SDP, or RFC 3551's static table). */
enum payload_kind {
	PAYLOAD_UNKNOWN,         /**< Counted, no place on the timeline; what
				      passes meanwhile is SILENCE */
	PAYLOAD_PCMU,
	PAYLOAD_PCMA,
	PAYLOAD_L16,             /**< 8 kHz, mono, network byte order */
	PAYLOAD_COMFORT_NOISE,   /**< RFC 3389: 13, and 19 of old */
	PAYLOAD_TELEPHONE_EVENT, /**< RFC 4733 */
	PAYLOAD_OTHER_CODEC,     /**< Audio we do not decode; as UNKNOWN */
};

struct receiver_config {
	uint8_t kind[128];   /**< enum payload_kind, by payload type */
	uint32_t window_us;  /**< Longest wait for a missing packet; 60,000 */
};

/** The static types: 0, 8, 13, 19; all else unknown; window 60 ms. */
void receiver_config_default(struct receiver_config *cfg);

enum media_kind {
	MEDIA_AUDIO,         /**< `len` samples as they came, in data */
	MEDIA_SILENCE,       /**< Nothing was sent: not a loss */
	MEDIA_LOSS,          /**< Was sent, did not arrive (or not whole) */
	MEDIA_DISCONTINUITY, /**< No length: what follows was re-anchored */
	MEDIA_DTMF,          /**< No length of its own on the timeline */
};

enum media_break { BREAK_SSRC, BREAK_TIMESTAMP, BREAK_CODEC };

struct media_item {
	enum media_kind kind;
	enum payload_kind payload; /**< AUDIO: PCMU, PCMA or L16 */
	enum media_break what;     /**< DISCONTINUITY */
	char digit;                /**< DTMF: 0-9 * # A-D, or '!' (flash) */
	uint64_t pos;              /**< [samples], where it begins */
	uint64_t len;              /**< [samples]; DTMF: its duration */
	uint64_t at_us;            /**< Arrival of the packet behind it */
	const uint8_t *data;       /**< AUDIO; borrowed until the next call on
					this receiver */
	size_t bytes;              /**< [bytes] in data */
};

/** Counters since receiver_new() [packets] unless said otherwise. */
struct receiver_stats {
	uint64_t packets;          /**< receiver_put() calls of a known kind,
					those refused included */
	uint64_t samples;          /**< Audio samples that took their place */
	uint64_t lost;             /**< RFC 3550 A.3: expected - received, but
					duplicates do not make good for it.
					What came late is not lost */
	uint64_t late;             /**< Their turn was over; or a jump that
					nothing followed */
	uint64_t duplicate;
	uint64_t reordered;        /**< Came after a higher number, in time */
	uint64_t unknown;          /**< Payload types of no known kind */
	uint64_t oversize;         /**< Payload above RTP_PAYLOAD_MAX */
	double jitter_ms;          /**< RFC 3550 A.8, at the end of the last
					packet */
	double mos;                /**< E-model, 1.0..4.5, listening quality;
					late ones were not heard either */
};

enum { RTP_PAYLOAD_MAX = 1500 }; /**< [bytes] of one G.711 packet: 187 ms */

/** @param cfg Copied.  @return 0, -EINVAL or -ENOMEM */
int receiver_new(struct receiver **out, const struct receiver_config *cfg);
void receiver_free(struct receiver *r);

/** New meanings of the payload types, from the next packet on. */
void receiver_set_kinds(struct receiver *r, const uint8_t kind[128]);

/**
 * One packet of this leg.  A change of SSRC is the caller's decision (see
 * source.h); the receiver re-anchors at it, with BREAK_SSRC.
 *
 * @param h A packet in order is not copied: its datagram stays until
 *          receiver_next() returned 0 (or the next receiver_put(), which
 *          copies what was not taken).  One that has to wait is copied
 * @param at_us Arrival [us], never going back (one that does counts as the
 *              latest so far)
 *
 * @return 0, -EALREADY (duplicate), -ETIMEDOUT (late), -ENOTSUP (unknown
 *         payload type), -EMSGSIZE; -ENOBUFS: some 30 packets were put and
 *         nothing taken.  Errors are counted and change nothing
 */
int receiver_put(struct receiver *r, const struct rtp *h, uint64_t at_us);

/**
 * What comes next on the timeline.  Call until it returns 0, after each
 * receiver_put() and when receiver_deadline_us() has come.
 *
 * @return 1 and an item, or 0: nothing (yet)
 */
int receiver_next(struct receiver *r, struct media_item *out, uint64_t now_us);

/** When a missing packet will be given up [us]; UINT64_MAX: none waited for */
uint64_t receiver_deadline_us(const struct receiver *r);

/** No more will come: what is held comes out of receiver_next() now. */
void receiver_flush(struct receiver *r);

/** Samples on the timeline so far: where the next item begins. */
uint64_t receiver_position(const struct receiver *r);

void receiver_stats(const struct receiver *r, struct receiver_stats *out);
