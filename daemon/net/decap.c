/*
 * Three steps, each over a `view`: link -> network -> transport.  A tunnel is
 * one more step, from transport back to link or network.
 */
#include "daemon/net/decap.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/rd.h"
#include "daemon/net/fragments.h"

enum {
	TAGS_MAX = 4,
	EXTENSIONS_MAX = 8,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	IPV6_FRAGMENT = 44,           /* Next headers, RFC 8200 */
	IPV6_AH = 51,
	ARPHRD_NETLINK_FRAME = 824,   /* linux/if_arp.h */
};

/* What is left of a frame: the bytes present, and how many there were */
struct view {
	struct rd rd;
	size_t wire;
};

struct decap {
	struct fragments *fragments;
	struct decap_stats stats;
};

/* Where a packet came from and goes to, and its way through the steps */
struct way {
	struct decap *d;
	uint64_t at_us;
	struct addr from, to;
	bool whole;          /* Put together already: no fragments in it */
	struct decap_packet *out;
};

int decap_new(struct decap **out)
{
	struct decap *d = calloc(1, sizeof(*d));

	if (!d || fragments_new(&d->fragments) < 0) {
		free(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

void decap_free(struct decap *d)
{
	if (!d)
		return;
	fragments_free(d->fragments);
	free(d);
}

bool decap_knows(int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	default:
		return false;
	}
}

static const uint8_t *take(struct view *v, size_t n)
{
	const uint8_t *p = rd_take(&v->rd, n);

	/* wire is never less than what is present */
	if (p)
		v->wire -= n;
	return p;
}

/* No more than `n` bytes belong to what comes (padding, trailers) */
static void clamp(struct view *v, size_t n)
{
	v->wire = MIN(v->wire, n);
	if (rd_left(&v->rd) > v->wire)
		v->rd.end = v->rd.p + v->wire;
}

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* ---- transport ---- */

static int from_udp(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 8);

	if (!h)
		return -EBADMSG;
	const size_t len = be16(h + 4);

	/* 0: an IPv6 jumbogram (RFC 2675) or an offloading sender */
	if (len >= 8)
		clamp(v, len - 8);
	else if (len != 0)
		return -EBADMSG;
	w->from.port = be16(h);
	w->to.port = be16(h + 2);
	*w->out = (struct decap_packet){
		.kind = DECAP_UDP,
		.from = w->from,
		.to = w->to,
		.data = v->rd.p,
		.len = rd_left(&v->rd),
		.wire_len = v->wire,
	};
	w->d->stats.udp++;
	return 1;
}

static int from_tcp(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 20);

	if (!h)
		return -EBADMSG;
	const size_t head = (size_t)(h[12] >> 4) * 4;

	if (head < 20 || head - 20 > v->wire)
		return -EBADMSG;
	if (!take(v, head - 20)) { /* Cut off inside the options */
		v->rd.p = v->rd.end;
		v->wire -= head - 20;
	}
	w->from.port = be16(h);
	w->to.port = be16(h + 2);
	*w->out = (struct decap_packet){
		.kind = DECAP_TCP,
		.from = w->from,
		.to = w->to,
		.data = v->rd.p,
		.len = rd_left(&v->rd),
		.wire_len = v->wire,
		.tcp_seq = be32(h + 4),
		.tcp_ack = be32(h + 8),
		.tcp_flags = h[13],
	};
	w->d->stats.tcp++;
	return 1;
}

static int from_protocol(struct way *w, struct view *v, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_UDP:
		return from_udp(w, v);
	case IPPROTO_TCP:
		return from_tcp(w, v);
	default:
		return 0; /* ICMP too: what it quotes is not a packet */
	}
}

/* ---- network ---- */

static int from_extensions(struct way *w, struct view *v, uint8_t next);

static int from_fragment(struct way *w, const struct view *v,
			 struct fragment *in)
{
	struct datagram whole;

	w->d->stats.fragments++;
	memcpy(in->key.from, w->from.ip, sizeof(in->key.from));
	memcpy(in->key.to, w->to.ip, sizeof(in->key.to));
	in->data = v->rd.p;
	in->len = rd_left(&v->rd);
	if (w->whole)
		return -EBADMSG;
	if (in->len < v->wire) { /* The capture cut it off */
		fragments_spoil(w->d->fragments, &in->key, w->at_us);
		return 0;
	}
	const int got = fragments_feed(w->d->fragments, in, w->at_us, &whole);

	if (got <= 0) /* Without memory it is one more lost datagram */
		return got == -ENOMEM ? 0 : got;
	w->d->stats.reassembled++;
	w->whole = true;
	struct view all = {
		.rd = rd_of(whole.data, whole.len),
		.wire = whole.len,
	};

	return in->key.family == 6 ? from_extensions(w, &all, whole.next)
				   : from_protocol(w, &all, whole.next);
}

static int from_ipv4(struct way *w, struct view *v)
{
	const size_t before = v->wire;
	const uint8_t *h = take(v, 20);

	if (!h || h[0] >> 4 != 4)
		return -EBADMSG;
	const size_t head = (size_t)(h[0] & 15) * 4;
	size_t total = be16(h + 2);

	if (total == 0) /* Captured before the network card cut it up (TSO) */
		total = before;
	if (head < 20 || total < head)
		return -EBADMSG;
	clamp(v, total - 20);
	if (!take(v, head - 20))
		return -EBADMSG;
	w->from = addr_v4(h + 12, 0);
	w->to = addr_v4(h + 16, 0);
	const uint16_t flags = be16(h + 6);

	if (!(flags & 0x3fff))
		return from_protocol(w, v, h[9]);
	struct fragment in = {
		.key = { .id = be16(h + 4), .family = 4, .protocol = h[9] },
		.offset = (size_t)(flags & 0x1fff) * 8,
		.more = flags & 0x2000,
		.next = h[9],
	};

	return from_fragment(w, v, &in);
}

