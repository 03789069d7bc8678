/** @file decap_tunnel.c  Mirrored traffic comes in tunnels: GRE, ERSPAN, VXLAN */
#include <errno.h>

#include "daemon/base/hash.h"
#include "daemon/net/decap_impl.h"

enum {
	TUNNELS_MAX = 4,
	ERSPAN_I_II = 0x88be,
	ERSPAN_III = 0x22eb,
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 7,
	VXLAN_PORT = 4789,
	VXLAN_GPE_PORT = 4790,
};

/* One tunnel more; its ends are part of the way.  Not its sequence number: a
 * copy has another. */
static int enter(struct way *w, const struct view *v)
{
	if (w->tunnels == TUNNELS_MAX) {
		w->d->stats.nested++;
		return -EBADMSG;
	}
	w->d->stats.tunnelled += w->tunnels == 0;
	w->tunnels++;
	w->link = v->rd.p;
	w->indirect = true;
	w->path = hash_mix(w->path, hash_mix(addr_hash(&w->from),
					     addr_hash(&w->to)));
	return 0;
}

int decap_ip_in_ip(struct way *w, struct view *v)
{
	return enter(w, v) ? -EBADMSG : decap_ip(w, v);
}

/* draft-foschiano-erspan-03.  Type I is type II without a header of its own,
 * known by GRE without a sequence number. */
static int from_erspan(struct way *w, struct view *v, bool header)
{
	const uint8_t *h;

	if (header) {
		h = view_take(v, 8);
		if (!h || h[0] >> 4 != 1)
			return -EBADMSG;
	}
	return decap_ethernet(w, v);
}

static int from_erspan3(struct way *w, struct view *v)
{
	enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
	const uint8_t *h = view_take(v, 12);

	if (!h || h[0] >> 4 != 2)
		return -EBADMSG;
	const unsigned frame = h[10] >> 2 & 31;

	if ((h[11] & 1) && !view_take(v, 8)) /* platform's own */
		return -EBADMSG;
	switch (frame) {
	case FRAME_ETHERNET:
		return decap_ethernet(w, v);
	case FRAME_IP:
		return decap_ip(w, v);
	default:
		return 0;
	}
}

int decap_gre(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 4);

	if (!h)
		return -EBADMSG;
	const uint16_t flags = be16(h), type = be16(h + 2);
	const size_t more = (flags & (GRE_CHECKSUM | GRE_ROUTING) ? 4u : 0u) +
			    (flags & GRE_KEY ? 4u : 0u) +
			    (flags & GRE_SEQUENCE ? 4u : 0u);

	/* source routes are of 1994; version 1 is PPTP's, and holds PPP */
	if (flags & (GRE_ROUTING | GRE_VERSION))
		return 0;
	if (!view_take(v, more) || enter(w, v))
		return -EBADMSG;
	switch (type) {
	case ERSPAN_I_II:
		return from_erspan(w, v, flags & GRE_SEQUENCE);
	case ERSPAN_III:
		return from_erspan3(w, v);
	case TYPE_ETHERNET:
		return decap_ethernet(w, v);
	default:
		return decap_ethertype(w, v, type);
	}
}

/* The flag that says "this has a network's number", and what must be 0.  RTP on
 * that port has its version there. */
bool decap_is_vxlan(uint16_t port, const struct view *v)
{
	const uint8_t *h = v->rd.p;

	if (port != VXLAN_PORT && port != VXLAN_GPE_PORT)
		return false;
	if (rd_left(&v->rd) < 8) /* cut off by the capture, or nothing */
		return v->wire >= 8;
	if (h[7])
		return false;
	if (port == VXLAN_GPE_PORT)
		return (h[0] & 0xf8) == 8 && !h[1] && !h[2];
	return (h[0] & 0x7f) == 8;
}

/* What VXLAN-GPE says is inside (draft-ietf-nvo3-vxlan-gpe section 3.2) */
int decap_vxlan(struct way *w, struct view *v, uint16_t port)
{
	const uint8_t *h = view_take(v, 8);

	if (!h || enter(w, v))
		return -EBADMSG;
	if (port == VXLAN_PORT || !(h[0] & 4)) /* no "next protocol" */
		return decap_ethernet(w, v);
	switch (h[3]) {
	case 1:
		return decap_ipv4(w, v);
	case 2:
		return decap_ipv6(w, v);
	case 3:
		return decap_ethernet(w, v);
	default:
		return 0;
	}
}
