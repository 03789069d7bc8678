/** @file test_sip_dialog.c  daemon/sig/sip_dialog.c */
#include "daemon/sig/sip_dialog.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/sig/sip_text.h"

#define INVITE(more) "INVITE sip:b@x SIP/2.0\r\n" VIA FROM TO ID               \
		     "CSeq: 1 INVITE\r\n" more "\r\n"
#define CONTACT "Contact: \"A\" <sip:a@192.0.2.1:9;x=y>;q=1\r\n"
#define US "From: <sip:b@192.0.2.2>;tag=mine\r\n"                              \
	   "To: \"A, B\" <sip:a@192.0.2.1>;tag=f\r\n" ID "CSeq: 1 BYE\r\n"     \
	   "User-Agent: trunkscribe\r\nContent-Length: 0\r\n\r\n"
#define HEAD "Via: SIP/2.0/UDP 192.0.2.2:5060;branch=z9hG4bKr;rport\r\n"       \
	     "Max-Forwards: 70\r\n"

/* RFC 3261 section 12.1.1 and 12.2.1.1 */
static const struct {
	const char *name, *invite;
	int err;
	const char *bye, *hop;
} rows[] = {
	{ "no proxy", INVITE(CONTACT), 0, "BYE sip:a@192.0.2.1:9;x=y SIP/2.0\r\n"
	  HEAD US, "192.0.2.1:9" },
	{ "loose routes, in their order", INVITE(CONTACT
	  "Record-Route: <sip:10.0.0.1;lr>, <sip:p2;lr>\r\n"
	  "Record-Route: <sip:p3;lr>\r\n"), 0,
	  "BYE sip:a@192.0.2.1:9;x=y SIP/2.0\r\n" HEAD
	  "Route: <sip:10.0.0.1;lr>\r\nRoute: <sip:p2;lr>\r\n"
	  "Route: <sip:p3;lr>\r\n" US, "10.0.0.1:5060" },
	{ "a strict one first", INVITE(CONTACT
	  "Record-Route: <sip:10.0.0.1:7>\r\nRecord-Route: <sip:p2;lr>\r\n"), 0,
	  "BYE sip:10.0.0.1:7 SIP/2.0\r\n" HEAD "Route: <sip:p2;lr>\r\n"
	  "Route: <sip:a@192.0.2.1:9;x=y>\r\n" US, "10.0.0.1:7" },
	{ "no Contact: RFC 2543", INVITE(""), 0,
	  "BYE sip:a@192.0.2.1 SIP/2.0\r\n" HEAD US, "192.0.2.1:5060" },
	{ "a Contact nobody can reach", INVITE("Contact: <mailto:a@x>\r\n"),
	  -EBADMSG, NULL, NULL },
	{ "* is none", INVITE("Contact: *\r\n"), -EBADMSG, NULL, NULL },
	{ "21 routes", INVITE(CONTACT "Record-Route: a,a,a,a,a,a,a,a,a,a,a,a,a,"
	  "a,a,a,a,a,a,a,a\r\n"), -EMSGSIZE, NULL, NULL },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed_request q;
		struct sip_dialog *d = NULL;
		struct buf out = { 0 };
		struct sip_uri hop;
		struct addr at;
		char text[ADDR_TEXT];

		assert_int_equal(request_read(&q, rows[i].invite), 0);
		const int err = sip_dialog_new(&d, q.m, &q.f, "mine");

		if (err != rows[i].err ||
		    sip_dialog_reaches(&q.f) != (err != -EBADMSG))
			fail_msg("row \"%s\": %d", rows[i].name, err);
		request_free(&q);
		if (err)
			continue;
		assert_int_equal(sip_dialog_request(&out, d, "BYE",
						    "UDP 192.0.2.2:5060", "r"),
				 0);
		if (strcmp(buf_str(&out), rows[i].bye) != 0)
			fail_msg("row \"%s\":\n%s", rows[i].name,
				 buf_str(&out));
		assert_int_equal(sip_dialog_next_hop(&hop, d), 0);
		assert_int_equal(sip_uri_address(&at, &hop), 0);
		assert_string_equal(addr_print(text, &at), rows[i].hop);
		buf_free(&out);
		sip_dialog_free(d);
	}
}

static void test_a_new_target(void **state)
{
	struct parsed_request q, next;
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(request_read(&q, INVITE(CONTACT)), 0);
	assert_int_equal(sip_dialog_new(&d, q.m, &q.f, "mine"), 0);
	request_free(&q);
	assert_int_equal(request_read(&next, INVITE("m: <sip:new@h>\r\n")), 0);
	sip_dialog_target(d, &next.f);
	assert_string_equal(d->target, "sip:new@h");
	request_free(&next);
	assert_int_equal(request_read(&next, INVITE("m: <tel:1>\r\n")), 0);
	sip_dialog_target(d, &next.f);
	assert_string_equal(d->target, "sip:new@h");
	request_free(&next);
	sip_dialog_free(d);
}

static void test_whose_request(void **state)
{
	static const struct {
		const char *from, *to, *id;
		bool same;
	} asked[] = {
		{ "f", "mine", "c1@x", true },
		{ "F", "mine", "c1@x", false },
		{ "f", "Mine", "c1@x", false },
		{ "f", "", "c1@x", false },
		{ "f", "mine", "c2@x", false },
	};
	struct parsed_request q;
	struct sip_dialog *d;

	(void)state;
	assert_int_equal(request_read(&q, INVITE(CONTACT)), 0);
	assert_int_equal(sip_dialog_new(&d, q.m, &q.f, "mine"), 0);
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct sip_message m = *q.m;

		m.from_tag = asked[i].from;
		m.to_tag = asked[i].to;
		m.call_id = asked[i].id;
		if (sip_dialog_is(d, &m) != asked[i].same)
			fail_msg("row %zu", i);
	}
	request_free(&q);
	sip_dialog_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_new_target),
		cmocka_unit_test(test_whose_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
