/**
 * @file sdes.h  Keys of SRTP in an SDP: a=crypto (RFC 4568)
 *
 *   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<base64>|2^31|1:4 KDR=0
 *            tag suite                 key and salt  lifetime MKI:bytes
 *
 * sdp_parse() puts the lines we can use into struct sdp_media, in the order of
 * the offer.  To answer one:
 *
 *     if (m->n_crypto) {
 *             random_bytes(random, sizeof(random));
 *             sdes_answer(line, &ours, &m->crypto[0], random);
 *             // line: the value of a=crypto, for answer_decide() (answer.h)
 *             remote.key = m->crypto[0].key;   // struct rtp_remote: theirs
 *             remote.our_key = ours;           // of our reports (SRTCP)
 *     } else if (m->secure) {
 *             // SRTP is a must and no line of it can be used: refuse it
 *     }
 *
 * On a re-offer with the same line, answer with the same key of ours
 * (sdes_print()); a key of theirs that changed gets a new one of ours, too.
 * Keys are secrets: no line of these into a log or an event.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/srtp_key.h"

enum { SDES_LINES_MAX = 8, SDES_TEXT_MAX = 128 };

/** One line that can be used. */
struct sdes {
	uint32_t tag;            /**< 1..999,999,999 */
	struct srtp_key key;     /**< Of who sent the SDP, for what it sends */
};

/**
 * @param value What is behind "a=crypto:"
 *
 * @return 0, -EBADMSG (not as RFC 4568 says, or a key of another length),
 *         -ENOTSUP (a suite or key method not known, several keys, an MKI of
 *         more than 8 bytes, a parameter that changes what we would have to
 *         do)
 */
int sdes_parse(struct sdes *out, const char *value, size_t len);

/**
 * The value of the attribute: what is behind "a=crypto:".
 *
 * @return bytes, without the NUL
 */
size_t sdes_print(char out[SDES_TEXT_MAX], uint32_t tag,
		  const struct srtp_key *key);

/**
 * Our side of a line that was offered: its tag and suite, a key of our own.
 *
 * @param key For what we send (reports)
 * @param random Bytes nobody can guess; a key's worth is used
 *
 * @return bytes of `out`, without the NUL
 */
size_t sdes_answer(char out[SDES_TEXT_MAX], struct srtp_key *key,
		   const struct sdes *offered,
		   const uint8_t random[SRTP_KEY_BYTES]);
