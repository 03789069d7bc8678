/**
 * @file decap_impl.h  The steps of decap.c, for its own files
 *
 * Link -> network -> transport, each over a `view`.  A tunnel is one more
 * step, from transport back to link or network.
 */
#pragma once

#include "daemon/base/array.h"
#include "daemon/base/rd.h"
#include "daemon/net/copies.h"
#include "daemon/net/decap.h"
#include "daemon/net/fragments.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_ETHERNET = 0x6558,   /* Transparent Ethernet Bridging, RFC 1701 */
};

enum { OUTSIDE, INSIDE, LEVELS }; /* of all tunnels; of one */

/* What is left of a frame: the bytes present, and how many there were */
struct view {
	struct rd rd;
	size_t wire;
};

struct decap {
	struct fragments *fragments[LEVELS];
	struct copies *copies;
	struct decap_stats stats;
};

/* Where a packet came from and goes to, and its way through the steps */
struct way {
	struct decap *d;
	uint64_t at_us;
	uint64_t path;       /* hash: by which way its frame came to us */
	const uint8_t *link; /* where the header below IP begins */
	struct addr from, to;
	unsigned tunnels;    /* around what is read now */
	bool whole[LEVELS];  /* Put together already: no fragments in it */
	bool cooked;         /* the link header is Linux's own */
	bool indirect;       /* as struct decap_packet has it */
	bool counted;        /* as something else than `other` */
	struct decap_packet *out;
};

static inline const uint8_t *view_take(struct view *v, size_t n)
{
	const uint8_t *p = rd_take(&v->rd, n);

	/* wire is never less than what is present */
	if (p)
		v->wire -= n;
	return p;
}

/* No more than `n` bytes belong to what comes (padding, trailers) */
static inline void view_clamp(struct view *v, size_t n)
{
	v->wire = MIN(v->wire, n);
	if (rd_left(&v->rd) > v->wire)
		v->rd.end = v->rd.p + v->wire;
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* Each as decap_feed(): 1, 0 or -EBADMSG */
int decap_ethernet(struct way *w, struct view *v);
/** What follows this ethertype: tags, labels, IP. */
int decap_ethertype(struct way *w, struct view *v, uint16_t type);
int decap_ipv4(struct way *w, struct view *v);
int decap_ipv6(struct way *w, struct view *v);
/** By its version. */
int decap_ip(struct way *w, struct view *v);

/** IP protocol 4 or 41 (RFC 2003, RFC 4213). */
int decap_ip_in_ip(struct way *w, struct view *v);
/** IP protocol 47 (RFC 1701, 2784, 2890), with ERSPAN I to III. */
int decap_gre(struct way *w, struct view *v);
/** Does a datagram to this port hold VXLAN (RFC 7348) or VXLAN-GPE? */
bool decap_is_vxlan(uint16_t port, const struct view *v);
int decap_vxlan(struct way *w, struct view *v, uint16_t port);
