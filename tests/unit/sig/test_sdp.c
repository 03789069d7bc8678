/** @file test_sdp.c  daemon/sig/sdp.c and sdp_lines.c */
#include "daemon/sig/sdp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define V "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n"
#define C "c=IN IP4 192.0.2.1\r\n"
#define T "t=0 0\r\n"
#define H V C T
#define TEN "1234567890"
#define M "m=audio 4000 RTP/AVP 0\r\n"
#define KEY "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n"
#define U "audio 192.0.2.1:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n"

/* One line for every m-line, as print() below writes it */
static const struct row {
	const char *name, *text;
	int err;
	const char *want;
} rows[] = {
	{ "one line", H M, 0, U },
	{ "no final line end", H "m=audio 4000 RTP/AVP 0", 0, U },
	{ "no final line end behind an attribute", H M "a=sendonly", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendonly 0=PCMU/8000/1\n" },
	{ "line feeds", "v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\nc=IN IP4 192.0.2.1\n"
	  "t=0 0\nm=audio 4000 RTP/AVP 0\n", 0, U },
	{ "carriage returns", "v=0\ro=- 1 1 IN IP4 1.2.3.4\rs=-\r"
	  "c=IN IP4 192.0.2.1\rt=0 0\rm=audio 4000 RTP/AVP 0\r", 0, U },
	{ "blank lines", "\r\n" H "\r\n" M "\r\n\r\n", 0, U },
	{ "lines in another order, no t=, no s= (mod_oreka)",
	  "v=0\r\no=x 1 1 IN IP4 192.0.2.9\r\nc=IN IP4 192.0.2.1\r\n"
	  "s=Phone Recording (RX)\r\ni=X\r\nm=audio 4000 RTP/AVP 0\r\n"
	  "a=rtpmap:0 PCMU/8000\r\n", 0, U },
	{ "attribute before c=", H M "a=ptime:20\r\nc=IN IP4 192.0.2.7\r\n", 0,
	  "audio 192.0.2.7:4000 rtcp 4001 sendrecv ptime 20 0=PCMU/8000/1\n" },
	{ "lines nobody knows", V "q=?\r\n" C T "b=\r\ni=\r\n" M "z=\r\n"
	  "k=\r\nb=AS:\r\ny=1\r\n", 0, U },
	{ "empty attributes", H M "a=\r\na=x:\r\na=rtpmap:\r\na=rtpmap\r\n"
	  "a=:\r\n", 0, U },
	{ "blanks", H "m=audio  4000\tRTP/AVP   0 \r\n", 0, U },
	{ "blanks at the end and behind the colon", H M "a=sendonly \r\n"
	  "a=ptime: 20\t\r\na=rtpmap: 0 x/8000 \r\na=rtcp-mux \r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 mux sendonly ptime 20 0=x/8000/1\n"
	},
	{ "blanks in front", H "m= \taudio 4000 RTP/AVP 0\r\n", 0, U },
	{ "c= of the line", H M "c=IN IP4 192.0.2.7\r\n", 0,
	  "audio 192.0.2.7:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "c= of the line alone", V T M "c=IN IP4 192.0.2.7\r\n", 0,
	  "audio 192.0.2.7:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "two c= lines: the first", H M "c=IN IP4 192.0.2.7\r\n"
	  "c=IN IP4 192.0.2.8\r\n", 0,
	  "audio 192.0.2.7:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "no c= at all", V T M, 0,
	  "audio -:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "IPv6", V "c=IN IP6 2001:db8::1\r\n" T M, 0,
	  "audio [2001:db8::1]:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "a name", V "c=IN IP4 media.example.com\r\n" T M, 0,
	  "audio -:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "a name on the line does not hide the session's", H M
	  "c=IN IP4 media.example.com\r\n", 0,
	  "audio -:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "multicast with TTL", V "c=IN IP4 224.2.1.1/127/3\r\n" T M, 0,
	  "audio 224.2.1.1:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "hold by 0.0.0.0", V "c=IN IP4 0.0.0.0\r\n" T M "a=sendrecv\r\n", 0,
	  "audio 0.0.0.0:4000 rtcp 4001 inactive 0=PCMU/8000/1\n" },
	{ "0.0.0.0 of who sends", V "c=IN IP4 0.0.0.0\r\n" T M
	  "a=sendonly\r\n", 0,
	  "audio 0.0.0.0:4000 rtcp 4001 sendonly 0=PCMU/8000/1\n" },
	{ "hold by ::", V "c=IN IP6 ::\r\n" T M, 0,
	  "audio [::]:4000 rtcp 4001 inactive 0=PCMU/8000/1\n" },

	{ "direction of the session", H "a=recvonly\r\n" M, 0,
	  "audio 192.0.2.1:4000 rtcp 4001 recvonly 0=PCMU/8000/1\n" },
	{ "direction of the line wins", H "a=recvonly\r\n" M "a=inactive\r\n"
	  M, 0,
	  "audio 192.0.2.1:4000 rtcp 4001 inactive 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 recvonly 0=PCMU/8000/1\n" },
	{ "direction in other letters", H M "a=SendOnly\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendonly 0=PCMU/8000/1\n" },
	{ "no direction", H M "a=sendonlyx\r\na=send\r\n", 0, U },

	{ "static names", H "m=audio 4000 RTP/AVP 0 3 4 8 9 13 18 19 96\r\n",
	  0, "audio 192.0.2.1:4000 rtcp 4001 sendrecv 0=PCMU/8000/1 "
	  "3=GSM/8000/1 4=G723/8000/1 8=PCMA/8000/1 9=G722/8000/1 "
	  "13=CN/8000/1 18=G729/8000/1 19=CN/8000/1 96=/0/1\n" },
	{ "rtpmap", H "m=audio 4000 RTP/AVP 96 0 101\r\n"
	  "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101  telephone-event/8000\r\n"
	  "a=fmtp:101 0-16\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv 96=opus/48000/2 "
	  "0=PCMU/8000/1 101=telephone-event/8000/1\n" },
	{ "rtpmap of a static type", H M "a=rtpmap:0 pcmu/16000/2\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv 0=pcmu/16000/2\n" },
	{ "rtpmaps that make no sense", H M "a=rtpmap:0\r\na=rtpmap:0 X\r\n"
	  "a=rtpmap:0 X/\r\na=rtpmap:0 X/0\r\na=rtpmap:0 X/-8000\r\n"
	  "a=rtpmap:0 X/4294975296\r\na=rtpmap:0 X/8000/0\r\n"
	  "a=rtpmap:0 X/8000/256\r\na=rtpmap:128 X/8000\r\n"
	  "a=rtpmap:256 X/8000\r\na=rtpmap: X/8000\r\na=rtpmap:-0 X/8000\r\n"
	  "a=rtpmap:00000000000000000000000000 /8000\r\n"
	  "a=rtpmap:0 /8000\r\na=rtpmap:0 X/8000x\r\n"
	  "a=rtpmap:0 namesof24characters12345/8000\r\n", 0, U },
	{ "a name of 23 characters", H M
	  "a=rtpmap:0 namesof23characters1234/8000\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=namesof23characters1234/8000/1\n" },
	{ "formats out of range are not there", H
	  "m=audio 4000 RTP/AVP 0 128 256 -1 x 4294967304 127\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv 0=PCMU/8000/1 127=/0/1\n" },
	{ "no formats", H "m=audio 4000 RTP/AVP\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv\n" },

	{ "refused", H "m=audio 0 RTP/AVP 0\r\n", 0,
	  "audio 192.0.2.1 rtcp 0 sendrecv 0=PCMU/8000/1\n" },
	{ "port 65535", H "m=audio 65535 RTP/AVP 0\r\n", 0,
	  "audio 192.0.2.1:65535 rtcp 0 sendrecv 0=PCMU/8000/1\n" },
	{ "port 65536", H "m=audio 65536 RTP/AVP 0\r\n", -EBADMSG, "" },
	{ "port -1", H "m=audio -1 RTP/AVP 0\r\n", -EBADMSG, "" },
	{ "port +4000", H "m=audio +4000 RTP/AVP 0\r\n", -EBADMSG, "" },
	{ "port 2^32 + 4000", H "m=audio 4294971296 RTP/AVP 0\r\n", -EBADMSG,
	  "" },
	{ "no port", H "m=audio RTP/AVP 0\r\n", -EBADMSG, "" },
	{ "a range of ports", H "m=audio 4000/2 RTP/AVP 0\r\n", 0, U },
	{ "a=rtcp", H M "a=rtcp:5000\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 5000 sendrecv 0=PCMU/8000/1\n" },
	{ "a=rtcp with an address", H M "a=rtcp:5000 IN IP4 192.0.2.8\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 5000 sendrecv 0=PCMU/8000/1\n" },
	{ "a=rtcp 65536", H M "a=rtcp:65536\r\n", 0, U },
	{ "a=rtcp-mux", H M "a=rtcp-mux\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 mux sendrecv 0=PCMU/8000/1\n" },

	{ "ptime", H M "a=ptime:30\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv ptime 30 0=PCMU/8000/1\n" },
	{ "ptime of the session", H "a=ptime:30\r\n" M, 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv ptime 30 0=PCMU/8000/1\n" },
	{ "ptime 1 and 4000000000", H M "a=ptime:1\r\n" M
	  "a=ptime:4000000000\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv ptime 10 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv ptime 200 0=PCMU/8000/1\n"
	},
	{ "ptime 0, -20, 2^32 + 20, x", H M "a=ptime:0\r\na=ptime:-20\r\n"
	  "a=ptime:4294967316\r\na=ptime:x\r\n", 0, U },
	{ "label", H M "a=label:1\r\n" M "a=label:\xff" "a\x1b[\r\n" M
	  "a=label: \t0123456789abcdef-0123456789abcdef\r\n" M "a=label:"
	  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv label 1 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv label ?a?[ 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv label "
	  "0123456789abcdef-0123456789abcdef 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv label "
	  TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "1234567 "
	  "0=PCMU/8000/1\n" },

	{ "SAVP", H "m=audio 4000 RTP/SAVP 0\r\n", 0,
	  "audio encrypted secure 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=PCMU/8000/1\n" },
	{ "DTLS", H "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", 0,
	  "audio encrypted secure 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=PCMU/8000/1\n" },
	{ "a=crypto", H M
	  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n" M, 0,
	  "audio encrypted 192.0.2.1:4000 rtcp 4001 sendrecv 0=PCMU/8000/1\n"
	  U },
	{ "a=crypto that can be used", H "m=audio 4000 RTP/SAVP 0\r\n"
	  "a=crypto:1 F8_128_HMAC_SHA1_80 " KEY "\r\n"
	  "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " KEY "\r\n"
	  "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n" M, 0,
	  "audio encrypted secure 2:2 3:1 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=PCMU/8000/1\n" U },
	{ "a=crypto, if we like", H M
	  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n", 0,
	  "audio encrypted 1:1 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=PCMU/8000/1\n" },
	{ "a=crypto with DTLS", H "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n"
	  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n", 0,
	  "audio encrypted secure 192.0.2.1:4000 rtcp 4001 sendrecv "
	  "0=PCMU/8000/1\n" },
	{ "nine of a=crypto", H M CRYPTO CRYPTO CRYPTO CRYPTO CRYPTO CRYPTO
	  CRYPTO CRYPTO CRYPTO, 0,
	  "audio encrypted 1:1 1:1 1:1 1:1 1:1 1:1 1:1 1:1 192.0.2.1:4000 "
	  "rtcp 4001 sendrecv 0=PCMU/8000/1\n" },
	{ "fax", H "m=image 4000 udptl t38\r\n", 0,
	  "other no-rtp 192.0.2.1:4000 rtcp 4001 sendrecv\n" },
	{ "language: the line's, the session's, the first, one that is none",
	  H "a=lang:de\r\n" M M "a=lang:fr-CA\r\na=lang:en\r\n" M
	  "a=lang:\x1b[1m\r\n", 0,
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv in de 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv in fr-CA 0=PCMU/8000/1\n"
	  "audio 192.0.2.1:4000 rtcp 4001 sendrecv in de 0=PCMU/8000/1\n" },
	{ "video and audio", H "m=video 4002 RTP/AVP 31\r\n" M, 0,
	  "other 192.0.2.1:4002 rtcp 4003 sendrecv 31=H261/90000/1\n" U },
	{ "no media", H, 0, "" },
	{ "a session's line does not reach the next", H M "a=sendonly\r\n"
	  "a=ptime:20\r\na=label:x\r\nc=IN IP4 192.0.2.7\r\n" M, 0,
	  "audio 192.0.2.7:4000 rtcp 4001 sendonly ptime 20 label x "
	  "0=PCMU/8000/1\n" U },

	{ "nothing", "", -EBADMSG, "" },
	{ "no v=", C T M, -EBADMSG, "" },
	{ "v=1", "v=1\r\n" C T M, -EBADMSG, "" },
	{ "m= empty", H "m=\r\n", -EBADMSG, "" },
	{ "a line without =", H M "hello\r\n", -EBADMSG, "" },
	{ "a line of one character", H M "a\r\n", -EBADMSG, "" },
	{ "eight lines", H M M M M M M M M, 0, U U U U U U U U },
	{ "nine lines", H M M M M M M M M M, -EMSGSIZE, "" },
	{ "32 formats", H "m=audio 4000 RTP/AVP 0 x x x x x x x x x x x x x x x"
	  " x x x x x x x x x x x x x x x x\r\n", 0, U },
	{ "33 formats", H "m=audio 4000 RTP/AVP 0 x x x x x x x x x x x x x x x"
	  " x x x x x x x x x x x x x x x x x\r\n", -EMSGSIZE, "" },
};

static void print_media(struct buf *b, const struct sdp_media *m)
{
	static const char *const directions[] = { "sendrecv", "sendonly",
						  "recvonly", "inactive" };
	char at[ADDR_TEXT];

	buf_printf(b, "%s%s%s%s", m->audio ? "audio" : "other",
		   m->encrypted ? " encrypted" : "", m->secure ? " secure" : "",
		   m->rtp ? "" : " no-rtp");
	for (size_t i = 0; i < m->n_crypto; i++)
		buf_printf(b, " %u:%u", m->crypto[i].tag,
			   m->crypto[i].key.suite);
	buf_puts(b, " ");
	if (m->at.family)
		buf_puts(b, addr_print(at, &m->at));
	else
		buf_printf(b, "-:%u", m->at.port);
	buf_printf(b, " rtcp %u%s %s", m->rtcp_port, m->rtcp_mux ? " mux" : "",
		   directions[m->direction]);
	if (m->ptime_ms)
		buf_printf(b, " ptime %u", m->ptime_ms);
	if (m->label[0])
		buf_printf(b, " label %s", m->label);
	if (m->language[0])
		buf_printf(b, " in %s", m->language);
	for (size_t i = 0; i < m->n_formats; i++)
		buf_printf(b, " %u=%s/%u/%u", m->formats[i].pt,
			   m->formats[i].name, m->formats[i].clock_hz,
			   m->formats[i].channels);
	buf_puts(b, "\n");
}

static int parse(struct sdp *out, const char *text, size_t len)
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	const int err = sdp_parse(out, exact, len);

	free(exact);
	return err;
}

static void test_descriptions(void **state)
{
	static struct sdp s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct buf b = { 0 };

		print_message("row: %s\n", r->name);
		s.n_media = 77;
		assert_int_equal(parse(&s, r->text, strlen(r->text)), r->err);
		if (r->err)
			assert_int_equal(s.n_media, 77);
		for (size_t k = 0; !r->err && k < s.n_media; k++)
			print_media(&b, &s.media[k]);
		assert_string_equal(buf_str(&b), r->want);
		buf_free(&b);
	}
}

static void test_cut_anywhere(void **state)
{
	static struct sdp s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t n = 0; n < strlen(rows[i].text); n++)
			if (parse(&s, rows[i].text, n) == 0)
				assert_true(s.n_media <= SDP_MEDIA_MAX);
}

static void test_nul_anywhere(void **state)
{
	static const char text[] = H M "a=sendonly";
	static struct sdp s;
	char copy[sizeof(text)];

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(copy, text, sizeof(text));
		copy[n] = '\0';
		assert_int_equal(parse(&s, copy, sizeof(text) - 1), -EBADMSG);
	}
}

static void test_limits_of_size(void **state)
{
	static const struct {
		const char *name, *fill;
		size_t n;
		int err;
	} limits[] = {
		{ "500 lines", "a=x\r\n", 494, 0 },
		{ "501 lines", "a=x\r\n", 495, -EMSGSIZE },
		{ "32 KiB", "aaaaaaaaaa", 3265, 0 },
		{ "over 32 KiB", "aaaaaaaaaa", 3277, -EMSGSIZE },
	};
	static struct sdp s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct buf b = { 0 };

		print_message("row: %s\n", limits[i].name);
		buf_puts(&b, H M);
		for (size_t k = 0; k < limits[i].n; k++)
			buf_printf(&b, "%s%s", k || i < 2 ? "" : "a=",
				   limits[i].fill);
		assert_int_equal(parse(&s, buf_str(&b), b.len),
				 limits[i].err);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_nul_anywhere),
		cmocka_unit_test(test_limits_of_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
