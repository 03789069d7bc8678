/**
 * @file pan.h  Payment card numbers in transcribed speech
 *
 * A run of digits is written ("4111 1111-1111.1111", also in the digits of
 * other scripts) or spoken in English ("four one double one", "forty-one
 * eleven", "oh"), its groups apart by blanks, hyphens, points, commas, slashes
 * or a hesitation or two ("uh").  It is masked when it has 13 to 19 digits and
 * the check digit of ISO/IEC 7812-1 Annex B (Luhn) is right; of a longer run, or
 * one whose check digit is wrong (an expiry date follows, "my number 2 is"
 * precedes), those of its groups that together have the prefix and length of a
 * card brand and are right.  Not after a plus sign, and not one digit repeated.
 *
 * Pure; linear in the text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

/** Bytes of one part to be replaced by so many asterisks. */
struct pan_span {
	size_t part;
	size_t from, to;  /**< [bytes], to excluded */
	unsigned digits;
};

/**
 * Find them; a run goes on from one part into the next.
 *
 * @param parts UTF-8 texts, as if a blank stood between two
 * @param out Found spans, in order: to be freed; NULL when there are none
 *
 * @return 0 or -ENOMEM
 */
int pan_find(struct pan_span **out, size_t *n, const char *const *parts,
	     size_t n_parts);

/**
 * Append one part to `out`, its spans masked.
 *
 * @param spans Of all parts
 * @return were there any in it?
 */
bool pan_mask(struct buf *out, const char *text, size_t part,
	      const struct pan_span *spans, size_t n);
