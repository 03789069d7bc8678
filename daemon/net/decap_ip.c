/** @file decap_ip.c  Captured packets: network and transport */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/net/decap_impl.h"

enum {
	EXTENSIONS_MAX = 8,
	IPV6_FRAGMENT = 44,           /* Next headers, RFC 8200 */
	IPV6_AH = 51,
	COMPARED = 256,               /* bytes of a packet that tell copies */
};

/* ---- transport ---- */

static int from_udp(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 8);

	if (!h)
		return -EBADMSG;
	const size_t len = be16(h + 4);

	/* 0: an IPv6 jumbogram (RFC 2675) or an offloading sender */
	if (len >= 8)
		view_clamp(v, len - 8);
	else if (len != 0)
		return -EBADMSG;
	w->from.port = be16(h);
	w->to.port = be16(h + 2);
	if (decap_is_vxlan(w->to.port, v))
		return decap_vxlan(w, v, w->to.port);
	*w->out = (struct decap_packet){
		.kind = DECAP_UDP,
		.from = w->from,
		.to = w->to,
		.data = v->rd.p,
		.len = rd_left(&v->rd),
		.wire_len = v->wire,
		.indirect = w->indirect,
	};
	w->d->stats.udp++;
	return 1;
}

static int from_tcp(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 20);

	if (!h)
		return -EBADMSG;
	const size_t head = (size_t)(h[12] >> 4) * 4;

	if (head < 20 || head - 20 > v->wire)
		return -EBADMSG;
	if (!view_take(v, head - 20)) { /* Cut off inside the options */
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
		.indirect = w->indirect,
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
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return decap_ip_in_ip(w, v);
	case IPPROTO_GRE:
		return decap_gre(w, v);
	default:
		return 0; /* ICMP too: what it quotes is not a packet */
	}
}

/* ---- network ---- */

/* What is told of an IP packet for copies */
struct mark {
	uint8_t protocol, ttl;
	uint32_t id, place;  /* `place`: which fragment */
	bool numbered;
};

/* Where the checksum is that a copy may have otherwise; SIZE_MAX: nowhere */
static size_t checksum_at(const struct mark *m)
{
	return m->place & 0x1fff	   ? SIZE_MAX
	       : m->protocol == IPPROTO_UDP ? 6
	       : m->protocol == IPPROTO_TCP ? 16
					    : SIZE_MAX;
}

static bool is_copy(struct way *w, const struct view *v, const struct mark *m)
{
	const uint8_t *const p = v->rd.p;
	const size_t n = MIN(rd_left(&v->rd), (size_t)COMPARED);
	const size_t skip = MIN(checksum_at(m), n), behind = MIN(skip + 2, n);
	uint64_t key = hash_mix(addr_hash(&w->from), addr_hash(&w->to));

	key = hash_mix(key, (uint64_t)m->id << 32 | m->place);
	key = hash_mix(key, (uint64_t)v->wire << 8 | m->protocol);
	key = hash_mix(key, hash_mix(n, hash_bytes(p, skip)));
	if (behind > skip)
		key = hash_mix(key, hash_bytes(p + behind, n - behind));
	if (!copies_seen(w->d->copies,
			 &(struct copies_packet){
				 .key = key, .numbered = m->numbered,
				 .path = hash_mix(w->path, m->ttl),
			 }, w->at_us))
		return false;
	w->d->stats.copies++;
	w->counted = true;
	return true;
}

/* The link header, of which nothing is left, is part of the way. */
static void end_link(struct way *w, const uint8_t *header)
{
	w->path = hash_mix(w->path, hash_bytes(w->link, header - w->link));
}

static int from_extensions(struct way *w, struct view *v, uint8_t next);

static int from_fragment(struct way *w, const struct view *v,
			 struct fragment *in)
{
	const int level = w->tunnels ? INSIDE : OUTSIDE;
	struct fragments *const all_of = w->d->fragments[level];
	struct datagram whole;

