/**
 * @file tap_keys.h  Encrypted media of a tap, where the keys were seen
 *
 * A speaker's key is in the speaker's own SDP.  Which of several lines it
 * chose, and when a new one holds, the packets themselves tell: the key they
 * are authentic with.
 */
#pragma once

#include "daemon/base/packet.h"
#include "daemon/ingress/tap_calls.h"
#include "daemon/media/srtp.h"

struct tap_keys;

/**
 * Decrypt a packet of l->keys' speaker.
 *
 * @return 0; -EAGAIN: not authentic, or said before, or kept until the
 *         speaker's SDP has come (tap_keys_early()): nothing may come of it;
 *         -ENOKEY: nobody who listens here has got its key
 */
int tap_keys_open(struct tap_leg *l, struct srtp_plain *out,
		  const struct decap_packet *p, uint64_t at_us);
/** Hand over what was kept of this sender, in order. */
void tap_keys_early(struct tap_leg *l, const struct addr *from,
		    void (*fn)(const struct packet *p, void *arg), void *arg);
void tap_keys_free(struct tap_keys *k);
