/**
 * @file conceal.h  Concealment of short losses, by spandsp's PLC
 *
 * Told of every frame of a leg in timeline order; fills a loss from what came
 * before it.  A received sample is never altered: spandsp cross-fades into the
 * frame it is given, so it gets a copy.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conceal;

/** @return 0 or -ENOMEM */
int conceal_new(struct conceal **out);
void conceal_free(struct conceal *c);

/** `n` received samples at 8 kHz, next on the timeline. */
void conceal_good(struct conceal *c, const int16_t *pcm, size_t n);

/**
 * Write `n` samples in place of a loss, in one call or several in a row: it
 * is the same samples.  They fade; after 50 ms they are silence.
 */
void conceal_fill(struct conceal *c, int16_t *pcm, size_t n);

/** `n` samples of silence passed (DTX, a long loss): forget the past. */
void conceal_silence(struct conceal *c);
