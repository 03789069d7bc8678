/**
 * @file capture_filter.h  A filter that also finds what lies deeper
 *
 * The user's expression (pcap-filter(7)) is about calls: addresses, ports.  Put
 * before the kernel as it is it loses what a mirrored port wraps up - VLAN,
 * MPLS, tunnels - and every fragment but the first.  So the kernel gets a wider
 * one, and what came in a tunnel or in fragments is judged when it is
 * unwrapped: the frame or the packet itself must match.
 *
 * An expression that only makes sense on a link ("vlan 5", "ether host") can
 * only judge frames; what it cannot see into it lets pass.
 */
#pragma once

#include "daemon/base/reason.h"
#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"

struct capture_filter;

/**
 * @param text The user's; "": everything
 * @param why On error: what is wrong with it
 *
 * @return 0, -EINVAL or -ENOMEM
 */
int capture_filter_new(struct capture_filter **out, int link_type,
		       const char *text, struct reason *why);
/** The link type of Ethernet, for who knows no interface yet. */
int capture_filter_ethernet(void);
/** NULL is fine. */
void capture_filter_free(struct capture_filter *f);

/** The expression for the kernel; "": none. */
const char *capture_filter_wide(const struct capture_filter *f);

/** Is this packet, unwrapped from that frame, wanted?  What is not indirect is:
 * the kernel has judged it. */
bool capture_filter_wants(const struct capture_filter *f,
			  const struct frame *frame,
			  const struct decap_packet *p);
