/** @file uuid.c  UUIDs as text */
#include "daemon/base/uuid.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

/* In front of these bytes stands a hyphen. */
static bool begins_group(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

const char *uuid_print(char out[UUID_TEXT], const uint8_t uuid[16])
{
	char *p = out;

	for (size_t i = 0; i < 16; i++) {
		if (begins_group(i))
			*p++ = '-';
		*p++ = digits[uuid[i] >> 4];
		*p++ = digits[uuid[i] & 15];
	}
	*p = 0;
	return out;
}

static int digit(char c)
{
	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int uuid_parse(uint8_t out[16], const char *text)
{
	uint8_t uuid[16];

	for (size_t i = 0; i < 16; i++) {
		if (begins_group(i) && *text++ != '-')
			return -EBADMSG;
		const int high = digit(*text);
		if (high < 0)
			return -EBADMSG;
		const int low = digit(text[1]);
		if (low < 0)
			return -EBADMSG;
		uuid[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text)
		return -EBADMSG;
	memcpy(out, uuid, sizeof(uuid));
	return 0;
}
