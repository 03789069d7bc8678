/** @file test_answer.c  daemon/sig/answer.c */
#include "daemon/sig/answer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

#define H "v=0\r\no=x 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n" \
	  "t=0 0\r\n"
#define A "v=0\r\no=- 7 7 IN IP4 198.51.100.2\r\ns=-\r\n" \
	  "c=IN IP4 198.51.100.2\r\nt=0 0\r\n"
#define PCMU "a=rtpmap:0 PCMU/8000\r\n"
#define PCMA "a=rtpmap:8 PCMA/8000\r\n"
#define KEY "1 AES_CM_128_HMAC_SHA1_80 inline:abc"

/* The ports handed out: 5000, 5002 ... by m-line */
static const struct row {
	const char *name, *offer;
	const char *crypto;   /* of the first line */
	unsigned accepted;
	const char *refused;  /* of each line; "-" accepted */
	const char *want;     /* behind the session's part */
} rows[] = {
	{ "PCMU", H "m=audio 4000 RTP/AVP 0\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n" },
	{ "the offerer's order", H "m=audio 4000 RTP/AVP 8 0\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 8 0\r\n" PCMA PCMU "a=recvonly\r\n" },
	{ "only what we decode", H "m=audio 4000 RTP/AVP 18 9 8 3 0 4 13 19 101"
	  " 102 96\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
	  "a=rtpmap:102 telephone-event/48000\r\na=rtpmap:96 opus/48000/2\r\n",
	  NULL, 1, "-", "m=audio 5000 RTP/AVP 8 0 13 19 101\r\n" PCMA PCMU
	  "a=rtpmap:13 CN/8000\r\na=rtpmap:19 CN/8000\r\n"
	  "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
	  "a=recvonly\r\n" },
	{ "dynamic numbers for G.711", H "m=audio 4000 RTP/AVP 110 111\r\n"
	  "a=rtpmap:110 pcma/8000\r\na=rtpmap:111 PCMU/8000/1\r\n", NULL, 1,
	  "-", "m=audio 5000 RTP/AVP 110 111\r\na=rtpmap:110 pcma/8000\r\n"
	  "a=rtpmap:111 PCMU/8000\r\na=recvonly\r\n" },
	{ "G.711 that is none", H "m=audio 4000 RTP/AVP 0 8\r\n"
	  "a=rtpmap:0 PCMU/16000\r\na=rtpmap:8 PCMA/8000/2\r\n", NULL, 0,
	  "codec", "m=audio 0 RTP/AVP 0\r\n" },
	{ "events alone are no audio", H "m=audio 4000 RTP/AVP 101\r\n"
	  "a=rtpmap:101 telephone-event/8000\r\n", NULL, 0, "codec",
	  "m=audio 0 RTP/AVP 101\r\n" },

	{ "sendonly", H "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", NULL, 1,
	  "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n" },
	{ "recvonly", H "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n", NULL, 1,
	  "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=inactive\r\n" },
	{ "inactive", H "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", NULL, 1,
	  "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=inactive\r\n" },
	{ "inactive for the session", H "a=inactive\r\nm=audio 4000 RTP/AVP 0"
	  "\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=inactive\r\n" },
	{ "held by 0.0.0.0", H "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n",
	  NULL, 1, "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=inactive\r\n" },
	{ "0.0.0.0 of who sends", H "m=audio 4000 RTP/AVP 0\r\n"
	  "c=IN IP4 0.0.0.0\r\na=sendonly\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n" },
	{ "a=direction:both is nothing we know", H "m=audio 4000 RTP/AVP 0\r\n"
	  "a=direction:both\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n" },

	{ "label, ptime, rtcp-mux", H "m=audio 4000 RTP/AVP 0\r\na=ptime:30\r\n"
	  "a=label:a_leg\r\na=rtcp-mux\r\na=mid:1\r\na=record:on\r\n", NULL, 1,
	  "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=ptime:30\r\na=rtcp-mux\r\n"
	  "a=label:a_leg\r\na=recvonly\r\n" },
	{ "two lines, two codecs", H "m=audio 4000 RTP/AVP 3 0\r\na=label:1\r\n"
	  "a=sendonly\r\nm=audio 4002 RTP/AVP 8\r\na=label:2\r\na=inactive\r\n",
	  NULL, 2, "- -", "m=audio 5000 RTP/AVP 0\r\n" PCMU
	  "a=label:1\r\na=recvonly\r\nm=audio 5002 RTP/AVP 8\r\n" PCMA
	  "a=label:2\r\na=inactive\r\n" },
	{ "refused lines keep their places", H "m=video 4002 RTP/AVP 31 34\r\n"
	  "a=label:v\r\nm=audio 4000 RTP/AVP 0\r\nm=audio 4004 RTP/AVP 18\r\n"
	  "m=application 9 TCP/BFCP *\r\nm=image 4006 udptl t38\r\n", NULL, 1,
	  "media - codec media media", "m=video 0 RTP/AVP 31\r\na=label:v\r\n"
	  "m=audio 5002 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n"
	  "m=audio 0 RTP/AVP 18\r\nm=application 0 TCP/BFCP *\r\n"
	  "m=image 0 udptl t38\r\n" },
	{ "a line the offerer has disabled", H "m=audio 0 RTP/AVP 0\r\n"
	  "m=audio 4000 RTP/AVP 0\r\n", NULL, 1, "disabled -",
	  "m=audio 0 RTP/AVP 0\r\nm=audio 5002 RTP/AVP 0\r\n" PCMU
	  "a=recvonly\r\n" },
	{ "no lines", H, NULL, 0, "", "" },
	{ "words too long or strange to say again", H
	  "m=x123456789x123456789x1234 4000 \x01TP/AVP a\xff\r\n", NULL, 0,
	  "media", "m=audio 0 RTP/AVP 0\r\n" },

	{ "feedback", H "m=audio 4000 RTP/AVPF 0\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVPF 0\r\n" PCMU "a=recvonly\r\n" },
	{ "SRTP without a key of ours", H "m=audio 4000 RTP/SAVP 0\r\n"
	  "a=crypto:" KEY "\r\n", NULL, 0, "encrypted",
	  "m=audio 0 RTP/SAVP 0\r\n" },
	{ "SRTP", H "m=audio 4000 RTP/SAVP 0\r\na=crypto:" KEY "d\r\n", KEY, 1,
	  "-", "m=audio 5000 RTP/SAVP 0\r\n" PCMU "a=crypto:" KEY "\r\n"
	  "a=recvonly\r\n" },
	{ "SRTP or plain, with a key", H "m=audio 4000 RTP/AVP 0\r\na=crypto:"
	  KEY "d\r\n", KEY, 1, "-", "m=audio 5000 RTP/AVP 0\r\n" PCMU
	  "a=crypto:" KEY "\r\na=recvonly\r\n" },
	{ "SRTP or plain, without", H "m=audio 4000 RTP/AVP 0\r\na=crypto:"
	  KEY "d\r\n", NULL, 1, "-",
	  "m=audio 5000 RTP/AVP 0\r\n" PCMU "a=recvonly\r\n" },
	{ "a plain and a secure line", H "m=audio 4000 RTP/SAVPF 0\r\n"
	  "m=audio 4000 RTP/AVP 0\r\n", NULL, 1, "encrypted -",
	  "m=audio 0 RTP/SAVPF 0\r\nm=audio 5002 RTP/AVP 0\r\n" PCMU
	  "a=recvonly\r\n" },
	{ "DTLS", H "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", KEY, 0, "encrypted",
	  "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\n" },
};

