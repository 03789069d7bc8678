/**
 * @file learn.h  Who of several senders is the one (reliability section 1.3)
 *
 * Four packets in order, of one sender and SSRC, within 3 s.  What they
 * brought is held meanwhile: the winner's is released, the others' dropped.
 */
#pragma once

#include <stdbool.h>

#include "daemon/base/addr.h"
#include "daemon/ingress/held.h"

enum { LEARN_PACKETS = 4, LEARN_SENDERS = 8 };

/** `{0}`: nobody spoke yet. */
struct learn {
	struct learn_sender {
		struct addr from;
		unsigned n;        /**< Packets held; 0: free */
		struct held *held[LEARN_PACKETS];
	} sender[LEARN_SENDERS];
};

/**
 * A packet of a known payload type.  Of many senders those that have more than
 * one packet in order and are still there are not driven out.
 *
 * @return the sender, when this packet made it the one: its packets are
 *         held[0..n-1]; else NULL
 */
const struct learn_sender *learn_feed(struct learn *l, const struct addr *from,
				      const struct rtp *h, uint64_t at_us);
void learn_clear(struct learn *l);
