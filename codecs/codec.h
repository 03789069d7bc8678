/**
 * @file codec.h  One audio codec, as data and pure functions
 *
 * To add one: write codecs/codec_<name>.c defining `codec_<name>`.  The
 * Makefile finds the file and puts it in the registry; nothing else changes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct codec {
	const char *name;    /**< RTP encoding name (IANA), "PCMU" */
	int pt;              /**< Static payload type (RFC 3551), or -1 */
	uint32_t clock_hz;   /**< RTP timestamp rate [Hz] */
	uint32_t rate_hz;    /**< Decoded PCM rate [Hz], mono */
	size_t sample_bytes; /**< Payload bytes of one sample */

	/**
	 * Decode `n` samples.
	 *
	 * @param pcm `n` native-endian 16-bit samples; may have any alignment
	 *            int16_t allows, must not overlap `data`
	 * @param data `n` * sample_bytes bytes, any alignment
	 */
	void (*decode)(int16_t *pcm, const uint8_t *data, size_t n);

	/** The way back: `n` samples to `n` * sample_bytes bytes. */
	void (*encode)(uint8_t *data, const int16_t *pcm, size_t n);
};

/**
 * Choose the fastest kernels this processor has.  Called once, at start;
 * without it the portable ones are used.
 *
 * @param force NULL, or one of "portable" "avx2" "avx512" "neon" (what
 *              TRUNKSCRIBE_SIMD says)
 * @return 0, -EINVAL (no such kernel) or -ENOTSUP (not on this processor)
 */
int codecs_init(const char *force);

/** Name of the kernels in use: "portable" "avx2" "avx512" "neon". */
const char *codecs_kernel(void);

/** Find by static payload type, or NULL. */
const struct codec *codec_by_pt(int pt);

/** Find by encoding name (case-insensitive, RFC 8866 section 6.6), or NULL. */
const struct codec *codec_by_name(const char *name);