static void parse(struct sdp *out, const char *text)
{
	assert_int_equal(sdp_parse(out, text, strlen(text)), 0);
}

static struct answer_origin origin(void)
{
	static const uint8_t ip[4] = { 198, 51, 100, 2 };

	return (struct answer_origin){ .id = 7, .at = addr_v4(ip, 9) };
}

static void test_offers(void **state)
{
	static struct sdp offer;
	static struct sdp_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *crypto[SDP_MEDIA_MAX] = { rows[i].crypto };
		struct answer_origin o = origin();
		struct buf refused = { 0 }, want = { 0 }, got = { 0 };

		print_message("row: %s\n", rows[i].name);
		parse(&offer, rows[i].offer);
		answer_decide(&a, &offer, rows[i].crypto ? crypto : NULL);
		assert_int_equal(a.accepted, rows[i].accepted);
		unsigned disabled = 0;

		for (size_t k = 0; k < a.n_lines; k++) {
			const char *why = a.lines[k].refused;

			disabled += why && strcmp(why, "disabled") == 0;
			assert_int_equal(a.lines[k].accepted, !why);
			buf_printf(&refused, "%s%s", k ? " " : "",
				   why ? why : "-");
			a.lines[k].port = (uint16_t)(5000 + 2 * k);
		}
		assert_string_equal(buf_str(&refused), rows[i].refused);
		assert_int_equal(a.disabled, disabled);
		buf_printf(&want, A "%s", rows[i].want);
		assert_int_equal(answer_print(&got, &o, &a, &offer), 0);
		assert_string_equal(buf_str(&got), buf_str(&want));
		buf_free(&refused);
		buf_free(&want);
		buf_free(&got);
	}
}

/* What we say is a description itself */
static void test_answers_parse(void **state)
{
	static struct sdp offer, said;
	static struct sdp_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer_origin o = origin();
		struct buf got = { 0 };

		print_message("row: %s\n", rows[i].name);
		parse(&offer, rows[i].offer);
		answer_decide(&a, &offer, NULL);
		for (size_t k = 0; k < a.n_lines; k++)
			a.lines[k].port = 5000;
		assert_int_equal(answer_print(&got, &o, &a, &offer), 0);
		parse(&said, buf_str(&got));
		assert_int_equal(said.n_media, offer.n_media);
		for (size_t k = 0; k < a.n_lines; k++)
			assert_int_equal(said.media[k].at.port,
					 a.lines[k].accepted ? 5000 : 0);
		buf_free(&got);
	}
}

