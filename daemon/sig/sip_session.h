/**
 * @file sip_session.h  Session timers (RFC 4028), never as the refresher
 *
 * Asked for by a caller that knows them, they hold: it refreshes, we end the
 * call when it did not.  A caller that does not know them, or wants us to
 * refresh, gets an answer without them.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/sig/sip_fields.h"

enum { SIP_MIN_SE_S = 90 };

/**
 * @param headers What the answer needs is appended
 * @param session_s The interval from here on; 0: none
 *
 * @return 0, or 422 (too short), or 400
 */
unsigned sip_session(struct buf *headers, uint32_t *session_s,
		     const struct sip_fields *f);
/** How long after a refresh the other side ends it: a third earlier, at most
 * 32 s (section 10). */
uint32_t sip_session_ends_s(uint32_t session_s);
