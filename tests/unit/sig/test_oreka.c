/**
 * @file test_oreka.c  daemon/sig/oreka.c
 *
 * A row changes one thing in what mod_oreka prints (its source: mod_oreka.c,
 * oreka_send_sip_message()); what is understood is printed as "member=value".
 */
#include "daemon/sig/oreka.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define UUID "5c6a8b90-3f0e-4e8d-9c57-8b9f1c2d3e4f"
#define SDP "v=0\r\no=freeswitch " UUID " 1 IN IP4 192.0.2.20\r\n"               \
	    "c=IN IP4 192.0.2.10\r\ns=Phone Recording (RX)\r\n"               \
	    "i=FreeSWITCH Oreka Recorder (pid=4711)\r\n"                      \
	    "m=audio 20344 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n"
#define INVITE "INVITE sip:Bob Roe@192.0.2.20:5060 SIP/2.0\r\n"                \
	       "Via: SIP/2.0/UDP 192.0.2.20:5061;branch=z9hG4bK-" UUID "\r\n"  \
	       "From: <sip:+4930@192.0.2.20:5061;tag=1>\r\n"                   \
	       "To: <sip:1002@192.0.2.20:5060>\r\nCall-ID: " UUID "\r\n"       \
	       "CSeq: 1 INVITE\r\nContact: sip:freeswitch@192.0.2.20:5061\r\n" \
	       "Max-Forwards: 70\r\n"                                          \
	       "Subject: BEGIN RX recording of Alice Doe\r\n"                  \
	       "X-customer: Customer 123\r\n"                                  \
	       "Content-Type: application/sdp\r\nContent-Length: 250\r\n"      \
	       "\r\n" SDP "\n"
#define BYE "BYE sip:Bob Roe@192.0.2.20:5060 SIP/2.0\r\n"                      \
	    "From: <sip:+4930@192.0.2.20:5061;tag=1>\r\n"                      \
	    "To: <sip:1002@192.0.2.20:5060>\r\nCall-ID: " UUID "\r\n"          \
	    "CSeq: 1 BYE\r\nSubject: END TX recording of Alice Doe\r\n"        \
	    "Content-Length: 0\r\n\r\n\n"
#define BOTH " from=+4930 to=1002"
#define ADDRESSES " sender=192.0.2.20 at=192.0.2.10:20344"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X127 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *name, *from, *to; /* what is changed, into what */
	const char *understood;       /* NULL: -EBADMSG */
} rows[] = {
	{ "as it is", "", "", "begin RX " UUID BOTH ADDRESSES
	  " X-customer=Customer 123" },
	{ "the other stream", "BEGIN RX", "BEGIN TX", "begin TX " UUID BOTH
	  ADDRESSES " X-customer=Customer 123" },
	{ "lines of UNIX", "\r\nSubject", "\nSubject", "begin RX " UUID BOTH
	  ADDRESSES " X-customer=Customer 123" },
	{ "a number with all in it", "+4930@", "a@b c;d>@", "begin RX " UUID
	  " from=a@b c;d> to=1002" ADDRESSES " X-customer=Customer 123" },
	{ "no number", "sip:+4930@", "sip:@", "begin RX " UUID " to=1002"
	  ADDRESSES " X-customer=Customer 123" },
	{ "no URI", "<sip:+4930@192.0.2.20:5061;tag=1>", "anonymous", "begin RX "
	  UUID " to=1002" ADDRESSES " X-customer=Customer 123" },
	{ "not UTF-8, and a tab", "sip:1002@", "sip:1\xff\t2@", "begin RX " UUID
	  " from=+4930 to=1??2" ADDRESSES " X-customer=Customer 123" },
	{ "a long value", "Customer 123", X127 "\xc3\xa4", "begin RX " UUID BOTH
	  ADDRESSES " X-customer=" X127 },
	{ "a header without a value", "Customer 123", " ", "begin RX " UUID BOTH
	  ADDRESSES },
	{ "a header that is no name", "X-customer", "X customer", "begin RX "
	  UUID BOTH ADDRESSES },
	{ "small letters", "Call-ID", "call-id", "begin RX " UUID BOTH
	  ADDRESSES " X-customer=Customer 123" },
	{ "no origin", "o=freeswitch", "O=freeswitch", "begin RX " UUID BOTH
	  " at=192.0.2.10:20344 X-customer=Customer 123" },
	{ "two m-lines", "a=rtpmap", "m=audio 20346 RTP/AVP 0\r\na=rtpmap",
	  "begin RX " UUID BOTH ADDRESSES " X-customer=Customer 123" },
	{ "another method", "INVITE sip", "OPTIONS sip", NULL },
	{ "no stream", "BEGIN RX", "BEGIN", NULL },
	{ "an end that begins", "BEGIN RX", "END RX", NULL },
	{ "no Call-ID", "Call-ID", "Call", NULL },
	{ "a Call-ID of others", "Call-ID: 5c", "Call-ID: 5c@", NULL },
	{ "a long Call-ID", "Call-ID: 5c", "Call-ID: " X50, NULL },
	{ "no media address", "c=IN IP4 192", "c=IN IP6 192", NULL },
	{ "no address", "c=IN IP4 192.0", "c=IN IP4 0.192.0", NULL },
	{ "of nobody", "c=IN IP4 192.0.2.10", "c=IN IP4 0.0.0.0", NULL },
	{ "a name", "c=IN IP4 192.0.2.10", "c=IN IP4 recorder", NULL },
	{ "no port", "m=audio 20344", "m=audio ", NULL },
	{ "port 0", "m=audio 20344", "m=audio 0", NULL },
	{ "a port of the system's", "m=audio 20344", "m=audio 1023", NULL },
	{ "a port too large", "m=audio 20344", "m=audio 65536", NULL },
	{ "a port far too large", "m=audio 20344",
	  "m=audio 99999999999999999999999", NULL },
	{ "a negative one", "m=audio 20344", "m=audio -20344", NULL },
	{ "another codec", "RTP/AVP 0", "RTP/AVP 8", NULL },
	{ "another profile", "RTP/AVP 0", "RTP/SAVP 0", NULL },
	{ "no description", "\r\n\r\nv=0", "\r\nv=0", NULL },
};