/* Each says something; the version after it */
static void test_versions(void **state)
{
	static const struct {
		const char *name, *offer;
		uint64_t version;
	} said[] = {
		{ "first", "m=audio 4000 RTP/AVP 0\r\n", 7 },
		{ "the same", "m=audio 4000 RTP/AVP 0\r\n", 7 },
		{ "from another port", "m=audio 4040 RTP/AVP 0\r\n", 7 },
		{ "held", "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", 8 },
		{ "held still", "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", 8 },
		{ "resumed", "m=audio 4000 RTP/AVP 0\r\n", 9 },
		{ "another codec", "m=audio 4000 RTP/AVP 8\r\n", 10 },
	};
	static struct sdp offer;
	static struct sdp_answer a;
	struct answer_origin o = origin();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct buf text = { 0 }, got = { 0 };

		print_message("row: %s\n", said[i].name);
		buf_printf(&text, H "%s", said[i].offer);
		parse(&offer, buf_str(&text));
		answer_decide(&a, &offer, NULL);
		a.lines[0].port = 5000;
		assert_int_equal(answer_print(&got, &o, &a, &offer), 0);
		assert_int_equal(o.version, said[i].version);
		buf_free(&text);
		buf_free(&got);
	}
}

static void test_no_port_is_refused(void **state)
{
	static struct sdp offer;
	static struct sdp_answer a;
	struct answer_origin o = origin();
	struct buf got = { 0 };

	(void)state;
	parse(&offer, H "m=audio 4000 RTP/AVP 0 8\r\na=label:x\r\n");
	answer_decide(&a, &offer, NULL);
	assert_int_equal(answer_print(&got, &o, &a, &offer), 0);
	assert_string_equal(buf_str(&got),
			    A "m=audio 0 RTP/AVP 0\r\na=label:x\r\n");
	buf_free(&got);
}

static void test_ipv6(void **state)
{
	static struct sdp offer;
	static struct sdp_answer a;
	struct answer_origin o = origin();
	struct buf got = { 0 };

	(void)state;
	assert_int_equal(addr_parse(&o.at, "2001:db8::5", 11), 0);
	parse(&offer, H "m=audio 4000 RTP/AVP 0\r\n");
	answer_decide(&a, &offer, NULL);
	a.lines[0].port = 5000;
	assert_int_equal(answer_print(&got, &o, &a, &offer), 0);
	assert_string_equal(buf_str(&got),
		"v=0\r\no=- 7 7 IN IP6 2001:db8::5\r\ns=-\r\n"
		"c=IN IP6 2001:db8::5\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
		PCMU "a=recvonly\r\n");
	buf_free(&got);
}

#define OFFERED "m=audio 5000 RTP/AVP 0 8 101\r\n" PCMU PCMA \
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=recvonly\r\n"

static void test_own_offer(void **state)
{
	static const struct {
		const char *name, *theirs;
		unsigned accepted;
		enum sdp_direction direction;
		uint8_t first;
	} answers[] = {
		{ "sendonly", H "m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n", 1,
		  SDP_RECVONLY, 8 },
		{ "no direction", H "m=audio 4000 RTP/AVP 0\r\n", 1,
		  SDP_RECVONLY, 0 },
		{ "inactive", H "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", 1,
		  SDP_INACTIVE, 0 },
		{ "refused", H "m=audio 0 RTP/AVP 0\r\n", 0, SDP_RECVONLY, 0 },
		{ "another codec", H "m=audio 4000 RTP/AVP 18\r\n", 0,
		  SDP_RECVONLY, 0 },
		{ "no line", H, 0, SDP_RECVONLY, 0 },
	};
	static struct sdp theirs;
	static struct sdp_answer a;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct answer_origin o = origin();
		struct buf got = { 0 };

		print_message("row: %s\n", answers[i].name);
		answer_own_offer(&a);
		a.lines[0].port = 5000;
		assert_int_equal(answer_print(&got, &o, &a, NULL), 0);
		assert_string_equal(buf_str(&got), A OFFERED);
		parse(&theirs, answers[i].theirs);
		answer_agree(&a, &theirs);
		assert_int_equal(a.accepted, answers[i].accepted);
		assert_int_equal(a.lines[0].accepted, answers[i].accepted);
		if (a.accepted) {
			assert_int_equal(a.lines[0].direction,
					 answers[i].direction);
			assert_int_equal(a.lines[0].formats[0].pt,
					 answers[i].first);
			assert_int_equal(a.lines[0].port, 5000);
		}
		buf_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_answers_parse),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_no_port_is_refused),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_own_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
