/**
 * @file number.h  Decimal numbers out of foreign text
 *
 * The only way in which text from outside becomes a number: no sign, no
 * blanks, no overflow, nothing behind it.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/**
 * @param max Largest number that is believed
 * @return 0, -EBADMSG (not a plain number) or -ERANGE (more than max)
 */
static inline int number_parse(uint64_t *out, const char *text, size_t len,
			       uint64_t max)
{
	uint64_t v = 0;

	if (len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EBADMSG;
		const unsigned digit = (unsigned)(text[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}
