/**
 * @file sip_respond.h  An answer to a SIP request (RFC 3261 section 8.2.6)
 *
 * Copies Via, From, To, Call-ID and CSeq as they came, whatever else may be
 * wrong with the request; the topmost Via gets `received` and `rport` (RFC
 * 3581).
 */
#pragma once

#include "daemon/base/addr.h"
#include "daemon/base/buf.h"
#include "daemon/sig/sip_fields.h"

struct sip_response {
	unsigned status;
	const char *phrase;       /**< NULL: the RFC's */
	const char *to_tag;       /**< Added to a To that has none; NULL: not */
	struct addr source;       /**< Of the request; family 0: unknown */
	bool record_route;        /**< Copy Record-Route (it makes a dialog) */
	const char *headers;      /**< Further lines, each with CRLF; NULL */
	const char *type;         /**< Content-Type; NULL: no body */
	const char *body;
	size_t body_len;
};

/** @return 0, -EBADMSG (no Via: nobody could be answered) or -ENOMEM; `out` is
 *  appended to on success only */
int sip_respond(struct buf *out, const struct sip_fields *f,
		const struct sip_response *r);
/** Reason phrase of a status. */
const char *sip_phrase(unsigned status);

/**
 * Where an answer over UDP goes (RFC 3261 section 18.2.2, RFC 3581): the
 * source, with the port that the topmost Via tells unless it has rport.
 */
struct addr sip_answer_to(const struct sip_fields *f, const struct addr *source);
