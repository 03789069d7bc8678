/**
 * @file sip_body.h  What we read of a SIP message's body: session description
 *                   and recording metadata, in any order
 */
#pragma once

#include <osipparser2/headers/osip_content_type.h>
#include <stdbool.h>
#include <stddef.h>

#include "daemon/sig/sip_head.h"

struct sip_body {
	struct sip_text sdp;  /**< A view into the message; empty: none */
	struct sip_text metadata; /**< The first one; likewise */
	bool siprec;          /**< Also set where recording metadata is */
};

bool sip_body_is_multipart(const struct sip_head *h);

/**
 * A body without Content-Type that begins with "v=" is taken for SDP; one with
 * a Content-Encoding is not looked into.
 *
 * @param type Of a multipart message, for its boundary; else NULL
 * @return 0, -EBADMSG (shorter than Content-Length says, RFC 3261 section
 *         18.3; no usable boundary) or -EMSGSIZE
 */
int sip_body_read(struct sip_body *out, const struct sip_head *h,
		  const osip_content_type_t *type, const char *data,
		  size_t len);
