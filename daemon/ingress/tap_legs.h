/** @file tap_legs.h  From the packets of a flow to legs: codec, SSRC, key */
#pragma once

#include "daemon/ingress/tap_flows.h"

/** The leg of a call for one direction, made when there is none. */
struct tap_leg *tap_leg_of(struct tap_call *c, unsigned media, unsigned side);
/** Everything of the m-line is encrypted from here on. */
void tap_legs_encrypted(struct tap_call *c, unsigned media);

/** What tap_same_takes() kept, in the order it came. */
void tap_legs_deliver(struct tap_leg *l, const struct addr *from,
		      const struct addr *to, const struct rtp *h, bool audio,
		      uint64_t at_us);

/**
 * A packet of an announced call whose flow f->leg is.
 *
 * @param h What is in `p`
 */
void tap_legs_announced(struct tap *t, struct tap_flow *f,
			const struct decap_packet *p, const struct rtp *h,
			uint64_t at_us);
/** ... and of an unannounced one. */
void tap_legs_unannounced(struct tap *t, struct tap_flow *f,
			  const struct rtp *h, uint64_t at_us);
