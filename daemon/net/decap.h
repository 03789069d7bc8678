/**
 * @file decap.h  From a captured frame to the UDP datagram or TCP segment in it
 *
 * Link types: Ethernet, Linux SLL and SLL2, raw IP (v4, v6), NULL, LOOP.
 * VLAN, QinQ and VN tags and MPLS labels are stepped over (at most 4); IPv4 and
 * IPv6 with extension headers; fragments are put together (64 contexts outside
 * of tunnels and 64 inside, 64 KiB each, 5 s; RFC 791, 8200 section 4.5,
 * overlaps refused).  What an ICMP message quotes is not a packet.
 *
 * Tunnels, at most 4 in one another: IP in IP (RFC 2003, 4213), GRE (RFC 2784,
 * 2890) with IP, Ethernet or ERSPAN I to III, VXLAN (RFC 7348, port 4789) and
 * VXLAN-GPE (4790).  What the mirror cut off in there counts as wire_len.
 * Copies of a mirrored packet are dropped (copies.h).  Pure: lengths are
 * clamped to what is there, time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"

struct decap;

enum decap_kind { DECAP_UDP, DECAP_TCP };

/** Borrowed until the next decap_feed(). */
struct decap_packet {
	enum decap_kind kind;
	struct addr from, to;
	const uint8_t *data;  /**< UDP or TCP payload */
	size_t len;           /**< Bytes present */
	size_t wire_len;      /**< UDP: as its header announces (never more
				   than the IP packet holds); TCP: by the IP
				   length */
	uint32_t tcp_seq;
	uint32_t tcp_ack;
	uint8_t tcp_flags;    /**< DECAP_FIN ... */
	bool indirect;        /**< It came in a tunnel, in fragments, behind
				   tags or labels: a filter did not see it */
};

enum { DECAP_FIN = 1, DECAP_SYN = 2, DECAP_RST = 4, DECAP_ACK = 16 };

struct decap_stats {
	uint64_t frames;
	uint64_t udp, tcp;       /**< Handed out, reassembled ones included */
	uint64_t other;          /**< Nothing for us */
	uint64_t malformed;
	uint64_t fragments;      /**< Frames that held one */
	uint64_t reassembled;    /**< Datagrams put together */
	uint64_t fragments_lost; /**< Datagrams given up */
	uint64_t tunnelled;      /**< Frames with a tunnel in them */
	uint64_t nested;         /**< Too many tunnels; malformed, too */
	uint64_t copies;         /**< Mirrored packets and fragments seen
				      again, not handed out */
};

int decap_new(struct decap **out);
void decap_free(struct decap *d);

/** Can frames of this link type be read? */
bool decap_knows(int link_type);

/**
 * @return 1: `out` is set; 0: nothing for us (another protocol, a fragment
 *         that waits for the others); -EBADMSG: malformed
 */
int decap_feed(struct decap *d, int link_type, uint64_t at_us,
	       const uint8_t *data, size_t len, size_t wire_len,
	       struct decap_packet *out);

void decap_stats(const struct decap *d, struct decap_stats *out);
