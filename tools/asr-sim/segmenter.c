/** @file segmenter.c  Where the simulator ends its segments */
#include "tools/asr-sim/segmenter.h"

#include <stdlib.h>
#include <zlib.h>

#include "daemon/base/array.h"

void segmenter_init(struct segmenter *s, uint32_t rate_hz, uint32_t pause_ms)
{
	*s = (struct segmenter){
		.rate_hz = rate_hz,
		.block = rate_hz / 100,
		.pause = pause_ms / 10,
	};
	segmenter_next(s);
}

void segmenter_next(struct segmenter *s)
{
	s->first = s->position;
	s->crc = (uint32_t)crc32(0, NULL, 0);
	s->seed = s->crc;
	s->quiet = 0;
	s->loud = 0;
	s->loud_end = s->position;
}

static int sample_at(const uint8_t *pcm, size_t i)
{
	return (int16_t)(pcm[2 * i] | pcm[2 * i + 1] << 8);
}

/* A block is whole: is the segment over with it? */
static bool block_ends(struct segmenter *s)
{
	const bool loud = s->sum >= (uint64_t)SEGMENTER_LOUD * s->block;

	s->filled = 0;
	s->sum = 0;
	if (loud) {
		const uint32_t word = s->loud / SEGMENTER_WORD;

		if (s->loud == 0)
			s->seed = s->crc;
		if (s->loud % SEGMENTER_WORD == 0 && word < SEGMENTER_MARKS)
			s->marks[word] = MAX(s->position - s->block, s->first);
		if (s->loud == 0 || s->quiet >= SEGMENTER_PAUSE_MS / 10)
			s->loud_from = MAX(s->position - s->block, s->first);
		s->loud++;
		s->loud_end = s->position;
		s->quiet = 0;
	} else {
		s->quiet++;
	}
	return (s->loud > 0 && s->quiet >= s->pause) ||
	       s->position - s->first >=
		       (uint64_t)s->rate_hz * SEGMENTER_MAX_MS / 1000;
}

size_t segmenter_feed(struct segmenter *s, const uint8_t *pcm, size_t n,
		      bool *ended)
{
	size_t used = 0;

	*ended = false;
	while (used < n && !*ended) {
		const size_t part = MIN(n - used, (size_t)(s->block - s->filled));
		const uint8_t *at = pcm + 2 * used;

		for (size_t i = 0; i < part; i++)
			s->sum += (uint64_t)abs(sample_at(at, i));
		s->crc = (uint32_t)crc32(s->crc, at, (unsigned)(2 * part));
		s->filled += (uint32_t)part;
		s->position += part;
		used += part;
		*ended = s->filled == s->block && block_ends(s);
	}
	return used;
}
