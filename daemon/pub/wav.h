/**
 * @file wav.h  One WAV file for each leg: --wav DIR
 *
 * 8 kHz, 16-bit, mono, the leg's whole timeline; LEG.wav.  Written with
 * blocking calls: for replays only.
 */
#pragma once

#include <stdint.h>

struct wav;

/** Create (or empty) DIR/LEG.wav.  @return 0 or -errno */
int wav_open(struct wav **out, const char *dir, const char *leg);
/** @param pcm NULL: `n` samples of silence */
void wav_samples(struct wav *w, const int16_t *pcm, uint64_t n);
/**
 * Write the header's lengths and close.
 *
 * @return 0 or the first error that writing met, -errno; -EFBIG: over 4 GiB,
 *         which a WAV header cannot say
 */
int wav_close(struct wav *w);
