/**
 * @file decoder.h  Spans in timeline order to PCM, losses concealed
 *
 * Whole spans only: however the samples are taken afterwards, two decoders
 * that saw the same spans give the same samples.  Losses up to 60 ms are
 * concealed, longer ones are silence; a received sample is never altered.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/call/span.h"

enum {
	DECODER_CONCEAL = 480,   /**< Longest loss that is concealed [samples] */
	DECODER_MAX = 2048,      /**< Longest audio span [samples] */
};

struct decoder;

/** @return 0 or -ENOMEM */
int decoder_new(struct decoder **out);
void decoder_free(struct decoder *d);

/**
 * The next span.
 *
 * @return its samples, `s->len` of them, borrowed until the next call; NULL:
 *         all of it is silence, however long
 */
const int16_t *decoder_span(struct decoder *d, const struct span *s);

/** Would this span be concealed (and not be plain silence)? */
bool decoder_conceals(const struct span *s);
