/** @file test_sip_judge.c  daemon/sig/sip_judge.c */
#include "daemon/sig/sip_judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/sig/sip_text.h"

#define R(method, more) method " sip:b@x SIP/2.0\r\n" VIA FROM TO ID           \
				"CSeq: 1 " method "\r\n" more "\r\n"
#define SDP "Content-Type: application/sdp\r\nContent-Length: 5\r\n"
#define ALLOW "Allow: " SIP_ALLOW "\r\n"
#define ACCEPT "Accept: application/sdp, multipart/mixed, "                    \
	       "application/rs-metadata, application/rs-metadata+xml\r\n"

static const struct {
	const char *name, *text;
	unsigned status;
	const char *headers;
} rows[] = {
	{ "good", R("INVITE", ""), 0, "" },
	{ "with SDP", R("INVITE", SDP) "v=0\r\n", 0, "" },
	{ "version", "INVITE sip:b SIP/3.0\r\n" VIA "\r\n", 505, "" },
	{ "a method we refuse", R("REGISTER", ""), 405, ALLOW },
	{ "a method nobody knows", R("FLY", ""), 405, ALLOW },
	{ "lower case is another method", R("invite", ""), 405, ALLOW },
	{ "unknown, and broken", "FLY sip:b SIP/2.0\r\n" VIA "\r\n", 405,
	  ALLOW },
	{ "broken", "INVITE sip:b SIP/2.0\r\n" VIA "\r\n", 400, "" },
	{ "blanks in the start line", "INVITE  sip:b  SIP/2.0\r\n" VIA FROM TO
	  ID "CSeq: 1 INVITE\r\n\r\n", 400, "" },
	{ "a scheme", "OPTIONS mailto:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 1 OPTIONS\r\n\r\n", 416, "" },
	{ "tel", "OPTIONS tel:+49 SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 1 OPTIONS\r\n\r\n", 0, "" },
	{ "quotes", "OPTIONS sip:b SIP/2.0\r\n" VIA FROM "To: \"b <sip:b>\r\n"
	  ID "CSeq: 1 OPTIONS\r\n\r\n", 400, "" },
	{ "a bracket never closed", R("INVITE", "m: <sip:a\r\n"), 400, "" },
	{ "of a recording client", R("INVITE", "m: <sip:a;+sip.src\r\n"), 0,
	  "" },
	{ "of one, but in From", "INVITE sip:b@x SIP/2.0\r\n" VIA
	  "From: <sip:a;tag=1\r\n" TO ID "CSeq: 1 INVITE\r\n"
	  "Require: siprec\r\n\r\n", 400, "" },
	{ "of one, and a quote", R("INVITE", "m: \"<sip:a;+sip.src\r\n"), 400,
	  "" },
	{ "require what we have", R("INVITE", "Require: siprec,timer\r\n"
	  "Require: 100rel\r\n"), 0, "" },
	{ "require more", R("INVITE", "Require: siprec, foo\r\nRequire: bar\r\n"),
	  420, "Unsupported: foo, bar\r\n" },
	{ "an ACK is not asked", R("ACK", "Require: foo\r\n"), 0, "" },
	{ "a CANCEL neither", R("CANCEL", "Require: foo\r\n"), 0, "" },
	{ "a body of another type", R("INVITE", "c: text/plain\r\nl: 1\r\n") "x",
	  415, ACCEPT },
	{ "of another type, but empty", R("INVITE", "c: text/plain\r\n"
	  "Content-Length: 00\r\n"), 0, "" },
	{ "multipart", R("INVITE", "c: multipart/mixed;boundary=a\r\nl: 3\r\n")
	  "--a", 0, "" },
	{ "INFO may bring anything", R("INFO", "c: text/plain\r\nl: 1\r\n") "x",
	  0, "" },
	{ "zipped", R("INVITE", SDP "Content-Encoding: gzip\r\n") "v=0\r\n",
	  415, "Accept-Encoding: identity\r\n" },
	{ "as it is", R("INVITE", SDP "e: identity\r\n") "v=0\r\n", 0, "" },
	{ "an answer they do not take", R("INVITE", SDP "Accept: text/x\r\n")
	  "v=0\r\n", 406, "" },
	{ "one they take", R("INVITE", SDP "Accept: text/x, application/sdp"
	  ";q=0.1\r\n") "v=0\r\n", 0, "" },
	{ "any they take", R("INVITE", SDP "Accept: */*\r\n") "v=0\r\n", 0, "" },
	{ "a recorder's list", R("INVITE", SDP "Require: siprec\r\n"
	  "Accept: application/rs-metadata-request\r\n") "v=0\r\n", 0, "" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed_request q;
		struct buf headers = { 0 };

		assert_int_equal(request_read(&q, rows[i].text), 0);
		const unsigned status =
			sip_judge(&headers, &q.f, q.m, q.err);

		if (status != rows[i].status ||
		    strcmp(buf_str(&headers), rows[i].headers) != 0)
			fail_msg("row \"%s\": %u (%d)\n%s", rows[i].name,
				 status, q.err, buf_str(&headers));
		buf_free(&headers);
		request_free(&q);
	}
}

/* However much is required, the answer stays small */
static void test_a_long_require(void **state)
{
	struct buf text = { 0 }, headers = { 0 };
	struct parsed_request q;

	(void)state;
	buf_puts(&text, "INVITE sip:b SIP/2.0\r\n" VIA FROM TO ID
			"CSeq: 1 INVITE\r\n");
	for (int i = 0; i < 20; i++) {
		buf_puts(&text, "Require: ");
		for (int k = 0; k < 1000; k++)
			buf_printf(&text, "x%d,", k);
		buf_puts(&text, "\r\n");
	}
	buf_puts(&text, "\r\n");
	assert_int_equal(request_read(&q, buf_str(&text)), 0);
	assert_int_equal(sip_judge(&headers, &q.f, q.m, q.err), 420);
	assert_in_range(headers.len, 900, 1100);
	buf_free(&headers);
	buf_free(&text);
	request_free(&q);
}

static void test_too_much(void **state)
{
	struct buf headers = { 0 };
	struct parsed_request q;

	(void)state;
	assert_int_equal(request_read(&q, R("INVITE", "")), 0);
	assert_int_equal(sip_judge(&headers, &q.f, NULL, -EMSGSIZE), 513);
	assert_int_equal(sip_judge(&headers, &q.f, NULL, -ENOMEM), 503);
	buf_free(&headers);
	request_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_long_require),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
