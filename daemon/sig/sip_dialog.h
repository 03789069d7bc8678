/**
 * @file sip_dialog.h  One dialog that a caller began (RFC 3261 section 12)
 *
 * Who is who, the remote target, the route set, and the requests that we send
 * in it.  Pure: no sockets, no time; tags and branches are arguments.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/sig/sip.h"
#include "daemon/sig/sip_fields.h"
#include "daemon/sig/sip_uri.h"

enum { SIP_ROUTES_MAX = 20, SIP_TAG = 33 };

/** Strings are its own. */
struct sip_dialog {
	char *call_id;            /**< As sip_parse() has it ... */
	char *call_id_sent;       /**< ... and byte by byte */
	char *remote_tag;         /**< From of the INVITE; "" in RFC 2543 */
	char local_tag[SIP_TAG];
	char *remote, *local;     /**< From and To whole, tags included */
	char *target;             /**< URI of their Contact */
	size_t n_routes;
	char *routes[SIP_ROUTES_MAX]; /**< In the order of Record-Route */
	uint32_t remote_cseq, local_cseq;
};

/** Is there a URI to send requests to: in Contact or, without one (RFC 2543), in
 * From? */
bool sip_dialog_reaches(const struct sip_fields *f);
/** @return 0, -EBADMSG (no URI to send requests to), -EMSGSIZE or
 *  -ENOMEM */
int sip_dialog_new(struct sip_dialog **out, const struct sip_message *m,
		   const struct sip_fields *f, const char *local_tag);
void sip_dialog_free(struct sip_dialog *d);

/** A request inside it, with this one's Contact, makes it the target (section
 * 12.2.2).  One without a usable Contact changes nothing. */
void sip_dialog_target(struct sip_dialog *d, const struct sip_fields *f);

/** Is this request of this dialog? */
bool sip_dialog_is(const struct sip_dialog *d, const struct sip_message *m);

/**
 * Our request in it, as with `BYE`; raises local_cseq.
 *
 * @param via "UDP 192.0.2.1:5060": transport and where we are
 * @param branch Without the magic cookie
 */
int sip_dialog_request(struct buf *out, struct sip_dialog *d,
		       const char *method, const char *via, const char *branch);
/** The URI that it goes to: first route, or target. */
int sip_dialog_next_hop(struct sip_uri *out, const struct sip_dialog *d);
