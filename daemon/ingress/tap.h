/**
 * @file tap.h  Calls found in somebody else's packets
 *
 * Behind a mirrored port and behind a capture file alike: SIP announces calls
 * and where their media goes, RTP is matched to them, and RTP that nobody
 * announced becomes a call of its own.  Nothing here reads a file or a socket,
 * and time is the media clock's.
 *
 * A *stream* is a 5-tuple and an SSRC; a *leg* is one direction of one
 * announced m-line (or, unannounced, of one 5-tuple).
 *
 *  - INVITEs with one Call-ID and From tag (a 401 retry, two hops of a proxy,
 *    forks) are one call; the same pair after its BYE is another.
 *  - A packet belongs to the call whose SDP names its destination; of several,
 *    to the one that names its source, too; then to the newest.
 *  - Unannounced: 4 packets in order of one SSRC with payload type 0 or 8, those
 *    4 included; the reverse direction of the same addresses joins the call.
 *  - What arrives for a call after its end is nobody's.
 *  - A call whose audio another dialog of the PBX has already goes to no ASR
 *    (tap_same.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/call/call.h"
#include "daemon/net/decap.h"

struct recording_config;
struct tap;

struct tap_config {
	struct calls *calls;
	struct timers *timers;    /**< Media clock */
	const char *source;       /**< "replay" or "capture" */
	/** What is known of recorded calls; borrowed; NULL: nothing. */
	const struct recording_config *recording;
};

struct tap_stats {
	uint64_t rtp;             /**< Packets that look like RTP */
	uint64_t rtcp;
	uint64_t sip;             /**< Messages */
	uint64_t sip_bad;
	uint64_t foreign;         /**< RTP that is no leg's */
	uint64_t flows_full;      /**< Packets refused: too many flows */
	uint64_t calls_full;      /**< Calls refused: too many at once */
};

/** @return 0 or -ENOMEM */
int tap_new(struct tap **out, const struct tap_config *cfg);
/** Calls that are open stay with struct calls. */
void tap_free(struct tap *t);

/** One UDP datagram or TCP segment; the clock stands at its arrival. */
void tap_packet(struct tap *t, const struct decap_packet *p, uint64_t at_us);
/** No new calls while this is on; what there is of them is nobody's. */
void tap_drain(struct tap *t, bool on);
/** End this one: what still comes of it is nobody's.  @return false: none is
 * called so */
bool tap_hang_up(struct tap *t, const char *call, const char *reason);
/** End every call there is. */
void tap_end(struct tap *t, const char *reason);

void tap_stats(const struct tap *t, struct tap_stats *out);
