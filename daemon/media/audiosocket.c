/** @file audiosocket.c  Asterisk's AudioSocket */
#include "daemon/media/audiosocket.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/array.h"

unsigned audiosocket_rate(uint8_t kind)
{
	static const unsigned rates[] = { 8000, 12000, 16000, 24000, 32000,
					  44100, 48000, 96000, 192000 };

	return kind >= AUDIOSOCKET_SLIN && kind <= AUDIOSOCKET_SLIN_LAST
		       ? rates[kind - AUDIOSOCKET_SLIN]
		       : 0;
}

/* @return bytes of the whole message, or -errno */
static int judge(uint8_t kind, size_t len)
{
	if (len > AUDIOSOCKET_MAX)
		return -EMSGSIZE;
	if ((kind == AUDIOSOCKET_UUID && len != AUDIOSOCKET_UUID_LEN) ||
	    (kind == AUDIOSOCKET_DTMF && len != 1) ||
	    (audiosocket_rate(kind) && len % 2))
		return -EBADMSG;
	return (int)(AUDIOSOCKET_HEAD + len);
}

/* Take from `in` until `n` bytes are kept.  @return are they? */
static bool keep(struct audiosocket *a, struct rd *in, size_t n)
{
	const size_t more = MIN(n - a->len, rd_left(in));

	if (more)
		memcpy(a->part + a->len, rd_take(in, more), more);
	a->len += more;
	return a->len == n;
}

static void view(struct audiosocket_message *out, const uint8_t *all, size_t n)
{
	*out = (struct audiosocket_message){
		.kind = all[0], .data = all + AUDIOSOCKET_HEAD,
		.len = n - AUDIOSOCKET_HEAD,
	};
}

static int whole(const uint8_t *head)
{
	return judge(head[0], (size_t)(head[1] << 8 | head[2]));
}

int audiosocket_next(struct audiosocket *a, struct rd *in,
		     struct audiosocket_message *out)
{
	int n;

	if (!a->len && rd_left(in) >= AUDIOSOCKET_HEAD) {
		n = whole(in->p);
		if (n < 0)
			return n;
		if ((size_t)n <= rd_left(in)) { /* nothing is copied */
			view(out, rd_take(in, (size_t)n), (size_t)n);
			return 1;
		}
	}
	if (a->len < AUDIOSOCKET_HEAD && !keep(a, in, AUDIOSOCKET_HEAD))
		return 0;
	n = whole(a->part);
	if (n < 0)
		return n;
	if (!keep(a, in, (size_t)n))
		return 0;
	a->len = 0;
	view(out, a->part, (size_t)n);
	return 1;
}
