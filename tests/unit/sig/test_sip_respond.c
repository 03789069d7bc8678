/** @file test_sip_respond.c  daemon/sig/sip_respond.c */
#include "daemon/sig/sip_respond.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/sig/sip_text.h"

#define START "OPTIONS sip:b@192.0.2.2 SIP/2.0\r\n"
#define REST  FROM TO ID "CSeq: 7 OPTIONS\r\n"
#define END   "Server: trunkscribe\r\nContent-Length: 0\r\n\r\n"
#define BACK  FROM "To: <sip:b@192.0.2.2>;tag=t\r\n" ID "CSeq: 7 OPTIONS\r\n"

/* The request came from 192.0.2.1:6000 */
static const struct {
	const char *name, *request, *answer, *to;
} rows[] = {
	{ "plain", START VIA REST, "SIP/2.0 200 OK\r\n" VIA BACK END,
	  "192.0.2.1:5070" },
	{ "rport", START "Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z\r\n"
	  REST, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z"
	  ";received=192.0.2.1;rport=6000\r\n" BACK END, "192.0.2.1:6000" },
	{ "behind NAT", START "Via: SIP/2.0/UDP 10.0.0.1;branch=z\r\n" REST,
	  "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z"
	  ";received=192.0.2.1\r\n" BACK END, "192.0.2.1:5060" },
	{ "a name", START "Via: SIP/2.0/UDP pbx.example:9;branch=z\r\n" REST,
	  "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP pbx.example:9;branch=z"
	  ";received=192.0.2.1\r\n" BACK END, "192.0.2.1:9" },
	{ "blanks", START "Via: SIP  / 2.0 / UDP\t 192.0.2.1 : 99 ; branch = z"
	  "\r\n" REST, "SIP/2.0 200 OK\r\nVia: SIP  / 2.0 / UDP\t 192.0.2.1 : "
	  "99 ; branch = z\r\n" BACK END, "192.0.2.1:99" },
	{ "no transport", START "Via: x\r\n" REST, "SIP/2.0 200 OK\r\nVia: x;"
	  "received=192.0.2.1\r\n" BACK END, "192.0.2.1:6000" },
	{ "a lie", START "Via: SIP/2.0/UDP 192.0.2.1:9;received=203.0.113.9"
	  ";branch=z;rport=1\r\n" REST, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP "
	  "192.0.2.1:9;branch=z;received=192.0.2.1;rport=6000\r\n" BACK END,
	  "192.0.2.1:6000" },
	{ "several", START VIA "v: SIP/2.0/TCP 10.1.1.1;branch=y\r\n" REST,
	  "SIP/2.0 200 OK\r\n" VIA "Via: SIP/2.0/TCP 10.1.1.1;branch=y\r\n" BACK
	  END, "192.0.2.1:5070" },
	{ "in one line", START "Via: SIP/2.0/UDP 10.0.0.1;branch=z , "
	  "SIP/2.0/UDP 10.0.0.2;branch=y\r\n" REST, "SIP/2.0 200 OK\r\n"
	  "Via: SIP/2.0/UDP 10.0.0.1;branch=z;received=192.0.2.1, SIP/2.0/UDP "
	  "10.0.0.2;branch=y\r\n" BACK END, "192.0.2.1:5060" },
	{ "a tag is kept", START VIA FROM "t: <sip:b@x>;tag=theirs\r\n" ID
	  "CSeq: 7 OPTIONS\r\n", "SIP/2.0 200 OK\r\n" VIA FROM
	  "To: <sip:b@x>;tag=theirs\r\n" ID "CSeq: 7 OPTIONS\r\n" END,
	  "192.0.2.1:5070" },
	{ "a parameter that is not there", START VIA FROM "To: <sip:b@x>;a ; ;\r\n"
	  ID "CSeq: 7 OPTIONS\r\n", "SIP/2.0 200 OK\r\n" VIA FROM
	  "To: <sip:b@x>;a;tag=t\r\n" ID "CSeq: 7 OPTIONS\r\n" END,
	  "192.0.2.1:5070" },
	{ "with less", START VIA "CSeq: 7 OPTIONS\r\n", "SIP/2.0 200 OK\r\n" VIA
	  "CSeq: 7 OPTIONS\r\n" END, "192.0.2.1:5070" },
	{ "no Via", START REST, NULL, "192.0.2.1:6000" },
	{ "an empty Via", START "Via:\r\n" REST, NULL, "192.0.2.1:6000" },
};

static void test_rows(void **state)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	const struct sip_response r = { .status = 200, .to_tag = "t",
					.source = addr_v4(ip, 6000) };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed_request q;
		struct buf out = { 0 };
		char text[ADDR_TEXT];

		assert_int_equal(request_read(&q, rows[i].request), 0);
		const int err = sip_respond(&out, &q.f, &r);

		if ((rows[i].answer ? 0 : -EBADMSG) != err ||
		    (!err && strcmp(buf_str(&out), rows[i].answer) != 0))
			fail_msg("row \"%s\": %d\n%s", rows[i].name, err,
				 buf_str(&out));
		const struct addr to = sip_answer_to(&q.f, &r.source);

		if (strcmp(addr_print(text, &to), rows[i].to) != 0)
			fail_msg("row \"%s\": to %s", rows[i].name, text);
		buf_free(&out);
		request_free(&q);
	}
}

static void test_a_dialog_begins(void **state)
{
	static const char text[] = "INVITE sip:b SIP/2.0\r\n" VIA FROM TO ID
		"CSeq: 7 INVITE\r\nRecord-Route: <sip:1;lr>, <sip:2;lr>\r\n"
		"Record-Route: <sip:3;lr>\r\n\r\n";
	const struct sip_response r = {
		.status = 200, .to_tag = "t", .record_route = true,
		.headers = "Contact: <sip:x>\r\n", .type = "application/sdp",
		.body = "v=0\r\n", .body_len = 5,
	};
	struct parsed_request q;
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(request_read(&q, text), 0);
	assert_int_equal(sip_respond(&out, &q.f, &r), 0);
	assert_string_equal(buf_str(&out), "SIP/2.0 200 OK\r\n" VIA FROM
		"To: <sip:b@192.0.2.2>;tag=t\r\n" ID "CSeq: 7 INVITE\r\n"
		"Record-Route: <sip:1;lr>, <sip:2;lr>\r\n"
		"Record-Route: <sip:3;lr>\r\nContact: <sip:x>\r\n"
		"Server: trunkscribe\r\nContent-Type: application/sdp\r\n"
		"Content-Length: 5\r\n\r\nv=0\r\n");
	buf_free(&out);
	request_free(&q);
}

static void test_phrases(void **state)
{
	(void)state;
	assert_string_equal(sip_phrase(491), "Request Pending");
	assert_string_equal(sip_phrase(599), "Error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_dialog_begins),
		cmocka_unit_test(test_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
