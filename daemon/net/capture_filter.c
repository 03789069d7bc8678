/** @file capture_filter.c  A filter that also finds what lies deeper */
#include "daemon/net/capture_filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

enum { SNAPLEN = 65535, HEADS = 60, PAYLOAD = 512 };

struct capture_filter {
	struct buf wide;
	struct bpf_program frame, packet;
	bool judges_packets;
};

/* Protocols and ports as in decap_tunnel.c; first, since a "vlan" in the user's
 * expression moves the offsets of all that follows it */
#define TUNNELS "ip proto 4 or ip proto 41 or ip proto 47 or ip6 proto 4 or " \
	"ip6 proto 41 or ip6 proto 47 or udp dst port 4789 or " \
	"udp dst port 4790"
#define FRAGMENTS "ip[6:2] & 0x1fff != 0 or ip6 proto 44"
#define LABELS "ether proto 0x8847 or ether proto 0x8848 or " \
	"ether proto 0x8926"
#define TAGS "ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100"

static int widen(struct capture_filter *f, int link_type, const char *text)
{
	if (!text[0])
		return 0;
	if (link_type != DLT_EN10MB) {
		/* "vlan" is not for them */
		buf_printf(&f->wide, "%s or %s or %s or %s or (%s)", TUNNELS,
			   FRAGMENTS, LABELS, TAGS, text);
		return f->wide.err;
	}
	/* each "vlan" looks one tag deeper */
	buf_printf(&f->wide, "%s or %s or %s or (%s)", TUNNELS, FRAGMENTS,
		   LABELS, text);
	for (int tags = 0; tags < 2; tags++)
		buf_printf(&f->wide, " or (vlan and (%s or %s or %s or (%s)))",
			   TUNNELS, FRAGMENTS, LABELS, text);
	return f->wide.err;
}

static int compile(struct bpf_program *out, int link_type, const char *text,
		   struct reason *why)
{
	pcap_t *dead = pcap_open_dead(link_type, SNAPLEN);
	int err = 0;

	if (!dead)
		return -ENOMEM;
	if (pcap_compile(dead, out, text, 1, PCAP_NETMASK_UNKNOWN)) {
		reason_set(why, REASON_CONFIG, 0, "filter \"%s\": %s (see: "
			   "man pcap-filter)", text, pcap_geterr(dead));
		err = -EINVAL;
	}
	pcap_close(dead);
	return err;
}

int capture_filter_new(struct capture_filter **out, int link_type,
		       const char *text, struct reason *why)
{
	struct capture_filter *f = calloc(1, sizeof(*f));
	struct reason ignored;

	if (!f)
		return -ENOMEM;
	int err = compile(&f->frame, link_type, text, why);
	if (!err)
		err = widen(f, link_type, text);
	if (err) {
		capture_filter_free(f);
		return err;
	}
	f->judges_packets = !compile(&f->packet, DLT_RAW, text, &ignored);
	*out = f;
	return 0;
}

int capture_filter_ethernet(void)
{
	return DLT_EN10MB;
}

void capture_filter_free(struct capture_filter *f)
{
	if (!f)
		return;
	pcap_freecode(&f->frame);
	pcap_freecode(&f->packet);
	buf_free(&f->wide);
	free(f);
}

const char *capture_filter_wide(const struct capture_filter *f)
{
	return buf_str(&f->wide);
}

static void put16(uint8_t *p, size_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* The IP packet it would have been in without tunnel and fragments; of its
 * payload as much as a filter may look at. */
static size_t print_packet(uint8_t out[HEADS + PAYLOAD],
			   const struct decap_packet *p)
{
	const bool v6 = p->from.family == 6, tcp = p->kind == DECAP_TCP;
	const size_t ip = v6 ? 40 : 20, head = tcp ? 20 : 8;
	const size_t n = MIN(p->len, (size_t)PAYLOAD);
	const size_t all = head + p->wire_len;
	const uint8_t protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	uint8_t *const t = out + ip;

	memset(out, 0, HEADS);
	out[0] = v6 ? 0x60 : 0x45;
	put16(out + (v6 ? 4 : 2), v6 ? all : ip + all);
	out[v6 ? 7 : 8] = 64;
	out[v6 ? 6 : 9] = protocol;
	memcpy(out + (v6 ? 8 : 12), p->from.ip, v6 ? 16 : 4);
	memcpy(out + (v6 ? 24 : 16), p->to.ip, v6 ? 16 : 4);
	put16(t, p->from.port);
	put16(t + 2, p->to.port);
	if (tcp) {
		put16(t + 4, p->tcp_seq >> 16);
		put16(t + 6, p->tcp_seq);
		put16(t + 8, p->tcp_ack >> 16);
		put16(t + 10, p->tcp_ack);
		t[12] = 5 << 4;
		t[13] = p->tcp_flags;
	} else {
		put16(t + 4, all);
	}
	if (n)
		memcpy(t + head, p->data, n);
	return ip + head + n;
}

static bool matches(const struct bpf_program *program, const uint8_t *data,
		    size_t len, size_t wire_len)
{
	const struct pcap_pkthdr h = {
		.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)wire_len,
	};

	return pcap_offline_filter(program, &h, data);
}

bool capture_filter_wants(const struct capture_filter *f,
			  const struct frame *frame,
			  const struct decap_packet *p)
{
	uint8_t packet[HEADS + PAYLOAD];

	if (!f->wide.len || !p->indirect || !f->judges_packets)
		return true;
	if (matches(&f->frame, frame->data, frame->len, frame->wire_len))
		return true;
	const size_t n = print_packet(packet, p);

	return matches(&f->packet, packet, n,
		       n + p->wire_len - MIN(p->len, (size_t)PAYLOAD));
}
