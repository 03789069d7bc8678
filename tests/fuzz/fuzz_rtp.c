/**
 * @file fuzz_rtp.c  One datagram from a media port: RTP or RTCP
 *
 * The first byte says how much longer it was on the wire; odd: the version is
 * put right, so that more than the first byte is looked at.
 */
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/media/rtcp.h"
#include "daemon/media/rtp.h"
#include "daemon/media/telephone_event.h"
#include "tests/fuzz/fuzz.h"

static bool walk_rtcp(const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	struct rtcp_sender s;
	struct rtcp p;
	int n = 0;

	while (rtcp_next(&p, &r) == 1) {
		must(p.body >= data && p.body + p.len <= data + len);
		(void)rtcp_sender(&s, &p);
		(void)rtcp_bye_names(&p, p.ssrc);
		n++;
	}
	must(rtcp_check(data, len) <= n);
	return rtcp_check(data, len) > 0;
}

static bool walk_rtp(const uint8_t *data, size_t len, size_t wire_len)
{
	struct telephone_event e;
	struct rtp h;

	if (rtp_parse(&h, data, len, wire_len))
		return false;
	must(h.payload >= data && h.payload + h.len <= data + len);
	must(h.wire_len >= h.len && h.wire_len <= wire_len);
	(void)telephone_event_parse(&e, h.payload, h.len);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool accepted = false;

	if (len > 1) {
		const size_t cut = data[0];
		uint8_t *p = malloc(--len);

		memcpy(p, data + 1, len);
		if (cut & 1)
			p[0] = (uint8_t)(0x80 | (p[0] & 0x3f));
		accepted = rtcp_is(p, len) ? walk_rtcp(p, len)
					   : walk_rtp(p, len, len + cut / 2);
		free(p);
	}
	fuzz_count_input(accepted);
	return 0;
}
