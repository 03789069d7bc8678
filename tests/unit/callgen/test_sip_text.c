/** @file test_sip_text.c  Messages and SDP as callgen reads them */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tools/callgen/sip_text.h"

static const char answer[] =
	"SIP/2.0 200 OK\r\n"
	"v: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
	"Record-Route: <sip:a;lr>\r\n"
	"record-route : <sip:b;lr>\r\n"
	"To: \"x\" <sip:t@h>;tag=9\r\n"
	"CSeq: 7 INVITE\r\n"
	"Call-ID:  a@b \r\n"
	"m: <sip:me@127.0.0.1:5080;transport=tcp>;+sip.srs\r\n"
	"\r\n"
	"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n";

static void test_an_answer(void **state)
{
	const size_t len = strlen(answer);
	char *exact = malloc(len);
	struct sip_text m;

	(void)state;
	assert_non_null(exact);
	memcpy(exact, answer, len);
	assert_int_equal(sip_text_read(&m, exact, len), 0);
	assert_false(m.request);
	assert_int_equal(m.status, 200);
	assert_int_equal(m.cseq, 7);
	assert_true(piece_is(m.method, "INVITE"));
	assert_true(piece_is(sip_text_header(&m, "Call-ID", 'i', 0), "a@b"));
	assert_true(piece_is(sip_text_header(&m, "Record-Route", 0, 1),
			     "<sip:b;lr>"));
	assert_null(sip_text_header(&m, "Record-Route", 0, 2).p);
	assert_null(sip_text_header(&m, "Route", 0, 0).p);
	assert_true(piece_is(piece_uri(sip_text_header(&m, "Contact", 'm', 0)),
			     "sip:me@127.0.0.1:5080;transport=tcp"));
	assert_true(piece_is(piece_uri((struct piece){ "sip:a@b;tag=1", 13 }),
			     "sip:a@b"));
	assert_memory_equal(m.body.p, "v=0", 3);
	free(exact);
}

/* Cut off anywhere: refused, or read within its bounds. */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(answer); n++) {
		char *exact = malloc(n ? n : 1);
		struct addr media[SIP_TEXT_MEDIA];
		struct sip_text m;

		assert_non_null(exact);
		memcpy(exact, answer, n);
		if (!sip_text_read(&m, exact, n)) {
			sip_text_header(&m, "Contact", 'm', 0);
			sip_text_media(media, m.body);
		}
		free(exact);
	}
}

static const struct row {
	const char *name, *sdp;
	size_t n;
	const char *at[3];   /* NULL: refused */
} rows[] = {
	{ "session's address", "c=IN IP4 1.2.3.4\r\nm=audio 10 RTP/AVP 0\r\n", 1,
	  { "1.2.3.4:10" } },
	{ "line's own", "c=IN IP4 1.2.3.4\nm=audio 10 RTP/AVP 0\nm=audio 12 "
	  "RTP/AVP 8\nc=IN IP6 ::1\nm=audio 0 RTP/AVP 8\n", 3,
	  { "1.2.3.4:10", "[::1]:12", NULL } },
	{ "hold", "m=audio 10 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", 1, { NULL } },
	{ "no address", "m=audio 10 RTP/AVP 0\n", 1, { NULL } },
	{ "nonsense", "m=\nm=audio x\nm=audio 70000 y\nc=IN IP4 1.1.1.1", 3,
	  { NULL, NULL, NULL } },
	{ "empty", "", 0, { NULL } },
};

static void test_media(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct piece sdp = { r->sdp, strlen(r->sdp) };
		struct addr media[SIP_TEXT_MEDIA];
		char text[ADDR_TEXT];

		print_message("  %s\n", r->name);
		assert_int_equal(sip_text_media(media, sdp), r->n);
		for (size_t k = 0; k < r->n; k++) {
			assert_int_equal(media[k].family != 0, r->at[k] != NULL);
			if (r->at[k])
				assert_string_equal(addr_print(text, &media[k]),
						    r->at[k]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_answer),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
