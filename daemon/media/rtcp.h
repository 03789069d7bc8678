/**
 * @file rtcp.h  RTCP compound packets (RFC 3550 section 6, RFC 5506)
 *
 * No more than this daemon needs: to tell RTCP from RTP on one port, to see a
 * sender report and a BYE.  The walk checks every length against the bytes
 * that are there; the first packet need not be a report (RFC 5506, and there
 * are phones that begin with APP).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/rd.h"

enum rtcp_type {
	RTCP_SR   = 200,
	RTCP_RR   = 201,
	RTCP_SDES = 202,
	RTCP_BYE  = 203,
	RTCP_APP  = 204,
};

/** One packet of a compound; a view into the datagram. */
struct rtcp {
	uint8_t type;        /**< enum rtcp_type, or any 192..223 */
	uint8_t count;       /**< Report blocks, chunks, sources; APP: subtype */
	uint32_t ssrc;       /**< The first source named; 0: none (an empty
				  SDES or BYE) */
	const uint8_t *body; /**< Behind the 4 bytes of the header */
	size_t len;          /**< [bytes] of body, padding taken off */
};

/** What a sender says about its own clock (RFC 3550 section 6.4.1). */
struct rtcp_sender {
	uint64_t ntp;        /**< [2^-32 s] since 1900 */
	uint32_t ts;         /**< RTP timestamp of that moment */
	uint32_t packets;    /**< Sent so far */
	uint32_t octets;     /**< Payload bytes sent so far */
};

/**
 * RTP or RTCP?  By the second byte, 192..223: RTP payload types 64..95 with
 * the marker, which RFC 5761 section 4 keeps free for this.
 *
 * @return false for anything that is not version 2, or shorter than the 4
 *         bytes of an RTCP header
 */
bool rtcp_is(const uint8_t *data, size_t len);

/**
 * The whole compound holds together: every length fits, padding only in the
 * last packet, every report, chunk and source it counts is there.
 *
 * @return number of packets in it, -EBADMSG or -EPROTO (not version 2, or a
 *         type outside 192..223)
 */
int rtcp_check(const uint8_t *data, size_t len);

/**
 * The next packet.
 *
 * @param r From rd_of() over the datagram
 *
 * @return 1, 0 at the end, or -EBADMSG, -EPROTO as rtcp_check(); `out`
 *         untouched unless 1
 */
int rtcp_next(struct rtcp *out, struct rd *r);

/** @return 0, or -EINVAL: not an SR */
int rtcp_sender(struct rtcp_sender *out, const struct rtcp *sr);

/** Is `ssrc` among the sources that a BYE names?  False for other types. */
bool rtcp_bye_names(const struct rtcp *bye, uint32_t ssrc);
