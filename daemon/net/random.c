/** @file random.c  Randomness of the kernel */
#include "daemon/net/random.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "daemon/base/must.h"

void random_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n) {
		const ssize_t got = getrandom(p, n, 0);

		must(got > 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

const char *random_uuid(char out[UUID_TEXT])
{
	uint8_t b[16];

	random_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
		 b[10], b[11], b[12], b[13], b[14], b[15]);
	return out;
}
