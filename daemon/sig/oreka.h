/**
 * @file oreka.h  What FreeSWITCH's mod_oreka announces
 *
 * Datagrams that look like SIP and are not (reference: telephony section
 * 1.3.3): nobody reads an answer, the INVITEs of both streams share Call-ID,
 * tags, branch and CSeq, the tag stands inside the angle brackets, names have
 * blanks within a URI.  So nothing is parsed but what is needed: one INVITE,
 * later one BYE for each stream,
 *
 *    Call-ID: <the channel's UUID>
 *    From: <sip:NUMBER@FREESWITCH:5061;tag=1>
 *    To: <sip:NUMBER@FREESWITCH:5060>
 *    Subject: BEGIN RX recording of NAME    (RX: what FreeSWITCH hears from
 *                                            the party; TX: what it says)
 *
 *    o=freeswitch UUID 1 IN IP4 FREESWITCH
 *    c=IN IP4 RECORDER
 *    m=audio PORT RTP/AVP 0                 (of both ends)
 *
 * and headers of the operator's.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/base/event.h"

enum {
	OREKA_MAX = 8 * 1024,  /**< [bytes] of a datagram */
	OREKA_CALL_ID = 48,    /**< Bytes with its NUL; so the next */
	OREKA_TEXT = 128,
	OREKA_HEADERS = 16,
};

struct oreka_header {
	char name[EVENT_ID];   /**< [A-Za-z0-9._-] */
	char value[OREKA_TEXT];
};

struct oreka_message {
	bool begin;            /**< INVITE; false: BYE, which has no addresses */
	bool tx;
	char call_id[OREKA_CALL_ID]; /**< [A-Za-z0-9._-]{1,47} */
	char from[OREKA_TEXT], to[OREKA_TEXT]; /**< Numbers; "": none */
	struct addr sender;    /**< FreeSWITCH's; family 0: not said */
	struct addr at;        /**< Where it sends to, IPv4, port and all */
	struct oreka_header headers[OREKA_HEADERS];
	size_t n_headers;      /**< Those that are none of mod_oreka's own */
};

/** @return 0, -EMSGSIZE or -EBADMSG (it is none); `out` is then not to be
 * looked at */
int oreka_parse(struct oreka_message *out, const uint8_t *data, size_t len);