static int from_ipv6_fragment(struct way *w, struct view *v, uint8_t *next)
{
	const uint8_t *h = take(v, 8);

	if (!h)
		return -EBADMSG;
	const uint16_t flags = be16(h + 2);

	*next = h[0];
	if (!(flags & 0xfff9)) /* Atomic, RFC 6946: there are no others */
		return 1;
	struct fragment in = {
		.key = { .id = be32(h + 4), .family = 6 },
		.offset = flags & 0xfff8,
		.more = flags & 1,
		.next = h[0],
	};
	const int got = from_fragment(w, v, &in);

	/* What it held has been handed out: not 1, which says "go on" */
	return got == 1 ? 2 : got;
}

/* The chain of extension headers up to one that carries a packet */
static int from_extensions(struct way *w, struct view *v, uint8_t next)
{
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		const uint8_t *h;
		int got;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case IPPROTO_MH:
			h = take(v, 8);
			if (!h || !take(v, (size_t)h[1] * 8))
				return -EBADMSG;
			next = h[0];
			break;
		case IPV6_AH:
			h = take(v, 8);
			if (!h || !take(v, (size_t)h[1] * 4))
				return -EBADMSG;
			next = h[0];
			break;
		case IPV6_FRAGMENT:
			got = from_ipv6_fragment(w, v, &next);
			if (got != 1)
				return got == 2 ? 1 : got;
			break;
		default:
			return from_protocol(w, v, next);
		}
	}
	return -EBADMSG;
}

static int from_ipv6(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 40);

	if (!h || h[0] >> 4 != 6)
		return -EBADMSG;
	const size_t len = be16(h + 4);

	if (len) /* 0: a jumbogram or an offloading sender, as in IPv4 */
		clamp(v, len);
	w->from = addr_v6(h + 8, 0);
	w->to = addr_v6(h + 24, 0);
	return from_extensions(w, v, h[6]);
}

static int from_ip(struct way *w, struct view *v)
{
	if (rd_left(&v->rd) == 0)
		return -EBADMSG;
	switch (v->rd.p[0] >> 4) {
	case 4:
		return from_ipv4(w, v);
	case 6:
		return from_ipv6(w, v);
	default:
		return -EBADMSG;
	}
}

/* ---- link ---- */

static int from_ethertype(struct way *w, struct view *v, uint16_t type)
{
	const uint8_t *h;

	for (int tags = 0; tags <= TAGS_MAX; tags++) {
		switch (type) {
		case TYPE_IPV4:
			return from_ipv4(w, v);
		case TYPE_IPV6:
			return from_ipv6(w, v);
		case 0x8100: /* 802.1Q; 802.1ad; QinQ before the standard */
		case 0x88a8:
		case 0x9100:
		case 0x9200:
			h = take(v, 4);
			if (!h)
				return -EBADMSG;
			type = be16(h + 2);
			break;
		default:
			return 0;
		}
	}
	return -EBADMSG;
}

static int from_ethernet(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 14);

	return h ? from_ethertype(w, v, be16(h + 12)) : -EBADMSG;
}

static int from_sll(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 16);

	if (!h)
		return -EBADMSG;
	if (be16(h + 2) == ARPHRD_NETLINK_FRAME)
		return 0;
	return from_ethertype(w, v, be16(h + 14));
}

static int from_sll2(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 20);

	if (!h)
		return -EBADMSG;
	if (be16(h + 8) == ARPHRD_NETLINK_FRAME)
		return 0;
	return from_ethertype(w, v, be16(h));
}

/* Address families in the byte order of whoever captured: AF_INET is 2
 * everywhere, AF_INET6 10 on Linux, 24, 28 or 30 on the BSDs and macOS */
static int from_null(struct way *w, struct view *v)
{
	const uint8_t *h = take(v, 4);

	if (!h)
		return -EBADMSG;
	uint32_t family = be32(h);

	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return from_ipv4(w, v);
	case 10:
	case 24:
	case 28:
	case 30:
		return from_ipv6(w, v);
	default:
		return 0;
	}
}

static int from_link(struct way *w, struct view *v, int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
		return from_ethernet(w, v);
	case DLT_LINUX_SLL:
		return from_sll(w, v);
	case DLT_LINUX_SLL2:
		return from_sll2(w, v);
	case DLT_RAW:
		return from_ip(w, v);
	case DLT_IPV4:
		return from_ipv4(w, v);
	case DLT_IPV6:
		return from_ipv6(w, v);
	case DLT_NULL:
	case DLT_LOOP:
		return from_null(w, v);
	default:
		return 0;
	}
}

int decap_feed(struct decap *d, int link_type, uint64_t at_us,
	       const uint8_t *data, size_t len, size_t wire_len,
	       struct decap_packet *out)
{
	struct decap_packet found;
	struct way w = { .d = d, .at_us = at_us, .out = &found };
	struct view v = { .rd = rd_of(data, len), .wire = MAX(wire_len, len) };
	const uint64_t fragments = d->stats.fragments;
	const int got = from_link(&w, &v, link_type);

	d->stats.frames++;
	if (got == 1)
		*out = found;
	else if (got < 0)
		d->stats.malformed++;
	else if (d->stats.fragments == fragments)
		d->stats.other++;
	return got;
}

void decap_stats(const struct decap *d, struct decap_stats *out)
{
	*out = d->stats;
	out->fragments_lost = fragments_lost(d->fragments);
}
