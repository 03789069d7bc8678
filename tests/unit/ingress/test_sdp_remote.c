/** @file test_sdp_remote.c  daemon/ingress/sdp_remote.c */
#include "daemon/ingress/sdp_remote.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define H "v=0\r\no=x 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" \
	  "t=0 0\r\n"

static const struct row {
	const char *name, *sdp;
	const char *want;   /* at rtcp hold, then what is not the static table */
} rows[] = {
	{ "PCMU", H "m=audio 4000 RTP/AVP 0\r\n", "192.0.2.1:4000 192.0.2.1:4001" },
	{ "rtcp elsewhere", H "m=audio 4000 RTP/AVP 0\r\na=rtcp:5000\r\n",
	  "192.0.2.1:4000 192.0.2.1:5000" },
	{ "mux", H "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n",
	  "192.0.2.1:4000 192.0.2.1:4000 mux" },
	{ "held", H "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n",
	  "192.0.2.1:4000 192.0.2.1:4001 hold" },
	{ "they only listen", H "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n",
	  "192.0.2.1:4000 192.0.2.1:4001 hold" },
	{ "they only send", H "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n",
	  "192.0.2.1:4000 192.0.2.1:4001" },
	{ "0.0.0.0", H "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
	  "- - hold" },
	{ "a name", H "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 a.example\r\n",
	  "- -" },
	{ "formats", H "m=audio 4000 RTP/AVP 3 96 97 98 99 100 101 102 103\r\n"
	  "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 pcma/8000\r\n"
	  "a=rtpmap:98 PCMU/16000\r\na=rtpmap:99 L16/8000\r\n"
	  "a=rtpmap:100 L16/8000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
	  "a=rtpmap:102 Telephone-Event/48000\r\na=rtpmap:103 CN/8000\r\n",
	  "192.0.2.1:4000 192.0.2.1:4001 3=other 96=other 97=pcma 98=other "
	  "99=l16 100=other 101=event 102=event 103=cn" },
	{ "a static number with another meaning", H "m=audio 4000 RTP/AVP 0 8\r\n"
	  "a=rtpmap:0 PCMA/8000\r\na=rtpmap:8 G722/8000\r\n",
	  "192.0.2.1:4000 192.0.2.1:4001 0=pcma 8=other" },
};

static void print_addr(struct buf *b, const struct addr *a)
{
	char text[ADDR_TEXT];

	buf_puts(b, a->family ? addr_print(text, a) : "-");
}

static void test_lines(void **state)
{
	static const char *const names[] = {
		[PAYLOAD_UNKNOWN] = "unknown", [PAYLOAD_PCMU] = "pcmu",
		[PAYLOAD_PCMA] = "pcma", [PAYLOAD_L16] = "l16",
		[PAYLOAD_COMFORT_NOISE] = "cn",
		[PAYLOAD_TELEPHONE_EVENT] = "event",
		[PAYLOAD_OTHER_CODEC] = "other",
	};
	static struct sdp s;
	struct receiver_config usual;

	(void)state;
	receiver_config_default(&usual);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rtp_remote r;
		struct buf got = { 0 };

		print_message("row: %s\n", rows[i].name);
		assert_int_equal(sdp_parse(&s, rows[i].sdp,
					   strlen(rows[i].sdp)), 0);
		sdp_remote(&r, &s.media[0]);
		print_addr(&got, &r.at);
		buf_puts(&got, " ");
		print_addr(&got, &r.rtcp);
		buf_puts(&got, r.rtcp_mux ? " mux" : "");
		buf_puts(&got, r.on_hold ? " hold" : "");
		for (unsigned pt = 0; pt < 128; pt++)
			if (r.kinds[pt] != usual.kind[pt])
				buf_printf(&got, " %u=%s", pt,
					   names[r.kinds[pt]]);
		assert_string_equal(buf_str(&got), rows[i].want);
		buf_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
