/**
 * @file url.h  A websocket's address, "wss://host:port/path?query"
 *
 * RFC 3986 as far as RFC 6455 section 3 uses it.  Refused: user info (a secret
 * would stand in it), a fragment, a query without a path, white space and
 * control characters, a port of 0, host names that DNS could not hold (RFC 1035
 * section 2.3.4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct url {
	bool tls;           /**< wss */
	char host[254];     /**< Without the brackets of an IPv6 address */
	uint16_t port;      /**< 80 or 443 when none was given */
	const char *target; /**< Path and query, a pointer into the text; "/"
			         when there is no path (no query either) */
};

/** @return 0 or -EINVAL, `out` untouched */
int url_parse(struct url *out, const char *text);

/**
 * An HTTP proxy's address, "http://host:port" (a "/" may follow).  Port and
 * scheme must be there; user info is refused, it has a file of its own.
 *
 * @return 0 or -EINVAL, outputs untouched
 */
int url_parse_proxy(char host[254], uint16_t *port, const char *text);

/** "localhost", 127.0.0.0/8 or ::1: never leaves this machine. */
bool url_host_is_loopback(const char *host);
