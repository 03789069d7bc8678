/** @file packet.h  One UDP datagram with its arrival time */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"

/**
 * From a socket or from a capture: nothing behind it can tell.  Borrowed for
 * the call that hands it over.
 *
 * Arrival times are microseconds since the Unix epoch on the *media clock*,
 * which never goes back: in a replay the capture's own clock, in a live
 * daemon the monotonic clock set once, at start, to the wall clock.
 */
struct packet {
	uint64_t at_us;
	struct addr from;
	struct addr to;
	const uint8_t *data;
	size_t len;       /**< Bytes present */
	size_t wire_len;  /**< Bytes the UDP header announces; more than `len`
			       only where a capture cut the packet off */
};
