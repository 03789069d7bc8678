/** @file hex.h  Bytes of a test row out of their hex digits, on the heap */
#pragma once

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Blanks are skipped.  A block of exactly `*len` bytes, for free(). */
static inline uint8_t *hex_bytes(const char *hex, size_t *len)
{
	char digits[3] = "";
	size_t n = 0, i = 0;

	for (const char *p = hex; *p; p++)
		n += isxdigit((unsigned char)*p) != 0;
	uint8_t *out = malloc(n / 2 ? n / 2 : 1);

	for (const char *p = hex; out && *p; p++) {
		if (!isxdigit((unsigned char)*p))
			continue;
		digits[i++ % 2] = *p;
		if (i % 2 == 0)
			out[i / 2 - 1] = (uint8_t)strtoul(digits, NULL, 16);
	}
	*len = n / 2;
	return out;
}

/** A copy in a block of its own, so that a sanitizer sees one byte too many. */
static inline uint8_t *exact_copy(const void *data, size_t len)
{
	uint8_t *out = malloc(len ? len : 1);

	if (out && len)
		memcpy(out, data, len);
	return out;
}
