/**
 * @file sip_sockets.h  What SIP comes in by: UDP, TCP, TLS
 *
 * Whole messages come out, with where they came from; an answer goes back the
 * same way (over UDP from the socket it came to).  Limits (reference:
 * reliability section 1.4): 256 connections, 16 of one source, a whole message
 * within 10 s, 600 s of silence.  A TCP source outside of `permit` gets 2 s and
 * 16 connections together, to be told 403; over TLS it is closed at once.
 *
 * Keep-alives (RFC 5626 section 4.4.1): CRLF CRLF is answered with CRLF over
 * TCP and TLS, single line ends and empty datagrams say nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/reason.h"
#include "daemon/base/timers.h"
#include "daemon/cfg/config.h"
#include "daemon/net/clock.h"
#include "daemon/sig/sip_uri.h"

struct sip_sockets;

/** The other end; a value that may be kept. */
struct sip_peer {
	enum sip_transport transport;
	struct addr from;         /**< Theirs */
	struct addr at;           /**< Ours */
	unsigned socket;          /**< UDP: which one */
	uint64_t link;            /**< TCP, TLS: which connection; never 0 */
};

struct sip_sockets_config {
	uv_loop_t *loop;
	struct timers *timers;
	struct clock_live *clock;
	const struct config *config;
	/** May this source call? */
	bool (*permitted)(const struct addr *from, void *arg);
	/** Does a call hang on this connection?  Then it may be silent, and
	 * does not count as one too many of its source. */
	bool (*used)(const struct sip_peer *p, void *arg);
	/** One message; borrowed. */
	void (*message)(const struct sip_peer *p, const uint8_t *data,
			size_t len, void *arg);
	void *arg;
};

/** @param why On error: what is wrong and what to do
 *  @return 0 or -errno */
int sip_sockets_open(struct sip_sockets **out,
		     const struct sip_sockets_config *cfg, struct reason *why);
/** NULL is fine; no callback afterwards. */
void sip_sockets_close(struct sip_sockets *s);

/**
 * Send at once or not at all.  Over TCP and TLS by the connection it names,
 * or, when that is gone, by another of the same source; over TCP else by a new
 * one.
 *
 * @param to UDP: where to; TCP: where they listen
 * @return 0 or -errno
 */
int sip_sockets_send(struct sip_sockets *s, const struct sip_peer *p,
		     const struct addr *to, const void *data, size_t len);

/** Connections there are, and those that were refused. */
unsigned sip_sockets_links(const struct sip_sockets *s);
uint64_t sip_sockets_refused(const struct sip_sockets *s);
