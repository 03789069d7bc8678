/** @file utf8.c  Foreign text made fit to print and to publish */
#include "daemon/base/utf8.h"

#include <stdint.h>
#include <string.h>

/* Bytes of the character at `p`, or 0 (RFC 3629 section 4). */
static size_t length(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t first, last, low, high;
		size_t len;
	} forms[] = {
		{ 0x00, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		if (*p < forms[f].first || *p > forms[f].last)
			continue;
		if (forms[f].len > left)
			return 0;
		if (forms[f].len > 1 &&
		    (p[1] < forms[f].low || p[1] > forms[f].high))
			return 0;
		for (size_t i = 2; i < forms[f].len; i++)
			if ((p[i] & 0xc0) != 0x80)
				return 0;
		return forms[f].len;
	}
	return 0;
}

bool utf8_valid(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	for (size_t i = 0; i < len;) {
		const size_t n = length(p + i, len - i);

		if (!n)
			return false;
		i += n;
	}
	return true;
}

void utf8_clean(char *text)
{
	const size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		const uint8_t *p = (const uint8_t *)text + i;
		const size_t n = length(p, len - i);
		/* C0, DEL, and C1 (0xc2 0x80..0x9f) move terminals */
		const bool control = n == 1 ? *p < 0x20 || *p == 0x7f
					    : n == 2 && *p == 0xc2 && p[1] < 0xa0;

		if (n && !control) {
			i += n;
			continue;
		}
		for (size_t k = 0; k < (n ? n : 1); k++)
			text[i++] = '?';
	}
}

size_t utf8_cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((uint8_t)text[max] & 0xc0) == 0x80)
		max--;
	return max;
}
