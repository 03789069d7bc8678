/**
 * @file sip_keys.h  The keys of one m-line of a SIP call: theirs and ours
 *
 * A line with a=crypto that we can use is answered with a key of our own, also
 * where its profile is RTP/AVP.  Offered again as it was it keeps both keys;
 * theirs changed, ours does too.
 */
#pragma once

#include "daemon/ingress/rtp_leg.h"
#include "daemon/sig/sdp.h"

/** `{0}`: plain. */
struct sip_keys {
	struct srtp_key theirs, ours;
	uint32_t tag;
	char text[SDES_TEXT_MAX]; /**< Of our a=crypto line */
};

/** For answer_decide(): which lines of an offer could be answered with a key.
 * What it points to is no key, but sip_keys_answer() will make one. */
void sip_keys_offered(const char *out[SDP_MEDIA_MAX], const struct sdp *offer);

/**
 * Take the key of a line that is accepted, and make ours.
 *
 * @param m Its crypto[0] is taken
 */
void sip_keys_answer(struct sip_keys *k, const struct sdp_media *m);
/** The line is plain from here on, or gone. */
void sip_keys_clear(struct sip_keys *k);
/** What they answered to a line of ours: their new key, ours stays. */
void sip_keys_agreed(struct sip_keys *k, const struct sdp_media *m);

/** Into what the leg is told. */
void sip_keys_remote(struct rtp_remote *out, const struct sip_keys *k);
