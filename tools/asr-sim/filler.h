/**
 * @file filler.h  The text of a segment: its samples named, or made-up words
 *
 * Neither is recognition.  Named: "pcm8000 FIRST-LAST crc32 HEX" (rate, first
 * and last sample on the connection, CRC-32 of them as PCM16LE); a partial has
 * only the first two words.  Made up: everyday telephone phrases, one word for
 * each 350 ms of speech, chosen by the CRC-32 of the segment's beginning, so
 * the same audio gives the same words and a partial is the beginning of its
 * final.
 */
#pragma once

#include "daemon/base/buf.h"
#include "tools/asr-sim/segmenter.h"

enum { FILLER_WORDS_MAX = 200 };

struct filler_word {
	uint32_t at, len;      /**< In the text [bytes] */
	uint64_t first, end;   /**< Samples on the connection */
};

struct filler {
	struct buf text;
	struct filler_word words[FILLER_WORDS_MAX];
	size_t n_words;
};

/**
 * Write the open segment's text.
 *
 * @param words 0: name the samples; else make up at most so many words
 */
void filler_write(struct filler *f, const struct segmenter *s, unsigned words,
		  bool final);
void filler_fini(struct filler *f);
