/** @file report.c  What a receiver says of what it gets */
#include "daemon/media/report.h"

#include <string.h>

enum {
	/* RFC 3550 appendix A.1 */
	MAX_DROPOUT = 3000,
	MAX_MISORDER = 100,
	NO_SEQ = 0x10000,
	LOST_MAX = 0x7fffff,
	LOST_MIN = -0x800000,
	RR_BLOCK_WORDS = 6,
};

static void begin(struct report *r, const struct rtp *h, uint32_t transit)
{
	*r = (struct report){
		.began = true, .ssrc = h->ssrc, .max_seq = h->seq,
		.base_seq = h->seq, .bad_seq = NO_SEQ, .received = 1,
		.transit = transit,
	};
}

enum verdict { IGNORED, COUNTED, BEGUN_ANEW };

static enum verdict count_seq(struct report *r, uint16_t seq)
{
	const uint16_t ahead = (uint16_t)(seq - r->max_seq);

	if (ahead < MAX_DROPOUT) {
		if (seq < r->max_seq)
			r->cycles += 0x10000;
		r->max_seq = seq;
	} else if (ahead <= 0x10000 - MAX_MISORDER) {
		const bool again = seq == r->bad_seq;

		r->bad_seq = (uint16_t)(seq + 1);
		return again ? BEGUN_ANEW : IGNORED;
	}
	r->bad_seq = NO_SEQ;
	return COUNTED;
}

void report_packet(struct report *r, const struct rtp *h, uint64_t at_us)
{
	const uint32_t transit = (uint32_t)(at_us * 8 / 1000) - h->ts;

	if (!r->began || r->ssrc != h->ssrc) {
		begin(r, h, transit);
		return;
	}
	switch (count_seq(r, h->seq)) {
	case IGNORED:
		return;
	case BEGUN_ANEW:
		begin(r, h, transit);
		return;
	case COUNTED:
		break;
	}
	r->received++;

	const int32_t d = (int32_t)(transit - r->transit);
	r->transit = transit;
	r->jitter += (uint32_t)(d < 0 ? -(int64_t)d : d) -
		     ((r->jitter + 8) >> 4);
}

void report_sender(struct report *r, uint32_t ssrc, const struct rtcp_sender *s,
		   uint64_t at_us)
{
	if (!r->began || r->ssrc != ssrc)
		return;
	r->sender = true;
	r->sr = (uint32_t)(s->ntp >> 16);
	r->sr_us = at_us;
}

static uint8_t *put_u32(uint8_t *at, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(v >> shift);
	return at;
}

static uint8_t *put_head(uint8_t *at, unsigned count, enum rtcp_type type,
			 size_t words, uint32_t ssrc)
{
	at = put_u32(at, 0x80000000u | count << 24 | (uint32_t)type << 16 |
			 (uint32_t)words);
	return put_u32(at, ssrc);
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* Appendix A.3. */
static uint8_t *put_block(uint8_t *at, struct report *r, uint64_t now_us)
{
	const uint32_t highest = r->cycles + r->max_seq;
	const uint64_t expected = (uint64_t)highest - r->base_seq + 1;
	const int64_t lost = (int64_t)(expected - r->received);
	const int64_t wanted = (int64_t)(expected - r->expected_prior);
	const int64_t missing =
		wanted - (int64_t)(r->received - r->received_prior);
	const int64_t fraction =
		wanted > 0 && missing > 0 ? missing * 256 / wanted : 0;

	r->expected_prior = expected;
	r->received_prior = r->received;
	at = put_u32(at, r->ssrc);
	at = put_u32(at, (uint32_t)clamp(fraction, 0, 255) << 24 |
			 ((uint32_t)clamp(lost, LOST_MIN, LOST_MAX) &
			  0xffffff));
	at = put_u32(at, highest);
	at = put_u32(at, r->jitter >> 4);
	at = put_u32(at, r->sender ? r->sr : 0);
	return put_u32(at, r->sender ? (uint32_t)((now_us - r->sr_us) * 65536 /
						  1000000)
				     : 0);
}

static uint8_t *put_cname(uint8_t *at, uint32_t ssrc, const char *cname)
{
	enum { SDES_CNAME = 1 };
	const size_t n = strnlen(cname, REPORT_CNAME);
	/* type, length, text, and one to four zeros that end the chunk */
	const size_t item = (2 + n) / 4 * 4 + 4;

	at = put_head(at, 1, RTCP_SDES, 1 + item / 4, ssrc);
	memset(at, 0, item);
	at[0] = SDES_CNAME;
	at[1] = (uint8_t)n;
	memcpy(at + 2, cname, n);
	return at + item;
}

size_t report_print(uint8_t out[REPORT_MAX], struct report *r, uint32_t ssrc,
		    const char *cname, uint64_t now_us)
{
	const size_t words = 1 + (r->began ? RR_BLOCK_WORDS : 0);
	uint8_t *at = put_head(out, r->began, RTCP_RR, words, ssrc);

	if (r->began)
		at = put_block(at, r, now_us);
	return (size_t)(put_cname(at, ssrc, cname) - out);
}
