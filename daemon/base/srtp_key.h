/**
 * @file srtp_key.h  A master key of SRTP, as signalling hands it to the media
 *
 * Suites by their names in RFC 4568 section 6.2, RFC 6188 and RFC 7714.
 * Secret: never logged; whoever holds one wipes it when it goes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum srtp_suite {
	SRTP_NONE,               /**< No key */
	SRTP_AES_CM_128_80,      /**< AES_CM_128_HMAC_SHA1_80 */
	SRTP_AES_CM_128_32,      /**< AES_CM_128_HMAC_SHA1_32 */
	SRTP_AES_256_CM_80,      /**< AES_256_CM_HMAC_SHA1_80 */
	SRTP_AES_256_CM_32,      /**< AES_256_CM_HMAC_SHA1_32 */
	SRTP_AES_128_GCM,        /**< AEAD_AES_128_GCM */
	SRTP_AES_256_GCM,        /**< AEAD_AES_256_GCM */
	SRTP_SUITES,
};

enum { SRTP_KEY_BYTES = 46, SRTP_MKI_BYTES = 8 };

/** `{0}`: no key, media is plain. */
struct srtp_key {
	uint8_t suite;                /**< enum srtp_suite */
	uint8_t mki_len;              /**< [bytes]; 0: packets carry none */
	uint8_t mki[SRTP_MKI_BYTES];  /**< As on the wire */
	uint8_t key[SRTP_KEY_BYTES];  /**< Master key, then salt; zeros behind */
};

/** [bytes] of master key and salt; 0 of SRTP_NONE. */
static inline unsigned srtp_key_len(uint8_t suite)
{
	static const uint8_t len[SRTP_SUITES] = { 0, 30, 30, 46, 46, 28, 44 };

	return suite < SRTP_SUITES ? len[suite] : 0;
}

static inline bool srtp_key_equal(const struct srtp_key *a,
				  const struct srtp_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
