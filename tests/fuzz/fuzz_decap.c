/**
 * @file fuzz_decap.c  Frames of every link type, fragments among them, and the
 *                     TCP streams they make
 *
 * Input: a byte for the link type, then frames: two bytes of length, one of
 * time [100 ms], one of bytes cut off by the capture, the frame.
 */
#include <errno.h>
#include <pcap/dlt.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/rd.h"
#include "daemon/net/decap.h"
#include "daemon/net/tcp_streams.h"
#include "tests/fuzz/fuzz.h"

static const int link_types[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
				  DLT_RAW, DLT_NULL, DLT_LOOP, DLT_IPV4,
				  DLT_IPV6 };

static uint64_t seen; /* Reads every byte, for the sanitizer */

static void touch(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		seen += data[i];
}

static void take_events(struct tcp_streams *t)
{
	struct tcp_event e;

	while (tcp_streams_next(t, &e) == 1) {
		must(e.slot < TCP_SLOTS);
		must((e.len != 0) == (e.kind == TCP_BYTES));
		touch(e.data, e.len);
	}
}

static bool feed(struct decap *d, struct tcp_streams *t, int link_type,
		 uint64_t at_us, struct rd frame, size_t cut)
{
	const size_t len = rd_left(&frame);
	uint8_t *exact = malloc(len ? len : 1);
	struct decap_packet p;

	must(exact);
	if (len)
		memcpy(exact, frame.p, len);
	const int got = decap_feed(d, link_type, at_us, exact, len, len + cut,
				   &p);

	must(got == 0 || got == 1 || got == -EBADMSG);
	if (got == 1) {
		must(p.len <= p.wire_len && p.wire_len <= 65535 + len + cut);
		must(p.from.family && p.to.family);
		touch(p.data, p.len);
		(void)tcp_streams_feed(t, &p, at_us);
		take_events(t);
	}
	free(exact);
	return got == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	const int link_type = link_types[rd_u8(&r) % ARRAY_LEN(link_types)];
	struct tcp_streams *t;
	struct decap *d;
	uint64_t at_us = 0;
	bool good = false;

	must(decap_new(&d) == 0 && tcp_streams_new(&t) == 0);
	while (rd_left(&r) >= 4) {
		const size_t n = rd_u16(&r);

		at_us += rd_u8(&r) * UINT64_C(100000);
		const size_t cut = rd_u8(&r);
		struct rd frame = rd_sub(&r, n < rd_left(&r) ? n
							     : rd_left(&r));

		good |= feed(d, t, link_type, at_us, frame, cut);
	}
	tcp_streams_flush(t);
	take_events(t);
	tcp_streams_free(t);
	decap_free(d);
	fuzz_count_input(good);
	return 0;
}
