/**
 * @file reason.h  Why a connection to an ASR service failed or ended
 *
 * The classes decide what is done next (reference: the retry table in
 * daemon/call/retry.h); the same words stand in events, status and metrics.
 */
#pragma once

#include <stdint.h>

enum reason_class {
	REASON_NONE,       /**< Ended as it should */
	REASON_DNS,        /**< Name does not resolve */
	REASON_TCP,        /**< Refused, unreachable, timed out */
	REASON_TLS,        /**< Certificate or handshake: never falls back */
	REASON_CONFIG,     /**< The service does not know what we ask for: 400,
				404, 3xx, 200 for 101, wrong accept key */
	REASON_AUTH,       /**< 401, 403 */
	REASON_PAYMENT,    /**< 402 */
	REASON_QUOTA,      /**< 429, too many sessions, 1013 */
	REASON_SERVER,     /**< 5xx, 1011 */
	REASON_RESTART,    /**< 1000 while audio flows, 1001, 1012 */
	REASON_NETWORK,    /**< Reset, end without close, no pong: 1006 */
	REASON_PROTOCOL,   /**< Frames or messages make no sense: 1002, 1003,
				1007, 1009, 1010 */
	REASON_SESSION,    /**< The service's session limit: open a new one */
	REASON_SPEED,      /**< Audio came too fast */
	REASON_TIMEOUT,    /**< Connected, but ready, pong or results are late */
	REASON_CLASSES,
};

enum { REASON_TEXT = 192 };

/** A value; the text is printable UTF-8 and never holds a secret. */
struct reason {
	enum reason_class class;
	unsigned code;           /**< HTTP status or close code; 0: none */
	uint32_t retry_after_ms; /**< As the service asked; 0: it did not */
	char text[REASON_TEXT];  /**< What happened and what to do about it */
};

/** "dns" "tcp" "tls" "config" "auth" "payment" "quota" "server" "restart"
 * "network" "protocol" "session" "speed" "timeout" "none" */
const char *reason_name(enum reason_class c);

/** Fill in; control characters and bytes that are not UTF-8 are replaced. */
void reason_set(struct reason *r, enum reason_class c, unsigned code,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * Put '*' over each `secret` in the text, also one that the text's end cuts off:
 * services repeat keys in what they say.  One below 8 bytes stays: it would take
 * words along.
 */
void reason_strike(struct reason *r, const char *secret);

/** What an HTTP status at the upgrade means where a vendor says nothing. */
enum reason_class reason_of_http(unsigned status);
/** What a close code means where a vendor says nothing. */
enum reason_class reason_of_close(unsigned code);
