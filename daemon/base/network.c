/** @file network.c  A network of IP addresses, as configurations name it */
#include "daemon/base/network.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/number.h"

/* Do the first `bits` bits of both agree? */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;

	return !memcmp(a, b, whole) &&
	       (!rest || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

int network_parse(struct network *out, const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	const size_t before = slash ? (size_t)(slash - text) : len;
	struct network n;
	uint64_t bits;

	if (addr_parse(&n.at, text, before))
		return -EBADMSG;
	const unsigned all = n.at.family == 4 ? 32 : 128;

	bits = all;
	if (slash && number_parse(&bits, slash + 1, len - before - 1, all))
		return -EBADMSG;
	for (unsigned i = (unsigned)bits; i < all; i++)
		if (n.at.ip[i / 8] & 0x80 >> i % 8)
			return -EBADMSG;
	n.bits = (uint8_t)bits;
	*out = n;
	return 0;
}

bool network_has(const struct network *n, const struct addr *a)
{
	return n->at.family == a->family &&
	       same_prefix(n->at.ip, a->ip, n->bits);
}

bool network_any_has(char *const *texts, const struct addr *a)
{
	struct network n;

	for (size_t i = 0; texts && texts[i]; i++)
		if (!network_parse(&n, texts[i], strlen(texts[i])) &&
		    network_has(&n, a))
			return true;
	return false;
}
