/**
 * @file segments.h  Segments that a service overwrites by their numbers
 *
 * For services whose messages say "segment 7 is now this", again and again,
 * and of which a segment is final only by what is said of its words, or by
 * nothing at all.  Keeps what is open, closes it in the service's place when
 * asked to (marked as synthesised), tells revisions of what was closed and
 * retractions of what the service dropped.  A number that was retracted and
 * comes again is another segment: key "7.1".
 *
 * Bounded: of more than SEGMENTS_OPEN open ones the lowest is closed, of more
 * than SEGMENTS_KNOWN the lowest is forgotten, and what comes for numbers so
 * old is ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"

enum { SEGMENTS_KNOWN = 32, SEGMENTS_OPEN = 8 };

enum segment_standing {
	SEGMENT_IS_OPEN,
	SEGMENT_IS_CLOSED,          /**< By us */
	SEGMENT_IS_FINAL,           /**< The service said so */
};

struct segment {
	int64_t id;
	char key[48];
	enum segment_standing standing;
	bool quiet;                 /**< Was closed before: no partials */
	bool judged;                /**< As segment_said */
	uint64_t text;              /**< Mark of it */
	uint64_t changed_us;
	struct asr_result *kept;    /**< Of an open one; NULL: no memory */
};

/** Zeroed: none. */
struct segments {
	struct segment all[SEGMENTS_KNOWN]; /**< Ids rising */
	size_t n;
	int64_t forgotten;          /**< Ids below were dropped */
	int64_t retracted;          /**< Ids below may have been */
	unsigned retractions;
};

/** What a message says of one segment. */
struct segment_said {
	struct asr_result r;        /**< State and key are set here */
	bool judged;                /**< It says whether this is final */
	bool final;
};

/** @param id 0 or more; @param said An empty text retracts the segment */
void segments_said(struct segments *s, int64_t id, struct segment_said *said,
		   uint64_t now_us, const struct asr_sink *sink);

/** Retract what lies above `highest` and was not called final. */
void segments_shrink(struct segments *s, int64_t highest,
		     const struct asr_sink *sink);

/** Close what lies below a final one, and, where nobody judges, what lies
 * below `highest` or any other. */
void segments_close_passed(struct segments *s, int64_t highest,
			   const struct asr_sink *sink);

/** Close what nobody judges and has not changed for so long. */
void segments_close_unchanged(struct segments *s, uint64_t now_us,
			      uint64_t patience_us, const struct asr_sink *sink);

void segments_close_all(struct segments *s, const struct asr_sink *sink);

void segments_free(struct segments *s);
