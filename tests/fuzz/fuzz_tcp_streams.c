/**
 * @file fuzz_tcp_streams.c  Segments in any order, repeated, overlapping, cut
 *
 * Input: segments of 6 bytes: kind (direction, flags, connection), where (two
 * bytes, relative to the direction's last), length, bytes cut off, time [10
 * ms].  A byte's value is its sequence number, so whatever comes out must
 * count up by one until bytes are told lost.
 */
#include <errno.h>
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/base/rd.h"
#include "daemon/net/tcp_streams.h"
#include "tests/fuzz/fuzz.h"

struct follower {
	bool going;
	uint8_t next;
};

static void take_events(struct tcp_streams *t, struct follower *f, bool *any)
{
	struct tcp_event e;

	while (tcp_streams_next(t, &e) == 1) {
		must(e.slot < TCP_SLOTS);
		struct follower *one = &f[e.slot];

		if (e.kind != TCP_BYTES) {
			one->going = false;
			continue;
		}
		must(e.len > 0);
		for (size_t i = 0; i < e.len; i++) {
			must(!one->going || e.data[i] == one->next);
			one->going = true;
			one->next = (uint8_t)(e.data[i] + 1);
		}
		*any = true;
	}
}

static uint32_t last[4][2];

static struct decap_packet segment(struct rd *r, uint8_t *bytes)
{
	static const uint8_t ips[2][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } };
	static const uint8_t flags[8] = { 16, 16, 16, 2, 18, 17, 4, 16 };
	const uint8_t kind = rd_u8(r);
	const unsigned connection = kind >> 6, dir = kind & 1;
	uint32_t *const base = &last[connection][dir];
	const uint32_t seq = *base + (uint32_t)(int16_t)rd_u16(r);
	const size_t len = rd_u8(r), cut = rd_u8(r) & 3;
	const uint8_t f = flags[kind >> 1 & 7];
	const uint16_t port = (uint16_t)(40000 + connection);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(seq + (f & DECAP_SYN ? 1 : 0) + i);
	if (!(kind & 0x20)) /* Else it goes back, or a hole stays */
		*base = seq + (uint32_t)len;
	return (struct decap_packet){
		.kind = DECAP_TCP,
		.from = addr_v4(ips[dir], dir ? 5060 : port),
		.to = addr_v4(ips[!dir], dir ? port : 5060),
		.data = bytes,
		.len = len < cut ? 0 : len - cut,
		.wire_len = len,
		.tcp_seq = seq,
		.tcp_ack = last[connection][!dir],
		.tcp_flags = f,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct follower followers[TCP_SLOTS];
	struct rd r = rd_of(data, len);
	struct tcp_streams *t;
	uint64_t at_us = 0;
	bool any = false;

	must(tcp_streams_new(&t) == 0);
	memset(followers, 0, sizeof(followers));
	memset(last, 0, sizeof(last));
	while (rd_left(&r) >= 6) {
		uint8_t *bytes = malloc(256);

		must(bytes);
		const struct decap_packet p = segment(&r, bytes);

		at_us += rd_u8(&r) * UINT64_C(10000);
		must(tcp_streams_feed(t, &p, at_us) == 0);
		take_events(t, followers, &any);
		free(bytes); /* What waits must be a copy */
	}
	tcp_streams_flush(t);
	take_events(t, followers, &any);
	tcp_streams_free(t);
	fuzz_count_input(any);
	return 0;
}
