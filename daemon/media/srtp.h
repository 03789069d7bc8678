/**
 * @file srtp.h  SRTP and SRTCP (RFC 3711, 6188, 7714) by libsrtp2
 *
 * What the other side encrypts is authenticated and decrypted before anything
 * else looks at it; failures change nothing.  Replay window 128 packets for
 * each SSRC; the 16 SSRCs that spoke last are known, so a sender cannot make
 * us take memory without end.
 *
 * A new key is a new context.  The one before it is believed until the new one
 * has spoken (and 16 packets more: those that overtake each other).  Plain
 * packets are not believed once a key was set.
 *
 * The rollover counter of an SSRC begins at 0; one that began just before the
 * sequence wrapped, or that was kept by a sender that changed the key (both
 * ways are met), is found by the tag.
 *
 * Pure, but for libsrtp2's tables, which srtp_prepare() or the first context
 * makes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/srtp_key.h"

/* Not libsrtp2's header: its names are its own */
struct srtp_ctx_t_;

enum { SRTP_SOURCES = 16 };

/** Make the library's tables now (some 25 ms), so that no call has to wait for
 * them.  @return 0 or -ENOTSUP: none can be decrypted */
int srtp_prepare(void);

/** One context: a key, and what came with it. */
struct srtp_context {
	struct srtp_ctx_t_ *ctx;      /**< NULL: plain */
	struct srtp_key key;
	uint32_t spoke[SRTP_SOURCES]; /**< SSRCs, the last one first */
	uint8_t n_spoke;
	uint8_t packets;              /**< Of RTP; counts to 255 */
	uint32_t failed;              /**< SSRCs that were not known */
};

/** What is received; `{0}`: plain. */
struct srtp_in {
	struct srtp_context now;
	struct srtp_context before;   /**< Believed until `now` has spoken */
};

/** Where a decrypted packet goes; a longer one is none of ours. */
struct srtp_plain {
	_Alignas(8) uint8_t data[2048];
	size_t len;                   /**< [bytes] */
};

/**
 * The key of what will come.  The one that is in force already: goes on (its
 * packet counters, too).  SRTP_NONE: plain from here on; what still comes with
 * the key before is understood.
 *
 * @return 0, -EINVAL (no such suite), -ENOTSUP (this libsrtp2 has not got it)
 *         or -ENOMEM; nothing changed on error
 */
int srtp_in_set(struct srtp_in *s, const struct srtp_key *key);
void srtp_in_clear(struct srtp_in *s);

/** Nothing is to be decrypted: packets are to be used as they came. */
static inline bool srtp_in_is_plain(const struct srtp_in *s)
{
	return !s->now.ctx && !s->before.ctx;
}

/**
 * Authenticate and decrypt.
 *
 * @param out The RTP or RTCP packet; untouched on error
 *
 * @return 0, -EBADMSG (cannot be one: too short, version), -EMSGSIZE, -EACCES
 *         (not authentic), -EALREADY (came before, or too old to tell)
 */
int srtp_in_rtp(struct srtp_in *s, struct srtp_plain *out, const uint8_t *data,
		size_t len);
int srtp_in_rtcp(struct srtp_in *s, struct srtp_plain *out, const uint8_t *data,
		 size_t len);

/** What is sent: RTCP only; `{0}`: plain. */
struct srtp_out {
	struct srtp_context now;
};

enum { SRTP_OUT_GROWTH = 32 };  /**< [bytes] at most that encryption adds */

/** As srtp_in_set(); the same key goes on.  Its MKI is not sent: the keys we
 * offer have none. */
int srtp_out_set(struct srtp_out *s, const struct srtp_key *key);
void srtp_out_clear(struct srtp_out *s);
/**
 * Encrypt in place.
 *
 * @param data 4-byte aligned; SRTP_OUT_GROWTH bytes of room behind `len`
 * @return bytes, or -EINVAL
 */
int srtp_out_rtcp(struct srtp_out *s, uint8_t *data, size_t len);
