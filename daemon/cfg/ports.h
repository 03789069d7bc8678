/** @file ports.h  rtp { ports }: a range of UDP ports, and what may be wrong */
#pragma once

#include <stdint.h>

#include "daemon/base/buf.h"

struct ports {
	uint16_t first, last;  /**< Both included */
};

/** "24000-27999".  @return 0 or -EBADMSG: no range with a pair in it */
int ports_parse(struct ports *out, const char *text);

/**
 * What works today and may not tomorrow, a line each; nothing: all is well.
 *
 * @param ephemeral What the kernel gives to whoever binds no port; {0}: not
 *                  known
 * @param legs As many must fit; 0: not known
 */
void ports_warn(struct buf *out, const struct ports *p,
		const struct ports *ephemeral, unsigned legs);
