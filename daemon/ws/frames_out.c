/** @file frames_out.c  Websocket frames that go out (RFC 6455 section 5) */
#include <errno.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/ws/frames_impl.h"

/* Section 5.2; one fragment, and masked when we are the client. */
static int frame(struct frames *f, uint8_t opcode, const uint8_t *data,
		 size_t len, struct buf *out)
{
	uint8_t h[14] = { (uint8_t)(0x80 | opcode) };
	size_t n = 2;
	uint8_t mask[4] = {0};
	uint8_t *to = buf_room(out, sizeof(h) + len);

	if (!to)
		return -ENOMEM;
	if (len < 126) {
		h[1] = (uint8_t)len;
	} else {
		h[1] = len <= UINT16_MAX ? 126 : 127;
		for (int shift = len <= UINT16_MAX ? 8 : 56; shift >= 0;
		     shift -= 8)
			h[n++] = (uint8_t)((uint64_t)len >> shift);
	}
	if (!f->server) {
		h[1] |= 0x80;
		f->random(mask, sizeof(mask), f->arg);
		memcpy(h + n, mask, sizeof(mask));
		n += sizeof(mask);
	}
	buf_add(out, h, n);
	to += n;
	if (f->server) {
		buf_add(out, data, len);
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		to[i] = data[i] ^ mask[i % 4];
	to[len] = 0;
	out->len += len;
	return 0;
}

int frames_message(struct frames *f, bool text, const void *data, size_t len,
		   struct buf *out)
{
	if (!data || len == 0)
		return -EINVAL;
	return frame(f, text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, data, len,
		     out);
}

int frames_ping(struct frames *f, struct buf *out)
{
	return frame(f, WSLAY_PING, NULL, 0, out);
}

int frames_close(struct frames *f, unsigned code, const char *reason,
		 struct buf *out)
{
	uint8_t payload[CONTROL_MAX] = { (uint8_t)(code >> 8), (uint8_t)code };
	size_t n = 0;

	if (code > UINT16_MAX)
		return -EINVAL;
	if (reason) {
		n = utf8_cut(reason, strlen(reason), CONTROL_MAX - 2);
		memcpy(payload + 2, reason, n);
	}
	return frame(f, WSLAY_CONNECTION_CLOSE, payload, code ? n + 2 : 0, out);
}

int frames_pongs(struct frames *f, struct buf *out)
{
	int err = 0;

	for (size_t at = 0; !err && at < f->pongs.len;) {
		const size_t n = f->pongs.data[at];

		err = frame(f, WSLAY_PONG, f->pongs.data + at + 1, n, out);
		at += n + 1;
	}
	f->n_pongs = 0;
	buf_clear(&f->pongs);
	return err;
}
