/**
 * @file wire.h  8 kHz PCM to the bytes one connection gets
 *
 * 16-bit little-endian, G.711, 8 or 16 kHz, as the service wants it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"

struct wire;

/** @return 0 or -ENOMEM */
int wire_new(struct wire **out, const struct asr_wire *format);
void wire_free(struct wire *w);

/**
 * @param end The last samples of the connection: what a filter holds back
 *            comes, too
 * @param data Set to the bytes, borrowed until the next call
 * @return bytes, or -ENOMEM
 */
ptrdiff_t wire_encode(struct wire *w, const int16_t *pcm, size_t n, bool end,
		      const uint8_t **data);
/** Does it hold samples back that only `end` brings? */
bool wire_holds(const struct wire *w);
