/**
 * @file gate.h  Hands wslay each control frame whole
 *
 * wslay 1.1.1 checks the reason of a close frame chunk by chunk and skips two
 * bytes of each, so its verdict would depend on how TCP cut the bytes.  A
 * control frame is at most 131 bytes long: it waits here until it is there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { GATE_KINDS = 64 };

/** `{0}` before the first byte. */
struct gate {
	uint8_t held[14 + 125]; /**< A header, or a whole control frame */
	size_t n;               /**< Bytes held */
	size_t given;           /**< Of them, handed out */
	size_t need;            /**< Held until there are so many; 0: header */
	uint64_t left;          /**< Payload to pass through */
	uint8_t kinds[GATE_KINDS]; /**< First bytes of the last frames, a ring */
	size_t frames;          /**< So many began */
};

/**
 * Move bytes from `*in` to `out`.
 *
 * @return how many; 0: more input is needed
 */
size_t gate_next(struct gate *g, const uint8_t **in, size_t *in_left,
		 uint8_t *out, size_t len);
