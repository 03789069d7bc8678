/**
 * @file frames.h  A pcap file of UDP datagrams that were never sent
 *
 * Ethernet, IPv4 or IPv6, microseconds; header and payload apart, as they
 * would go to the kernel.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/base/addr.h"

/** Errors stick in the FILE. */
void frames_begin(FILE *f);
void frames_put(FILE *f, uint64_t at_us, const struct addr *from,
		const struct addr *to, const uint8_t *head, size_t len,
		const uint8_t *payload, size_t payload_len);
