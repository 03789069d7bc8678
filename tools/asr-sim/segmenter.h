/**
 * @file segmenter.h  Where the simulator ends its segments
 *
 * Segments tile the audio: each begins where the last one ended.  One ends
 * when a pause follows speech, or after 8 s.  Loudness is judged in blocks of
 * 10 ms counted from the connection's first sample, and a segment ends only
 * between blocks: so it depends on the samples alone, never on how they were
 * cut into messages.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SEGMENTER_PAUSE_MS = 300,  /**< Where a service names no pause */
	SEGMENTER_MAX_MS = 8000,
	SEGMENTER_LOUD = 256,      /**< Mean of |sample| that is speech */
	SEGMENTER_MARKS = 256,
};

struct segmenter {
	uint32_t rate_hz;
	uint32_t block;        /**< Samples in 10 ms */
	uint32_t pause;        /**< Blocks */
	uint64_t position;     /**< Samples so far */
	/* the open segment */
	uint64_t first;        /**< Its first sample */
	uint32_t crc;          /**< CRC-32 of its samples as PCM16LE */
	uint32_t seed;         /**< The same up to its first loud block */
	uint32_t quiet;        /**< Blocks since the last loud one */
	uint32_t loud;         /**< Loud blocks */
	/** Where every SEGMENTER_WORD-th loud block began: times of words. */
	uint64_t marks[SEGMENTER_MARKS];
	uint64_t loud_end;     /**< End of the last loud block */
	/** Where speech began, last time after SEGMENTER_PAUSE_MS or more. */
	uint64_t loud_from;
	/* the open block */
	uint32_t filled;       /**< Samples */
	uint64_t sum;          /**< Of |sample| */
};

enum { SEGMENTER_WORD = 35 }; /**< Loud blocks a word takes */

void segmenter_init(struct segmenter *s, uint32_t rate_hz, uint32_t pause_ms);

/**
 * Take samples, at most to the end of the segment.
 *
 * @param pcm   PCM16LE
 * @param n     [samples]
 * @param ended Set to: the segment is over; look at it, then
 *              segmenter_next()
 *
 * @return samples taken, 1..n
 */
size_t segmenter_feed(struct segmenter *s, const uint8_t *pcm, size_t n,
		      bool *ended);
/** Begin the next segment here. */
void segmenter_next(struct segmenter *s);
