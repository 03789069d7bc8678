/**
 * @file sip_text.h  SIP messages and SDP as a caller reads them
 *
 * Little and its own, so that callgen does not judge the daemon by the
 * daemon's parsers.  Pure; header lines are taken as they stand (not folded).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"

enum { SIP_TEXT_MEDIA = 8 };

/** A piece of the message; p NULL: not there. */
struct piece {
	const char *p;
	size_t len;
};

struct sip_text {
	bool request;
	unsigned status;
	struct piece method;     /**< Of the request, or of CSeq */
	uint32_t cseq;
	struct piece head;       /**< Header lines, with their ends */
	struct piece body;
};

/** @return 0 or -EBADMSG */
int sip_text_read(struct sip_text *out, const char *data, size_t len);
/** The n-th header of this name (or its one-letter form, 0: none), without
 * blanks; .p NULL: there are not so many. */
struct piece sip_text_header(const struct sip_text *m, const char *name,
			     char brief, unsigned n);
bool piece_is(struct piece p, const char *text);
/** What stands in <>, or else before the parameters. */
struct piece piece_uri(struct piece address);

/** Where the m-lines of an answer want their audio.
 * @return how many there are; family 0: refused, or no usable address */
size_t sip_text_media(struct addr out[SIP_TEXT_MEDIA], struct piece sdp);
