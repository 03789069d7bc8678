/** @file span.h  A stretch of a leg's timeline, as it came */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum span_kind {
	SPAN_PCMU,
	SPAN_PCMA,
	SPAN_L16,
	SPAN_SILENCE, /**< Nothing was sent (DTX, hold): not a loss */
	SPAN_LOSS,    /**< Was sent and did not arrive */
	SPAN_PAUSED,  /**< Nobody is to hear it: its length alone is known, and
			   not even silence stands for it */
};

/** One received packet, or one hole. */
struct span {
	uint64_t pos;        /**< On the leg's timeline [samples] */
	uint64_t len;        /**< [samples]; a hole may be hours */
	uint64_t at_us;      /**< Arrival of the packet; a hole: of what
				  followed it */
	const uint8_t *data; /**< As it came; NULL for a hole */
	enum span_kind kind;
};

static inline int span_is_audio(const struct span *s)
{
	return s->kind <= SPAN_L16;
}

/** Payload bytes behind it. */
static inline size_t span_bytes(const struct span *s)
{
	return !span_is_audio(s) ? 0
				 : (size_t)s->len * (s->kind == SPAN_L16 ? 2 : 1);
}
