#include "daemon/net/tcp_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"

enum {
	HELD_MAX = 64,
	HELD_BYTES = 64 * 1024,
	WINDOW = 1024 * 1024,  /* No hole in SIP is wider */
};

/* Sequence numbers go round: how far `a` is ahead of `b` */
static int64_t ahead(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

void tcp_order_init(struct tcp_order *o)
{
	*o = (struct tcp_order){ 0 };
	list_init(&o->held);
}

void tcp_order_reset(struct tcp_order *o)
{
	struct tcp_held *h;

	while ((h = tcp_order_pop(o)))
		free(h);
	tcp_order_init(o);
}

void tcp_order_begin(struct tcp_order *o, uint32_t seq)
{
	if (!o->known)
		o->first = seq;
	o->known = true;
	o->next = seq;
}

enum tcp_verdict tcp_order_judge(struct tcp_order *o,
				 const struct tcp_segment *in)
{
	if (!o->known)
		tcp_order_begin(o, in->seq);
	const int64_t off = ahead(in->seq, o->next);

	if (off > WINDOW || off < -WINDOW)
		return TCP_FAR;
	if (off > 0)
		return TCP_AHEAD;
	return off + (int64_t)in->wire_len > 0 ? TCP_NEXT : TCP_REPEATED;
}

void tcp_order_take(struct tcp_order *o, const struct tcp_segment *in,
		    struct tcp_piece *out, size_t *hole)
{
	const size_t old = (uint32_t)(o->next - in->seq);
	const size_t skip = MIN(old, in->len);

	*out = (struct tcp_piece){ in->data + skip, in->len - skip };
	*hole = in->wire_len - MAX(in->len, old);
	o->next = in->seq + (uint32_t)in->wire_len;
}

bool tcp_order_has_room(const struct tcp_order *o, size_t len)
{
	return o->n_held == 0 ||
	       (o->n_held < HELD_MAX && o->bytes_held + len <= HELD_BYTES);
}

int tcp_order_hold(struct tcp_order *o, const struct tcp_segment *in,
		   uint64_t at_us)
{
	struct list *before = &o->held;
	struct tcp_held *h;

	list_each(&o->held, item) {
		h = list_item(item, struct tcp_held, link);
		if (h->seq == in->seq && h->wire_len >= in->wire_len)
			return 0; /* Once more */
		if (ahead(h->seq, in->seq) > 0) {
			before = item;
			break;
		}
	}
	h = malloc(sizeof(*h) + in->len);
	if (!h)
		return -ENOMEM;
	h->seq = in->seq;
	h->len = in->len;
	h->wire_len = in->wire_len;
	if (in->len)
		memcpy(h->data, in->data, in->len);
	list_add(before, &h->link);
	if (!o->n_held++)
		o->since_us = at_us;
	o->bytes_held += in->len;
	return 0;
}

struct tcp_held *tcp_order_first(const struct tcp_order *o)
{
	return o->n_held ? list_item(o->held.next, struct tcp_held, link)
			 : NULL;
}

struct tcp_held *tcp_order_pop(struct tcp_order *o)
{
	struct tcp_held *h = tcp_order_first(o);

	if (h) {
		list_remove(&h->link);
		o->n_held--;
		o->bytes_held -= h->len;
	}
	return h;
}
