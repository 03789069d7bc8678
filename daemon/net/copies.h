/**
 * @file copies.h  The same IP packet seen twice: mirrored, not sent twice
 *
 * A mirrored port shows a packet once when it comes in and once when it goes
 * out, on both sides of a VLAN or of a router.  The copies differ in what
 * lies around the packet, in TTL, DSCP and checksums; addresses, IPv4
 * identification and payload are equal.  What a sender sends twice has another
 * identification.  Where there is none (0, or IPv6), only another way to us
 * (link header, tunnel, TTL) makes it a copy: else it is left to RTP's own
 * count of duplicates.  Pure; time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { COPIES_WINDOW_US = 100 * 1000 };

struct copies;

/** @return 0 or -ENOMEM */
int copies_new(struct copies **out);
void copies_free(struct copies *c);

/** Of an IP packet or fragment. */
struct copies_packet {
	uint64_t key;       /**< Hash of what copies have in common */
	uint64_t path;      /**< Hash of how it came here */
	bool numbered;      /**< It has an identification */
};

/** Was it here within the window?  From then on it was. */
bool copies_seen(struct copies *c, const struct copies_packet *p,
		 uint64_t at_us);
