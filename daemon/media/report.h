/**
 * @file report.h  What a receiver says of what it gets (RFC 3550 section 6.4.2)
 *
 * Counted as in appendices A.1, A.3 and A.8, at 8 kHz.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/media/rtcp.h"
#include "daemon/media/rtp.h"

enum { REPORT_MAX = 80, REPORT_CNAME = 32 };

/** `{0}`: nothing came yet. */
struct report {
	bool began;
	uint32_t ssrc;           /**< Of the source */
	uint16_t max_seq;
	uint16_t base_seq;
	uint32_t bad_seq;        /**< A jump that one more confirms */
	uint32_t cycles;
	uint64_t received;
	uint64_t expected_prior, received_prior;
	uint32_t transit;
	uint32_t jitter;         /**< [1/16 of a tick] */
	bool sender;             /**< An SR was seen ... */
	uint32_t sr;             /**< ... the middle of its NTP time */
	uint64_t sr_us;
};

/** A packet of the source that speaks; another SSRC begins anew. */
void report_packet(struct report *r, const struct rtp *h, uint64_t at_us);
/** A sender report of `ssrc`; of no other is taken note. */
void report_sender(struct report *r, uint32_t ssrc, const struct rtcp_sender *s,
		   uint64_t at_us);
/**
 * RR and SDES; begins the next interval.
 *
 * @param ssrc Our own
 * @param cname At most REPORT_CNAME bytes count
 *
 * @return bytes written
 */
size_t report_print(uint8_t out[REPORT_MAX], struct report *r, uint32_t ssrc,
		    const char *cname, uint64_t now_us);
