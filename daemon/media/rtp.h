/**
 * @file rtp.h  RTP header (RFC 3550 section 5.1)
 *
 * Telling RTP from RTCP on one port: RFC 5761 section 4 (rtcp.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A view into the datagram: contributing sources, extension and padding are
 * already cut off. */
struct rtp {
	uint32_t ssrc;
	uint32_t ts;            /**< [RTP clock ticks] */
	uint16_t seq;
	uint8_t pt;             /**< 0..127 */
	bool marker;
	const uint8_t *payload; /**< Borrowed from the datagram */
	size_t len;             /**< Payload bytes present */
	size_t wire_len;        /**< Payload bytes there were on the wire;
				     more than `len` only in a capture that
				     cut packets off */
};

/**
 * @param len Bytes present
 * @param wire_len Bytes there were, >= len.  Where it is larger, padding
 *                 cannot be read and is counted as payload.
 *
 * @return 0, -EBADMSG (too short for what it announces) or -EPROTO (not
 *         version 2); `out` untouched on error
 */
int rtp_parse(struct rtp *out, const uint8_t *data, size_t len,
	      size_t wire_len);

/** Signed distance a - b of sequence numbers, across the wrap. */
static inline int rtp_seq_diff(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

/** Signed distance a - b of timestamps, across the wrap. */
static inline int64_t rtp_ts_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}
