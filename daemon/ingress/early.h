/**
 * @file early.h  What arrives before it is known who is to be believed
 *
 * Our sockets are open before our SDP goes out, and where the other side's
 * comes behind it (an offer of ours in a 200, its answer in the ACK) its RTP
 * may be here first.  It is kept as it came and given back once an address is
 * signalled; nobody else's is ever looked at.  Bounded: 4 addresses, 256
 * packets (5 s at 20 ms) and 64 KiB of each; then the oldest go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/packet.h"

enum { EARLY_SENDERS = 4, EARLY_PACKETS = 256, EARLY_BYTES = 64 * 1024 };

struct early_packet;

/** `{0}` is empty. */
struct early {
	struct early_sender {
		struct addr from;           /**< Its port does not count */
		struct early_packet *first, *last;
		size_t n, bytes;            /**< n 0: free */
	} sender[EARLY_SENDERS];
};

/**
 * Keep a copy.  A fifth address takes the place of the one with the fewest
 * packets.
 *
 * @return packets that were dropped for it, itself included
 */
unsigned early_keep(struct early *e, const struct packet *p);

/** Is there anything? */
bool early_any(const struct early *e);

/**
 * Hand over what came from this address, in order, and forget all of it.  `e`
 * is empty before the first call of `fn`.
 */
void early_release(struct early *e, const struct addr *from,
		   void (*fn)(const struct packet *p, void *arg), void *arg);
void early_clear(struct early *e);
