/**
 * @file sip_siprec.h  What a recording client says besides the audio
 *
 * Called for every call.  A plain one has no metadata, and no roles but where it
 * has several lines that are all sendonly: a recording, by their labels.
 *
 *   sip_siprec_take()    before a session description is applied
 *   sip_siprec_begin()   before call.start
 *   sip_siprec_leg()     before each leg.start
 *   sip_siprec_update()  when all of a later request is applied
 */
#pragma once

#include "daemon/base/event.h"
#include "daemon/ingress/recording.h"
#include "daemon/ingress/sip_server.h"

enum { SIP_IDS_MAX = RECORDING_IDS_MAX + 32 };

/** Identity of a call that begins; strings belong to it. */
struct sip_identity {
	const char *from, *to;
	struct event_id ids[SIP_IDS_MAX];
	size_t n_ids;
	struct event_participant participants[SIPREC_PARTICIPANTS_MAX];
	size_t n_participants;    /**< 0: not known */
	const char *calling, *called; /**< As in struct call_info */
};

/**
 * What `r` says of who is on which m-line; c->siprec and c->recording are set.
 *
 * @param a,offer What is about to hold; NULL, NULL: the same as before
 */
void sip_siprec_take(struct sip_call *c, const struct sip_request *r,
		     const struct sdp_answer *a, const struct sdp *offer);
/** Fill in who and what, before call.start. */
void sip_siprec_begin(struct sip_call *c, struct sip_identity *out);
/** A leg for m-line `line` is about to begin: role and role_source. */
void sip_siprec_leg(const struct sip_call *c, unsigned line,
		    struct leg_info *info);
/** Publish what has changed. */
void sip_siprec_update(struct sip_call *c);
/** c->recording is freed. */
void sip_siprec_end(struct sip_call *c);
