/** @file rtcp.c  RTCP compound packets */
#include "daemon/media/rtcp.h"

#include <errno.h>

enum {
	RTCP_FIRST   = 192, /* RFC 5761 section 4 */
	RTCP_LAST    = 223,
	RTCP_HEADER  = 4,
	RTCP_PAD     = 0x20,
	RTCP_COUNT   = 0x1f,
	SENDER_INFO  = 20,
	REPORT_BLOCK = 24,
};

bool rtcp_is(const uint8_t *data, size_t len)
{
	return len >= RTCP_HEADER && data[0] >> 6 == 2 &&
	       data[1] >= RTCP_FIRST && data[1] <= RTCP_LAST;
}

/* RFC 3550 section 6.5: chunks of items, each chunk ended by a null octet and
 * filled to a word. */
static bool sdes_holds(struct rd r, unsigned chunks)
{
	while (chunks--) {
		const uint8_t *begin = r.p;

		rd_u32(&r);
		for (uint8_t item = rd_u8(&r); item; item = rd_u8(&r))
			rd_take(&r, rd_u8(&r));
		const size_t odd = (size_t)(r.p - begin) % 4;
		if (r.bad)
			return false;
		rd_take(&r, odd ? 4 - odd : 0);
	}

	return !r.bad;
}

/* RFC 3550 section 6.6: the reason is optional. */
static bool bye_holds(struct rd r, unsigned sources)
{
	rd_take(&r, 4 * (size_t)sources);
	if (rd_left(&r))
		rd_take(&r, rd_u8(&r));
	return !r.bad;
}

static bool body_holds(const struct rtcp *p)
{
	struct rd r = rd_of(p->body, p->len);

	switch (p->type) {
	case RTCP_SR:
		rd_take(&r, 4 + SENDER_INFO + (size_t)p->count * REPORT_BLOCK);
		return !r.bad;
	case RTCP_RR:
		rd_take(&r, 4 + (size_t)p->count * REPORT_BLOCK);
		return !r.bad;
	case RTCP_SDES:
		return sdes_holds(r, p->count);
	case RTCP_BYE:
		return bye_holds(r, p->count);
	case RTCP_APP:
		rd_take(&r, 8);
		return !r.bad;
	default:
		return true;
	}
}

static bool strip_padding(struct rtcp *p)
{
	const size_t pad = p->len ? p->body[p->len - 1] : 0;

	if (pad == 0 || pad % 4 || pad > p->len)
		return false;

	p->len -= pad;
	return true;
}

int rtcp_next(struct rtcp *out, struct rd *r)
{
	struct rtcp p = {0};

	if (!rd_left(r))
		return r->bad ? -EBADMSG : 0;

	const uint8_t b0 = rd_u8(r);
	p.type  = rd_u8(r);
	p.len   = 4 * (size_t)rd_u16(r);
	p.body  = rd_take(r, p.len);
	p.count = b0 & RTCP_COUNT;
	if (r->bad)
		return -EBADMSG;
	if (b0 >> 6 != 2 || p.type < RTCP_FIRST || p.type > RTCP_LAST)
		return -EPROTO;
	if ((b0 & RTCP_PAD) && (rd_left(r) || !strip_padding(&p)))
		return -EBADMSG;
	if (!body_holds(&p))
		return -EBADMSG;

	/* An SDES or BYE that counts no source names none. */
	if (p.count || (p.type != RTCP_SDES && p.type != RTCP_BYE)) {
		struct rd b = rd_of(p.body, p.len);

		p.ssrc = rd_u32(&b);
	}
	*out = p;
	return 1;
}

int rtcp_check(const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	struct rtcp p;
	int n = 0;
	int ret;

	while ((ret = rtcp_next(&p, &r)) == 1)
		n++;
	if (ret < 0)
		return ret;
	return n ? n : -EBADMSG;
}

int rtcp_sender(struct rtcp_sender *out, const struct rtcp *sr)
{
	struct rd r = rd_of(sr->body, sr->len);

	if (sr->type != RTCP_SR)
		return -EINVAL;

	rd_u32(&r);
	out->ntp     = rd_u64(&r);
	out->ts      = rd_u32(&r);
	out->packets = rd_u32(&r);
	out->octets  = rd_u32(&r);
	return 0;
}

bool rtcp_bye_names(const struct rtcp *bye, uint32_t ssrc)
{
	struct rd r = rd_of(bye->body, bye->len);

	if (bye->type != RTCP_BYE)
		return false;
	for (unsigned i = 0; i < bye->count; i++) {
		if (rd_u32(&r) == ssrc)
			return !r.bad;
	}
	return false;
}
