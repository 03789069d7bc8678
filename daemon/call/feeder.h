/**
 * @file feeder.h  From the backlog to the chunks one connection gets
 *
 * Reads spans, decodes them, fills holes with silence (at most 5 s of each, and
 * less by what was put in while they grew; the rest is skipped), skips what was
 * paused, puts
 * keep-alive silence in where it is told to, and keeps the connection's map.
 * One feeder a connection: it begins anew at the position that was settled.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/call/backlog.h"
#include "daemon/call/positions.h"

enum {
	FEEDER_HOLE_MAX = 5 * 8000, /**< Of one hole as silence [samples], with
				         what keep-alive put in before it ... */
	FEEDER_HOLE_LEAST = 160,    /**< ... but so much in any case */
	FEEDER_CODES_MAX = 4000,    /**< Of one chunk in a law [samples] */
};

/** What became of the leg's samples in one chunk. */
struct feeder_taken {
	uint64_t upto;       /**< Leg position behind the last of them */
	uint64_t fresh;      /**< Received samples never sent before */
	uint64_t again;      /**< Received samples sent once more */
	uint64_t concealed;  /**< Samples of concealment, sent first time */
	uint64_t at_us;      /**< Arrival of the last audio in it; 0: none */
};

/** A hole too long to be sent whole. */
struct feeder_skip {
	uint64_t at;         /**< Leg position where sending stopped */
	uint64_t skipped;    /**< [samples] */
};

struct feeder;

/**
 * @param from Leg position to begin at
 * @param sent Leg position up to which audio was sent before: what lies below
 *             is sent again
 * @return 0 or -ENOMEM
 */
int feeder_new(struct feeder **out, const struct backlog *b, uint64_t from,
	       uint64_t sent);
void feeder_free(struct feeder *f);

/** Samples there are to send now, inserted silence included. */
uint64_t feeder_available(const struct feeder *f);
/** The backlog got another span, this one. */
void feeder_more(struct feeder *f, const struct span *s);
/** Put in `n` samples of silence, behind what the backlog holds now; while a
 * stretch of it waits to be taken, more joins it there. */
void feeder_insert(struct feeder *f, uint64_t n);

/**
 * Take exactly `n` samples, padded with inserted silence when there are fewer.
 *
 * @param skip Set (skipped > 0) when a hole was cut short on the way
 * @return 0 or -ENOMEM
 */
int feeder_take(struct feeder *f, int16_t *pcm, size_t n,
		struct feeder_taken *taken, struct feeder_skip *skip);

/**
 * The connection takes this law: what came in it is passed through as it came,
 * everything else is encoded.  Before the first feeder_take().
 *
 * @param law SPAN_PCMU or SPAN_PCMA
 */
void feeder_set_law(struct feeder *f, enum span_kind law);
/** The samples of the last feeder_take() in that law, one byte each; borrowed
 * until the next one. */
const uint8_t *feeder_codes(const struct feeder *f);

/** Number of the span it reads: what is older may be dropped unnoticed. */
uint64_t feeder_span(const struct feeder *f);
/** Leg position of the next sample it would take. */
uint64_t feeder_position(const struct feeder *f);
/** The backlog dropped what it had not read, or not to its end: go on at its
 * oldest span. */
void feeder_overtaken(struct feeder *f);

const struct positions *feeder_map(const struct feeder *f);
