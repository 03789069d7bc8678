/**
 * @file sip_uri.h  Where a SIP URI points to (RFC 3261 section 19.1)
 *
 * Only what routing needs: a view into the text.
 */
#pragma once

#include "daemon/base/addr.h"
#include "daemon/sig/sip_head.h"

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

struct sip_uri {
	struct sip_text whole;    /**< Without the brackets around it */
	struct sip_text host;     /**< Without the brackets of IPv6 */
	uint16_t port;            /**< 0: not said */
	bool sips, lr;
	bool has_transport;
	enum sip_transport transport; /**< As said, or of the scheme */
};

/**
 * @param value A URI, or a name-addr ("A" <sip:a@b>;tag=c)
 * @return 0 or -EBADMSG: no sip: or sips: URI with a host
 */
int sip_uri_read(struct sip_uri *out, struct sip_text value);
/** Its host as an address, with the port or 5060, 5061 for sips; no names.
 * @return 0 or -EBADMSG */
int sip_uri_address(struct addr *out, const struct sip_uri *u);
/** What stands between < and >, or in front of the first parameter. */
struct sip_text sip_bare_uri(struct sip_text value);
/** "udp" "tcp" "tls" */
const char *sip_transport_name(enum sip_transport t);
