/** @file network.h  A network of IP addresses, as configurations name it */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"

struct network {
	struct addr at;  /**< Without a port; bits behind the prefix are 0 */
	uint8_t bits;    /**< Length of the prefix: 0..32 or 0..128 */
};

/**
 * Read "192.0.2.0/24", "2001:db8::/32"; an address alone is a network of one.
 *
 * @return 0 or -EBADMSG (also when bits behind the prefix are set: somebody
 *         meant something else), `out` untouched
 */
int network_parse(struct network *out, const char *text, size_t len);
/** Whatever the address's port. */
bool network_has(const struct network *n, const struct addr *a);
/**
 * Is the address in any of these networks?
 *
 * @param texts NULL-ended, as a config's list; NULL: none at all.  What is no
 *              network holds nobody
 */
bool network_any_has(char *const *texts, const struct addr *a);
