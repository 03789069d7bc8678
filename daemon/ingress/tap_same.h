/**
 * @file tap_same.h  The same audio on two dialogs of a PBX
 *
 * A PBX that stands between two parties shows a call twice: as the dialog it
 * answers and as the one it makes.  The later one is the same as the earlier
 * one when
 *
 *  - SDP links them: an address is the called party of the one and the calling
 *    party of the other (or an end of a call that nobody announced, its SIP
 *    being encrypted), and
 *  - what goes to the PBX on the one comes from it on the other: 20 different
 *    anchors (anchors.h; some 160 ms of speech) within 400 ms.
 *
 * While that may be so the later call's first 600 ms of audio wait (2 s of
 * silence), and its call.start does.  The same: call.start has `ids.same_as`, and no leg an ASR.
 * Not the same: everything takes its way, nothing is lost.  What is found later
 * (it began with silence, or was put through later) is told by call.update, and
 * its legs begin anew without an ASR.  When the earlier call ends or falls silent
 * (its parties speak directly now) and this one speaks on for a second, its
 * legs begin anew with their ASR.
 */
#pragma once

#include "daemon/ingress/tap_flows.h"

struct tap_anchors; /**< What was heard lately, of all calls of a tap */

/** It is answered.  @return true: its call.start waits */
bool tap_same_postpones(struct tap_call *c);

/** A packet that would go to its leg.
 * @return true: it waits, and comes to tap_legs_deliver() later */
bool tap_same_takes(struct tap_leg *l, const struct tap_flow *f,
		    const struct rtp *h, bool audio, uint64_t at_us);

/** The id of the call that has this one's audio, or NULL. */
const char *tap_same_as(const struct tap_call *c);

/** What waits takes its way. */
void tap_same_release(struct tap_call *c);
/** The call ends: so it does, and nothing waits any more. */
void tap_same_end(struct tap_call *c);
/** What waits is dropped without a word. */
void tap_same_free(struct tap_call *c);
void tap_anchors_free(struct tap_anchors *a);
