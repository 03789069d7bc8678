/** @file wire.h  PCM to the bytes an ASR service takes */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"

/**
 * @param out 2 * n bytes are enough for every encoding
 * @return bytes written
 */
size_t wire_encode(uint8_t *out, const int16_t *pcm, size_t n,
		   enum asr_encoding encoding);
