/**
 * @file tunnel.h  A way through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6)
 *
 * Pure: text out, answer in, piece by piece.  The request holds the service's
 * host and port and the proxy's own credentials, nothing of what is meant for
 * the service.  Of a refusal nothing but the status is told: proxies answer
 * with pages for browsers, and some repeat the request in them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/reason.h"

struct tunnel;

/**
 * Append the request.
 *
 * @param host Name or address; an IPv6 address without brackets
 * @param auth "user:password" (RFC 7617), NULL: none
 *
 * @return 0, -EINVAL (not printable; `auth` without a colon or over 4 KiB) or
 *         -ENOMEM
 */
int tunnel_request(struct buf *out, const char *host, uint16_t port,
		   const char *auth);

/** Reader of the answer.  @return 0 or -ENOMEM */
int tunnel_new(struct tunnel **out);
void tunnel_free(struct tunnel *t);

/**
 * @return 1 (the way is open), 0 (more is needed) or -errno with `why`:
 *         -EPROTO (refused: REASON_CONFIG when something has to be put right
 *         here or at the proxy, REASON_TCP when it cannot reach the service),
 *         -EBADMSG, -EMSGSIZE (REASON_CONFIG: it is no proxy) or -ENOMEM.
 *         `why` has no code: the codes there are the service's.
 */
int tunnel_feed(struct tunnel *t, const uint8_t *data, size_t len,
		struct reason *why);
