/** @file utf8.h  Foreign text made fit to print and to publish */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Is it well-formed (RFC 3629: shortest form, no surrogates)? */
bool utf8_valid(const char *text, size_t len);

/**
 * Make a NUL-terminated string printable, in place: every control character
 * and every byte that is not part of well-formed UTF-8 becomes '?'.  A
 * character cut off at the end goes the same way.
 */
void utf8_clean(char *text);

/** Length of the longest prefix of at most `max` bytes that does not end
 * inside a character. */
size_t utf8_cut(const char *text, size_t len, size_t max);