static int parse(struct oreka_message *m, const char *text, size_t len)
{
	uint8_t *exact = malloc(len + !len);

	assert_non_null(exact);
	memcpy(exact, text, len);
	const int err = oreka_parse(m, exact, len);
	free(exact);
	return err;
}

static void print(struct buf *out, const struct oreka_message *m)
{
	char text[ADDR_TEXT];

	buf_printf(out, "%s %s %s", m->begin ? "begin" : "end",
		   m->tx ? "TX" : "RX", m->call_id);
	if (*m->from)
		buf_printf(out, " from=%s", m->from);
	if (*m->to)
		buf_printf(out, " to=%s", m->to);
	if (m->sender.family)
		buf_printf(out, " sender=%s", addr_print(text, &m->sender));
	if (m->at.family)
		buf_printf(out, " at=%s", addr_print(text, &m->at));
	for (size_t i = 0; i < m->n_headers; i++)
		buf_printf(out, " %s=%s", m->headers[i].name,
			   m->headers[i].value);
}

static void test_what_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strstr(INVITE, rows[i].from);
		struct buf text = {0}, got = {0};
		struct oreka_message m;

		assert_non_null(at);
		buf_add(&text, INVITE, strlen(INVITE) - strlen(at));
		buf_puts(&text, rows[i].to);
		buf_puts(&text, at + strlen(rows[i].from));
		const int err = parse(&m, buf_str(&text), text.len);
		if (!err)
			print(&got, &m);
		if (err != (rows[i].understood ? 0 : -EBADMSG) ||
		    strcmp(buf_str(&got), rows[i].understood
						  ? rows[i].understood : ""))
			fail_msg("%s: %d %s", rows[i].name, err, buf_str(&got));
		buf_free(&text);
		buf_free(&got);
	}
}

static void test_a_goodbye(void **state)
{
	struct buf got = {0};
	struct oreka_message m;

	(void)state;
	assert_int_equal(parse(&m, BYE, strlen(BYE)), 0);
	print(&got, &m);
	assert_string_equal(buf_str(&got), "end TX " UUID BOTH);
	buf_free(&got);
}

/* Nothing of it is guessed: without its end the last line may be another. */
static void test_cut_anywhere(void **state)
{
	struct oreka_message m;

	(void)state;
	for (size_t n = 0; n < strlen(INVITE); n++)
		if (!parse(&m, INVITE, n))
			assert_true(n >= (size_t)(strstr(INVITE, "AVP 0") + 5 -
						  INVITE));
}

static void test_limits(void **state)
{
	struct buf text = {0};
	struct oreka_message m;

	(void)state;
	buf_add(&text, BYE, strlen(BYE) - 3);
	for (unsigned i = 0; i < OREKA_HEADERS + 5; i++)
		buf_printf(&text, "X-%u: %u\r\n", i, i);
	assert_int_equal(parse(&m, buf_str(&text), text.len), 0);
	assert_int_equal(m.n_headers, OREKA_HEADERS);
	assert_string_equal(m.headers[OREKA_HEADERS - 1].name, "X-15");
	while (text.len < 1000)
		buf_puts(&text, "a\n");
	assert_int_equal(parse(&m, buf_str(&text), text.len), -EMSGSIZE);
	buf_clear(&text);
	buf_add(&text, BYE, strlen(BYE) - 3);
	while (text.len <= OREKA_MAX)
		buf_puts(&text, X127);
	assert_int_equal(parse(&m, buf_str(&text), text.len), -EMSGSIZE);
	assert_int_equal(parse(&m, "", 0), -EBADMSG);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_understood),
		cmocka_unit_test(test_a_goodbye),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("oreka", tests, NULL, NULL);
}
