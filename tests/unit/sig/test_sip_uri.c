/** @file test_sip_uri.c  Where a SIP URI points to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/sig/sip_uri.h"

static const struct {
	const char *text;
	const char *whole;    /* NULL: no URI that can be used */
	const char *address;  /* NULL: a name */
	bool lr;
	enum sip_transport transport;
} rows[] = {
	{ "sip:192.0.2.1", "sip:192.0.2.1", "192.0.2.1:5060", false, SIP_UDP },
	{ "<sip:a@192.0.2.1:5070;lr>;x=y", "sip:a@192.0.2.1:5070;lr",
	  "192.0.2.1:5070", true, SIP_UDP },
	{ "\"A <b>\" <sips:a@192.0.2.1>", "sips:a@192.0.2.1",
	  "192.0.2.1:5061", false, SIP_TLS },
	{ "sip:a@[2001:db8::1]:70;transport=TCP", "sip:a@[2001:db8::1]:70",
	  "[2001:db8::1]:70", false, SIP_UDP },
	{ "<sip:a@[2001:db8::1];transport=TCP>",
	  "sip:a@[2001:db8::1];transport=TCP", "[2001:db8::1]:5060", false,
	  SIP_TCP },
	{ "<sip:h;transport=tls;lr=on?x=y>", "sip:h;transport=tls;lr=on?x=y",
	  NULL, true, SIP_TLS },
	{ "<sips:h;transport=tcp>", "sips:h;transport=tcp", NULL, false,
	  SIP_TLS },
	{ "<sip:u;v=w?x@192.0.2.9>", "sip:u;v=w?x@192.0.2.9", "192.0.2.9:5060",
	  false, SIP_UDP },
	{ "<SIP:a@B.example:9>", "SIP:a@B.example:9", NULL, false, SIP_UDP },
	{ "tel:+49", NULL, NULL, false, SIP_UDP },
	{ "<sip:>", NULL, NULL, false, SIP_UDP },
	{ "<sip:a@>", NULL, NULL, false, SIP_UDP },
	{ "<sip:a@b:65536>", NULL, NULL, false, SIP_UDP },
	{ "<sip:a@b:>", "sip:a@b:", NULL, false, SIP_UDP },
	{ "<sip:a@b:-1>", NULL, NULL, false, SIP_UDP },
	{ "<sip:a@[::1>", NULL, NULL, false, SIP_UDP },
	{ "<sip:a@[::1]x>", NULL, NULL, false, SIP_UDP },
	{ "", NULL, NULL, false, SIP_UDP },
	{ "sip:", NULL, NULL, false, SIP_UDP },
	{ "*", NULL, NULL, false, SIP_UDP },
};

static void test_uris(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t n = strlen(rows[i].text);
		char *copy = malloc(n ? n : 1), text[ADDR_TEXT];
		struct sip_uri u;
		struct addr a;

		assert_non_null(copy);
		memcpy(copy, rows[i].text, n);
		const int err = sip_uri_read(&u, (struct sip_text){ copy, n });

		if (!err != (rows[i].whole != NULL))
			fail_msg("row \"%s\": %d", rows[i].text, err);
		if (!err) {
			if (u.whole.len != strlen(rows[i].whole) ||
			    memcmp(u.whole.p, rows[i].whole, u.whole.len) ||
			    u.lr != rows[i].lr ||
			    u.transport != rows[i].transport)
				fail_msg("row \"%s\": %.*s", rows[i].text,
					 (int)u.whole.len, u.whole.p);
			const int no = sip_uri_address(&a, &u);

			if (!no != (rows[i].address != NULL) ||
			    (!no && strcmp(addr_print(text, &a),
					   rows[i].address) != 0))
				fail_msg("row \"%s\": address", rows[i].text);
		}
		free(copy);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(sip_transport_name(SIP_UDP), "udp");
	assert_string_equal(sip_transport_name(SIP_TCP), "tcp");
	assert_string_equal(sip_transport_name(SIP_TLS), "tls");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