	w->d->stats.fragments++;
	w->counted = true;
	memcpy(in->key.from, w->from.ip, sizeof(in->key.from));
	memcpy(in->key.to, w->to.ip, sizeof(in->key.to));
	in->data = v->rd.p;
	in->len = rd_left(&v->rd);
	if (w->whole[level])
		return -EBADMSG;
	if (in->len < v->wire) { /* The capture cut it off */
		fragments_spoil(all_of, &in->key, w->at_us);
		return 0;
	}
	const int got = fragments_feed(all_of, in, w->at_us, &whole);

	if (got <= 0) /* Without memory it is one more lost datagram */
		return got == -ENOMEM ? 0 : got;
	w->d->stats.reassembled++;
	w->whole[level] = w->indirect = true;
	struct view all = {
		.rd = rd_of(whole.data, whole.len),
		.wire = whole.len,
	};

	return in->key.family == 6 ? from_extensions(w, &all, whole.next)
				   : from_protocol(w, &all, whole.next);
}

int decap_ipv4(struct way *w, struct view *v)
{
	const size_t before = v->wire;
	const uint8_t *h = view_take(v, 20);

	if (!h || h[0] >> 4 != 4)
		return -EBADMSG;
	const size_t head = (size_t)(h[0] & 15) * 4;
	size_t total = be16(h + 2);

	if (total == 0) /* Captured before the network card cut it up (TSO) */
		total = before;
	if (head < 20 || total < head)
		return -EBADMSG;
	end_link(w, h);
	if (w->tunnels) /* the mirror may have cut it off */
		v->wire = MAX(v->wire, total - 20);
	view_clamp(v, total - 20);
	if (!view_take(v, head - 20))
		return -EBADMSG;
	w->from = addr_v4(h + 12, 0);
	w->to = addr_v4(h + 16, 0);
	const uint16_t flags = be16(h + 6) & 0x3fff, id = be16(h + 4);
	const struct mark mark = {
		.protocol = h[9], .ttl = h[8], .id = id, .place = flags,
		.numbered = id,
	};

	if (is_copy(w, v, &mark))
		return 0;
	if (!flags)
		return from_protocol(w, v, h[9]);
	struct fragment in = {
		.key = { .id = id, .family = 4, .protocol = h[9] },
		.offset = (size_t)(flags & 0x1fff) * 8,
		.more = flags & 0x2000,
		.next = h[9],
	};

	return from_fragment(w, v, &in);
}

static int from_ipv6_fragment(struct way *w, struct view *v, uint8_t *next)
{
	const uint8_t *h = view_take(v, 8);

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
			h = view_take(v, 8);
			if (!h || !view_take(v, (size_t)h[1] * 8))
				return -EBADMSG;
			next = h[0];
			break;
		case IPV6_AH:
			h = view_take(v, 8);
			if (!h || !view_take(v, (size_t)h[1] * 4))
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

int decap_ipv6(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 40);

	if (!h || h[0] >> 4 != 6)
		return -EBADMSG;
	const size_t len = be16(h + 4);

	end_link(w, h);
	if (w->tunnels)
		v->wire = MAX(v->wire, len);
	if (len) /* 0: a jumbogram or an offloading sender, as in IPv4 */
		view_clamp(v, len);
	w->from = addr_v6(h + 8, 0);
	w->to = addr_v6(h + 24, 0);
	if (is_copy(w, v, &(struct mark){ .protocol = h[6], .ttl = h[7] }))
		return 0;
	return from_extensions(w, v, h[6]);
}

int decap_ip(struct way *w, struct view *v)
{
	if (rd_left(&v->rd) == 0)
		return -EBADMSG;
	w->link = v->rd.p;
	switch (v->rd.p[0] >> 4) {
	case 4:
		return decap_ipv4(w, v);
	case 6:
		return decap_ipv6(w, v);
	default:
		return -EBADMSG;
	}
}
