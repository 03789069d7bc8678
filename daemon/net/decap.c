/** @file decap.c  From a captured frame to what it carries: the link, and all */
#include "daemon/net/decap.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <stdlib.h>

#include "daemon/base/hash.h"
#include "daemon/net/decap_impl.h"

enum {
	TAGS_MAX = 4,
	LABELS_MAX = 4,
	ARPHRD_NETLINK_FRAME = 824,   /* linux/if_arp.h */
};

int decap_new(struct decap **out)
{
	struct decap *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (fragments_new(&d->fragments[OUTSIDE]) ||
	    fragments_new(&d->fragments[INSIDE]) || copies_new(&d->copies)) {
		decap_free(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

void decap_free(struct decap *d)
{
	if (!d)
		return;
	for (int i = 0; i < LEVELS; i++)
		fragments_free(d->fragments[i]);
	copies_free(d->copies);
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

/* ---- link ---- */

/* Labels up to the bottom of the stack (RFC 3032); what is below is known by
 * nobody, so only IP is looked for. */
static int from_mpls(struct way *w, struct view *v)
{
	w->indirect = true;
	for (int labels = 0; labels < LABELS_MAX; labels++) {
		const uint8_t *h = view_take(v, 4);

		if (!h || !rd_left(&v->rd))
			return -EBADMSG;
		if (!(h[2] & 1))
			continue;
		switch (v->rd.p[0] >> 4) {
		case 4:
			return decap_ipv4(w, v);
		case 6:
			return decap_ipv6(w, v);
		default:
			return 0;
		}
	}
	return -EBADMSG;
}

/* Linux from 6.10 on names in a cooked header what is behind the tags, takes the
 * first one away and leaves the others. */
static void skip_hidden_tag(struct way *w, struct view *v, uint16_t type)
{
	const unsigned version = type == TYPE_IPV4 ? 4 : 6;

	if (!w->cooked || rd_left(&v->rd) < 5 ||
	    v->rd.p[0] >> 4 == version || v->rd.p[4] >> 4 != version ||
	    be16(v->rd.p + 2) != type)
		return;
	view_take(v, 4);
	w->indirect = true;
}

int decap_ethertype(struct way *w, struct view *v, uint16_t type)
{
	const uint8_t *h;

	for (int tags = 0; tags <= TAGS_MAX; tags++) {
		switch (type) {
		case TYPE_IPV4:
			skip_hidden_tag(w, v, type);
			return decap_ipv4(w, v);
		case TYPE_IPV6:
			skip_hidden_tag(w, v, type);
			return decap_ipv6(w, v);
		case 0x8100: /* 802.1Q; 802.1ad; QinQ before the standard */
		case 0x88a8:
		case 0x9100:
		case 0x9200:
			h = view_take(v, 4);
			if (!h)
				return -EBADMSG;
			type = be16(h + 2);
			w->indirect = true;
			break;
		case 0x8926: /* VN-Tag, of a fabric extender */
			h = view_take(v, 6);
			if (!h)
				return -EBADMSG;
			type = be16(h + 4);
			w->indirect = true;
			break;
		case 0x8847:
		case 0x8848:
			return from_mpls(w, v);
		default:
			return 0;
		}
	}
	return -EBADMSG;
}

int decap_ethernet(struct way *w, struct view *v)
{
	w->link = v->rd.p;
	w->cooked = false;
	const uint8_t *h = view_take(v, 14);

	return h ? decap_ethertype(w, v, be16(h + 12)) : -EBADMSG;
}

static int from_sll(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 16);

	w->cooked = true;
	if (!h)
		return -EBADMSG;
	if (be16(h + 2) == ARPHRD_NETLINK_FRAME)
		return 0;
	return decap_ethertype(w, v, be16(h + 14));
}

static int from_sll2(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 20);

	w->cooked = true;
	if (!h)
		return -EBADMSG;
	if (be16(h + 8) == ARPHRD_NETLINK_FRAME)
		return 0;
	return decap_ethertype(w, v, be16(h));
}

/* Address families in the byte order of whoever captured: AF_INET is 2
 * everywhere, AF_INET6 10 on Linux, 24, 28 or 30 on the BSDs and macOS */
static int from_null(struct way *w, struct view *v)
{
	const uint8_t *h = view_take(v, 4);

	if (!h)
		return -EBADMSG;
	uint32_t family = be32(h);

	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return decap_ipv4(w, v);
	case 10:
	case 24:
	case 28:
	case 30:
		return decap_ipv6(w, v);
	default:
		return 0;
	}
}

static int from_link(struct way *w, struct view *v, int link_type)
{
	switch (link_type) {
	case DLT_EN10MB:
		return decap_ethernet(w, v);
	case DLT_LINUX_SLL:
		return from_sll(w, v);
	case DLT_LINUX_SLL2:
		return from_sll2(w, v);
	case DLT_RAW:
		return decap_ip(w, v);
	case DLT_IPV4:
		return decap_ipv4(w, v);
	case DLT_IPV6:
		return decap_ipv6(w, v);
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
	struct way w = { .d = d, .at_us = at_us, .link = data, .out = &found };
	struct view v = { .rd = rd_of(data, len), .wire = MAX(wire_len, len) };
	const int got = from_link(&w, &v, link_type);

	d->stats.frames++;
	if (got == 1)
		*out = found;
	else if (got < 0)
		d->stats.malformed++;
	else if (!w.counted)
		d->stats.other++;
	return got;
}

void decap_stats(const struct decap *d, struct decap_stats *out)
{
	*out = d->stats;
	out->fragments_lost = 0;
	for (int i = 0; i < LEVELS; i++)
		out->fragments_lost += fragments_lost(d->fragments[i]);
}
