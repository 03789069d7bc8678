/**
 * @file sip_siprec.h  What a recording client says besides the audio
 *
 * Called for every call: a plain one has no metadata and keeps the defaults.
 */
#pragma once

#include "daemon/base/event.h"
#include "daemon/ingress/sip_server.h"

enum { SIP_IDS_MAX = 32 };

/** Identity of a call that begins; strings belong to it. */
struct sip_identity {
	const char *from, *to;
	struct event_id ids[SIP_IDS_MAX];
	size_t n_ids;
	struct buf text;          /**< Holds what is not the message's own */
};

/**
 * An INVITE that begins a call: fill in who and what, before call.start.
 * c->siprec and c->recording may be set; the call has no leg yet.
 */
void sip_siprec_begin(struct sip_call *c, const struct sip_request *r,
		      struct sip_identity *out);
/** A leg for m-line `line` is about to begin: role, role_source, label.
 * Strings live as long as the call. */
void sip_siprec_leg(const struct sip_call *c, unsigned line,
		    struct leg_info *info);
/** A request inside the dialog (re-INVITE, UPDATE, INFO) was accepted, and its
 * session description, if any, applied. */
void sip_siprec_update(struct sip_call *c, const struct sip_request *r);
/** c->recording is freed. */
void sip_siprec_end(struct sip_call *c);
