/**
 * @file sdp_remote.h  What an m-line of theirs means for the one who receives
 *
 * Pure; shared by live calls and the tap.
 */
#pragma once

#include <stdint.h>

#include "daemon/ingress/rtp_leg.h"
#include "daemon/media/receiver.h"
#include "daemon/sig/sdp.h"

/** PCMU, PCMA and L16 at 8 kHz mono, comfort noise at 8 kHz, telephone-event
 * at any clock; all else PAYLOAD_OTHER_CODEC. */
enum payload_kind sdp_kind(const struct sdp_format *f);

/** By payload type: what the m-line says; RFC 3551's static types where it says
 * nothing (many send comfort noise they did not announce). */
void sdp_kinds(uint8_t kinds[128], const struct sdp_media *m);

/** Where they send from, as far as that is known, and what.  on_hold: they
 * said that nothing will come. */
void sdp_remote(struct rtp_remote *out, const struct sdp_media *m);
