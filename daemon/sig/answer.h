/**
 * @file answer.h  What we say to an SDP offer (RFC 3264), and our own offer
 *
 * We only ever listen.  An m-line is accepted when it is RTP audio with PCMU or
 * PCMA at 8 kHz mono; of its formats those two, telephone-event and comfort
 * noise at 8 kHz are kept, in the offerer's order.  Everything else is refused
 * line by line with port 0; no acceptable line at all is a 488.
 *
 *   offer         sendrecv, sendonly    recvonly, inactive, held by 0.0.0.0
 *   our answer    recvonly              inactive
 *
 * Profiles: RTP/AVP and RTP/AVPF; RTP/SAVP and RTP/SAVPF where the caller has
 * an a=crypto line to answer with.  RTP/AVP with a=crypto is secured when the
 * caller has such a line, else answered in plain, without it.
 *
 *   sdp_parse(&offer)  ->  answer_decide(&a, &offer, crypto)
 *   -> lines[i].port of each accepted one (0: no port for it, refused)
 *   -> answer_print()
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/base/buf.h"
#include "daemon/sig/sdp.h"

struct answer_line {
	bool accepted;
	/** Not accepted: "disabled" (the offer's port is 0), "media" (no RTP
	 * audio), "encrypted" (keys we do not have), "codec"; else NULL. */
	const char *refused;
	/** Ours: SDP_RECVONLY or SDP_INACTIVE. */
	enum sdp_direction direction;
	/** Printed as a=crypto; borrowed; NULL: the line is in plain. */
	const char *crypto;
	uint16_t port;           /**< Of ours; the caller's to set */
	size_t n_formats;
	struct sdp_format formats[SDP_FORMATS_MAX];
};

struct sdp_answer {
	size_t n_lines;          /**< As many as the offer has */
	unsigned accepted;       /**< 0: answer 488 ... */
	unsigned disabled;       /**< ... unless all are, by a re-offer */
	struct answer_line lines[SDP_MEDIA_MAX];
};

/** Our side of a dialog's descriptions; begin with `id` and `at` alone. */
struct answer_origin {
	uint64_t id;             /**< Of o=, never changes; below 2^63 */
	struct addr at;          /**< Where we receive; its port is not used */
	uint64_t version;        /**< Of the description said last */
	uint64_t said;           /**< Its hash; 0: nothing was said yet */
};

/**
 * @param crypto For each m-line the value of the a=crypto line to answer with
 *               ("1 AES_CM_128_HMAC_SHA1_80 inline:..."), or NULL; borrowed as
 *               long as `out` is used.  NULL: there are none at all
 */
void answer_decide(struct sdp_answer *out, const struct sdp *offer,
		   const char *const crypto[SDP_MEDIA_MAX]);

/** The offer in the answer to an INVITE without one: one line, recvonly, PCMU
 * PCMA telephone-event (101). */
void answer_own_offer(struct sdp_answer *out);
/** Offer the accepted lines again: what was agreed, then what else we can, to
 *  be received (RFC 3261 section 14.2, RFC 3264 section 8). */
void answer_offer_again(struct sdp_answer *a);

/**
 * The other side's answer to answer_own_offer() (from its ACK): formats and
 * direction become what both agreed on, `accepted` 0 when nothing was.
 */
void answer_agree(struct sdp_answer *own, const struct sdp *theirs);

/**
 * Append the description.  Its version rises when it says something else than
 * the one before (RFC 3264 section 8).
 *
 * @param offer Of answer_decide(); NULL: answer_own_offer()
 * @return 0 or -ENOMEM, then `o` is as before
 */
int answer_print(struct buf *out, struct answer_origin *o,
		 const struct sdp_answer *a, const struct sdp *offer);
