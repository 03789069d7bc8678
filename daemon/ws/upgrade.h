/**
 * @file upgrade.h  The client's side of the upgrade (RFC 6455 section 4.1)
 *
 * Pure: text out, answer in, piece by piece.  Only a 101 that proves that our
 * key was understood is taken; an extension or a subprotocol that was not
 * offered, a redirect and anything else is refused with a reason in words.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/reason.h"
#include "daemon/ws/accept.h"

struct upgrade;

/**
 * Append the request.
 *
 * @param host Name or address; an IPv6 address without brackets
 * @param port 0, or the scheme's own: not told
 * @param headers Further lines, each ends in CRLF; NULL: none
 *
 * @return 0, -EINVAL (control characters, spaces in the target, lines that are
 *         no header lines, or headers that are this function's) or -ENOMEM
 */
int upgrade_request(struct buf *out, const char *host, uint16_t port, bool tls,
		    const char *target, const char *headers, const char *key);

/**
 * Reader of the answer to that request.
 *
 * `target` and `headers` are those of the request: its subprotocols may be
 * taken, and its secrets are struck out where a service repeats them.
 *
 * @return 0 or -ENOMEM
 */
int upgrade_new(struct upgrade **out, const char *key, const char *target,
		const char *headers);
void upgrade_free(struct upgrade *u);

/**
 * @param used Bytes that belong to the answer; frames follow behind them
 *
 * @return 1 (upgraded), 0 (more is needed) or -errno with `why`: -EPROTO
 *         (refused: class of the HTTP status, or REASON_CONFIG), -EBADMSG,
 *         -EMSGSIZE (REASON_PROTOCOL) or -ENOMEM
 */
int upgrade_feed(struct upgrade *u, const uint8_t *data, size_t len,
		 size_t *used, struct reason *why);

/**
 * The connection is over, or time is up, before the answer was whole.
 *
 * @param u NULL: not even asked
 *
 * @return Was there a status?  Then `why` tells it; else it is untouched.
 */
bool upgrade_cut(struct upgrade *u, struct reason *why);
