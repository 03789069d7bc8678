/**
 * @file websocket.h  A websocket on the loop: DNS, TCP, TLS, upgrade, frames
 *
 * Client (websocket_connect) and server (websocket_listen) share everything
 * behind the upgrade.  The pure half - upgrade texts, frames, limits - is
 * daemon/ws/.
 *
 *   connect -> resolve -> tcp [-> proxy] -> tls -> upgrade -> open() ...
 *           message() ... -> closed()
 *                                  once, and only if the peer, the network or
 *                                  a limit ended it; never after
 *                                  websocket_close()
 *
 * All addresses of a name are tried (net/race.h).
 *
 * Limits (RFC 6455 section 10.4): a message up to 256 KiB is delivered, one up
 * to 4 MiB is read past and reported by dropped(), above that the connection
 * ends with 1009.  Control frames are capped.  A ping goes out after 5 s
 * without anything received; after 10 s the connection is dead (1006).  TCP_NODELAY
 * and TCP_USER_TIMEOUT (10 s) are set.  No extension is offered or taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/reason.h"

struct resolver; /* net/resolve.h */
struct websocket;
struct tls_context; /* net/tls.h */
struct tls_session;

/** Copied by websocket_connect(); any may be NULL. */
struct websocket_cb {
	/** Upgraded: messages may flow. */
	void (*open)(void *arg);
	/** One whole message, text checked to be UTF-8.  Borrowed.  May close. */
	void (*message)(bool text, const uint8_t *data, size_t len, void *arg);
	/** One message was over 256 KiB: `len` bytes were read past. */
	void (*dropped)(size_t len, void *arg);
	/** The send queue fell to `low_water` or below after it was above. */
	void (*writable)(void *arg);
	/** The last callback: it is over and not by us. */
	void (*closed)(const struct reason *why, void *arg);
};

/** Everything is copied but `tls` and `resolver`, which must outlive it. */
struct websocket_options {
	const char *host;       /**< Name or address, at most 253 bytes */
	uint16_t port;
	struct resolver *resolver; /**< Shared with others; NULL: its own */
	const struct tls_context *tls; /**< NULL: plain */
	const char *tls_name;   /**< Name to verify; NULL: host */
	const char *target;     /**< Path and query, "/v1/listen?x=1" */
	const char *headers;    /**< Further request lines, each ends in CRLF */
	const char *proxy_host; /**< HTTP proxy to go through; NULL: none */
	uint16_t proxy_port;
	const char *proxy_auth; /**< "user:password" for the proxy; NULL */
	uint32_t connect_timeout_ms;  /**< One address's TCP; 0: 3,000 */
	uint32_t upgrade_timeout_ms;  /**< Proxy, TLS and answer together; 0:
					   5,000 */
	size_t low_water;       /**< [bytes]; 0: 16 KiB */
	uint32_t ping_ms;       /**< A ping after this long without anything
				     received, dead after twice; 0: 5,000 */
};

/**
 * Parse "ws://host[:port][/path]" or "wss://...".  User info and fragment are
 * refused.
 *
 * @param target Everything from the path on, "/" when there is none; a pointer
 *               into `url` or to "/"
 *
 * @return 0 or -EINVAL
 */
int websocket_url(const char *url, bool *tls, char host[254], uint16_t *port,
		  const char **target);

/**
 * @return 0 or -errno.  Errors of the network come later, by closed(), never
 *         before this has returned.
 */
int websocket_connect(struct websocket **out, uv_loop_t *loop,
		      const struct websocket_options *o,
		      const struct websocket_cb *cb, void *arg);

/**
 * Queue one message.  Never empty: -EINVAL (an empty binary frame ends a
 * stream with some services).
 *
 * @return 0, -EINVAL, -ENOTCONN (not open, or closing) or -ENOMEM
 */
int websocket_send(struct websocket *ws, bool text, const void *data,
		   size_t len);
/** Bytes queued that the kernel has not taken. */
size_t websocket_queued(const struct websocket *ws);
/** The same and what the peer's host has not acknowledged. */
size_t websocket_unacknowledged(const struct websocket *ws);
/** Queue a ping (keep-alive of some services). */
int websocket_ping(struct websocket *ws);
/**
 * Begin the close handshake; nothing can be sent afterwards, messages still
 * come.  closed() reports the peer's answer (REASON_NONE), or 2 s later that
 * there was none.
 */
void websocket_finish(struct websocket *ws, unsigned code);
/** The same with a reason in words, up to 123 bytes; NULL: none. */
void websocket_finish_with(struct websocket *ws, unsigned code,
			   const char *reason);
/** Drop it at once; no callback afterwards.  NULL is fine. */
void websocket_close(struct websocket *ws);

/** When each phase was over, [ms] since websocket_connect(); 0: not (yet). */
struct websocket_phases {
	uint32_t dns, tcp, proxy, tls, upgrade;
	struct addr peer;       /**< The service's; the proxy's if there is one */
};
void websocket_phases(const struct websocket *ws,
		      struct websocket_phases *out);
/** NULL without TLS. */
const struct tls_session *websocket_tls(const struct websocket *ws);

/* -- the server's half --------------------------------------------------- */

struct websocket_server;

/** A client's upgrade request.  Borrowed for the callback. */
struct websocket_request {
	const char *target;
	struct addr peer;
	/** First value of a header, case-insensitive name, or NULL. */
	const char *(*header)(const struct websocket_request *r,
			      const char *name);
	const void *priv;
};

/** What the server answers. */
struct websocket_answer {
	unsigned status;         /**< 101 to accept; else this HTTP status */
	const char *headers;     /**< Further lines, each ends in CRLF; NULL */
	const char *body;        /**< With a status other than 101; NULL */
	bool wrong_accept;       /**< Faults on purpose, for a simulator: a */
	uint32_t delay_ms;       /**< false accept key, a late answer */
	const struct websocket_cb *cb; /**< Of the accepted connection */
	void *arg;
};

struct websocket_server_cb {
	/**
	 * Somebody connects; false: the connection is closed at once.  NULL:
	 * everybody is welcome.
	 *
	 * @param waiting Others whose requests have not come yet
	 */
	bool (*welcome)(const struct addr *peer, unsigned waiting, void *arg);
	/**
	 * Fill `answer` (zeroed: status 0 is a plain 400).  `ws` becomes the
	 * owner's when status is 101 (open() follows); otherwise it is ours.
	 */
	void (*request)(struct websocket *ws, const struct websocket_request *r,
			struct websocket_answer *answer, void *arg);
};

/** @param tls NULL: plain.  @return 0 or -errno (address in use ...) */
int websocket_listen(struct websocket_server **out, uv_loop_t *loop,
		     const struct addr *at, const struct tls_context *tls,
		     const struct websocket_server_cb *cb, void *arg);
/** Where it listens (the port chosen when 0 was asked for). */
struct addr websocket_server_address(const struct websocket_server *s);
/** Stops listening; accepted connections live on.  NULL is fine. */
void websocket_server_close(struct websocket_server *s);

/* -- faults on purpose, for a simulator and for tests --------------------- */

/** Reset the TCP connection, as a crashed host does. */
void websocket_reset(struct websocket *ws);
/** Stop and resume reading from the network. */
void websocket_pause(struct websocket *ws, bool paused);
/** Queue bytes below the framing (inside TLS). */
int websocket_send_raw(struct websocket *ws, const void *data, size_t len);
