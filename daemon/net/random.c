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
	return uuid_print(out, b);
}
