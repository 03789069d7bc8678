/**
 * @file frames.h  Websocket frames, either role (RFC 6455 section 5 to 7)
 *
 *   network --> frames_feed() --> message(), dropped()   and a verdict
 *   network <-- struct buf    <-- frames_message(), _ping(), _close(), _pongs()
 *
 * wslay judges what comes in; a message is put together here within
 * FRAMES_MESSAGE bytes, whatever length a frame announces.  What it gets wrong
 * (1.1.1) is put right: close codes 1012 to 1014 are told, a close of one byte
 * and a reason that is not UTF-8 are errors however the bytes are split, and
 * every violation has a close code.
 *
 * Pure: time and randomness are arguments.  One owner, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

enum {
	FRAMES_MESSAGE = 256 * 1024,   /**< Delivered up to this [bytes] */
	FRAMES_MAX = 4 * 1024 * 1024,  /**< Read past up to this, then 1009 */
	FRAMES_PONGS = 16,             /**< Answers kept; then the newest */
	FRAMES_CONTROLS = 1000,        /**< Control frames a second */
	FRAMES_REASON = 124,           /**< Close reason with its NUL */
};

struct frames;

/** May call frames_stop(), never frames_free(). */
struct frames_cb {
	/** A whole message; text is UTF-8.  `len` may be 0.  Borrowed. */
	void (*message)(bool text, const uint8_t *data, size_t len, void *arg);
	/** A message over FRAMES_MESSAGE, `len` bytes, was read past. */
	void (*dropped)(size_t len, void *arg);
};

/** Fill with bytes nobody can foresee (RFC 6455 section 10.3). */
typedef void frames_random_fn(uint8_t *out, size_t len, void *arg);

/** How reading ended. */
struct frames_end {
	unsigned code;             /**< The peer's (1005: none given), or the
					one to close with */
	char text[FRAMES_REASON];  /**< The peer's reason, printable; or what
					is wrong, in words */
};

/**
 * @param random For a client's masks; unused in a server
 *
 * @return 0 or -ENOMEM
 */
int frames_new(struct frames **out, bool server, frames_random_fn *random,
	       const struct frames_cb *cb, void *arg);
void frames_free(struct frames *f);

/**
 * Bytes from the peer.
 *
 * @param now_us Any clock that does not go back
 *
 * @return 0 (go on), 1 (the peer closed: `end`), -EPROTO (it broke the rules
 *         or a limit: close with `end`), -ENOMEM or -ECANCELED (frames_stop()).
 *         After anything but 0 the rest is not read.
 */
int frames_feed(struct frames *f, const uint8_t *data, size_t len,
		uint64_t now_us, struct frames_end *end);
/** Deliver nothing more; frames_feed() returns -ECANCELED. */
void frames_stop(struct frames *f);

/* Each appends one frame to `out`: 0, -EINVAL or -ENOMEM. */

/** Not empty: with some services an empty binary frame ends the stream. */
int frames_message(struct frames *f, bool text, const void *data, size_t len,
		   struct buf *out);
int frames_ping(struct frames *f, struct buf *out);
/** @param code 0: none.  @param reason NULL: none; cut to 123 bytes */
int frames_close(struct frames *f, unsigned code, const char *reason,
		 struct buf *out);
/** The answers to pings: call whenever the network can take bytes. */
int frames_pongs(struct frames *f, struct buf *out);

enum { FRAMES_KINDS = 2 * 64 + 1 };
/** What kinds of frames came last, for whoever looks into a broken rule: their
 * first bytes (FIN, RSV, opcode), oldest first, in hex.  No content. */
void frames_kinds(const struct frames *f, char out[FRAMES_KINDS]);

/** May this code stand in a close frame (RFC 6455 section 7.4, IANA)? */
bool frames_close_code(unsigned code);
