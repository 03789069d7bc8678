/** @file rtp.c  RTP header */
#include "daemon/media/rtp.h"

#include <errno.h>

#include "daemon/base/rd.h"

enum {
	RTP_VERSION = 2,
	RTP_PAD     = 0x20,
	RTP_EXT     = 0x10,
	RTP_CC      = 0x0f,
};

/* The last payload byte counts the padding, itself included (5.1, "P"). */
static int strip_padding(struct rtp *h)
{
	const size_t pad = h->len ? h->payload[h->len - 1] : 0;

	if (pad == 0 || pad > h->len)
		return -EBADMSG;

	h->len -= pad;
	h->wire_len = h->len;
	return 0;
}

int rtp_parse(struct rtp *out, const uint8_t *data, size_t len, size_t wire_len)
{
	struct rd r = rd_of(data, len);
	struct rtp h = {0};

	const uint8_t b0 = rd_u8(&r);
	const uint8_t b1 = rd_u8(&r);
	h.seq  = rd_u16(&r);
	h.ts   = rd_u32(&r);
	h.ssrc = rd_u32(&r);
	rd_take(&r, 4 * (size_t)(b0 & RTP_CC));
	if (b0 & RTP_EXT) {
		rd_u16(&r);                              /* profile */
		rd_take(&r, 4 * (size_t)rd_u16(&r));     /* [words] */
	}
	if (r.bad)
		return -EBADMSG;
	if (b0 >> 6 != RTP_VERSION)
		return -EPROTO;

	const size_t cut = wire_len > len ? wire_len - len : 0;
	h.pt       = b1 & 0x7f;
	h.marker   = b1 >> 7;
	h.payload  = r.p;
	h.len      = rd_left(&r);
	h.wire_len = h.len + cut;
	if ((b0 & RTP_PAD) && !cut) {
		const int err = strip_padding(&h);
		if (err)
			return err;
	}

	*out = h;
	return 0;
}
