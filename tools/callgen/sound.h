/**
 * @file sound.h  What is said: one loop of samples, encoded once for all legs
 *
 * Behind its end the loop begins again, so every frame is one piece of memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

enum {
	SOUND_HZ = 8000,
	SOUND_FRAME_MAX = 480,  /**< Samples of the longest packet: 60 ms */
	SOUND_SECONDS_MAX = 3600,
};

enum law { LAW_PCMU, LAW_PCMA, LAWS };

/** Freed with sound_free(). */
struct sound {
	size_t n;               /**< Samples of the loop */
	uint8_t *code[LAWS];    /**< n + SOUND_FRAME_MAX payload bytes */
	uint8_t *heard[LAWS];   /**< The same as its receiver decodes it,
				     PCM16LE */
};

const char *law_name(enum law law);
uint8_t law_payload_type(enum law law);

/**
 * A file: WAV (8 kHz, mono, 16 bit), or the longest PCMU or PCMA stream of a
 * capture, its packets in order, as if none were missing.
 *
 * @param why On error: what is wrong and what to do
 * @return 0 or -errno
 */
int sound_load(struct sound *s, const char *path, struct buf *why);
/** A minute of what sounds like syllables and pauses; the same each time. */
int sound_make(struct sound *s);
/** Takes any samples.  @return 0, -EINVAL (less than a frame) or -ENOMEM */
int sound_set(struct sound *s, const int16_t *pcm, size_t n);
void sound_free(struct sound *s);
