/** @file test_sip_session.c  daemon/sig/sip_session.c, sip_resend.h */
#include "daemon/sig/sip_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/sig/sip_resend.h"
#include "tests/unit/sig/sip_text.h"

#define R(more) "INVITE sip:b@x SIP/2.0\r\n" VIA FROM TO ID                    \
		"CSeq: 1 INVITE\r\n" more "\r\n"
#define HOLDS(s) "Require: timer\r\nSession-Expires: " s ";refresher=uac\r\n"

/* RFC 4028 section 9 */
static const struct {
	const char *text;
	unsigned status;
	uint32_t session_s;
	const char *headers;
} rows[] = {
	{ R(""), 0, 0, "" },
	{ R("Supported: timer\r\n"), 0, 0, "" },
	{ R("Session-Expires: 1800\r\nSupported: timer\r\n"), 0, 1800,
	  HOLDS("1800") },
	{ R("x: 90 ;refresher=uac\r\nk: 100rel, timer\r\n"), 0, 90,
	  HOLDS("90") },
	{ R("x: 1800\r\nRequire: timer\r\n"), 0, 1800, HOLDS("1800") },
	{ R("x: 1800;refresher=uas\r\nk: timer\r\n"), 0, 0, "" },
	{ R("x: 1800\r\n"), 0, 0, "" }, /* a proxy's wish: they know none */
	{ R("x: 89\r\nk: timer\r\n"), 422, 0, "Min-SE: 90\r\n" },
	{ R("x: 89\r\n"), 0, 0, "" },
	{ R("x: 0\r\nk: timer\r\n"), 422, 0, "Min-SE: 90\r\n" },
	{ R("x: 4294967295\r\nk: timer\r\n"), 0, 604800, HOLDS("604800") },
	{ R("x: 4294967296\r\nk: timer\r\n"), 400, 0, "" },
	{ R("x: -1\r\nk: timer\r\n"), 400, 0, "" },
	{ R("x:\r\nk: timer\r\n"), 400, 0, "" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct parsed_request q;
		struct buf headers = { 0 };
		uint32_t s = 7;

		assert_int_equal(request_read(&q, rows[i].text), 0);
		const unsigned status = sip_session(&headers, &s, &q.f);

		if (status != rows[i].status || s != rows[i].session_s ||
		    strcmp(buf_str(&headers), rows[i].headers) != 0)
			fail_msg("row %zu: %u, %u s\n%s", i, status, s,
				 buf_str(&headers));
		buf_free(&headers);
		request_free(&q);
	}
}

static void test_the_end(void **state)
{
	(void)state;
	assert_int_equal(sip_session_ends_s(90), 60);
	assert_int_equal(sip_session_ends_s(1800), 1768);
}

/* RFC 3261 section 17.1.2.2: 500 ms, 1 s, 2 s, 4 s, 4 s ... for 32 s */
static void test_sent_again(void **state)
{
	static const unsigned at_ms[] = { 500, 1500, 3500, 7500, 11500, 15500,
					  19500, 23500, 27500, 31500 };
	const uint64_t begin_us = 1000000;
	struct sip_resend r;
	size_t n = 0;

	(void)state;
	sip_resend_begin(&r, begin_us);
	while (!sip_resend_over(&r, sip_resend_due_us(&r))) {
		const uint64_t now_us = sip_resend_due_us(&r);

		assert_true(n < ARRAY_LEN(at_ms));
		assert_int_equal(now_us, begin_us + 1000 * at_ms[n]);
		assert_false(sip_resend_step(&r, now_us - 1));
		assert_true(sip_resend_step(&r, now_us));
		n++;
	}
	assert_int_equal(n, ARRAY_LEN(at_ms));
	assert_int_equal(sip_resend_due_us(&r), begin_us + 32000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
