/** @file test_check.c  daemon/cfg/check.c: references between sections */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/config.h"

#define A(name, more) "asr \"" name "\" { vendor = bodhi " more " }\n"

static const struct {
	const char *name, *text;
	const char *error; /* part of it; NULL: good */
	unsigned count;    /* lines */
} rows[] = {
	{ "fallback chain", A("a", "fallback=b") A("b", "fallback=c") A("c", ""),
	  NULL, 0 },
	{ "fallback later in the file", A("a", "fallback=b") A("b", ""),
	  NULL, 0 },
	{ "fallback to itself", A("a", "fallback=a"),
	  "t:1: asr \"a\": its fallbacks lead back to itself", 1 },
	{ "circle of two", A("a", "fallback=b") A("b", "fallback=a"),
	  "t:2: asr \"b\": its fallbacks lead back", 2 },
	{ "into a circle", A("x", "fallback=a") A("a", "fallback=b")
	  A("b", "fallback=a"), "t:3: asr \"b\": its fallbacks", 2 },
	{ "chain into nothing", A("a", "fallback=b") A("b", "fallback=c"),
	  "t:2: asr \"b\": fallback \"c\" is no asr", 1 },
	{ "vendor of a later build", "asr \"a\" { vendor = vosk }",
	  NULL, 0 },
	{ "ws:// on the loopback", A("a", "url = \"ws://127.8.0.1:1/\"")
	  A("b", "url = 'ws://[::1]'") A("c", "url = \"ws://localhost\""),
	  NULL, 0 },
	{ "ws:// to a name like it", A("a", "url = \"ws://localhost.x/\""),
	  "write wss://, or insecure = yes to mean it", 1 },
	{ "ws:// meant", A("a", "url = \"ws://stt.example/\" insecure = yes"),
	  NULL, 0 },
	{ "ws:// on the loopback, through a proxy there",
	  A("a", "url = \"ws://localhost\" proxy = \"http://127.0.0.1:1\""),
	  NULL, 0 },
	{ "ws:// on the proxy's loopback",
	  A("a", "url = \"ws://localhost\" proxy = \"http://p:1\""),
	  "write wss://, or insecure = yes to mean it", 1 },
	{ "wss:// through a proxy with a login",
	  A("a", "url = \"wss://x\" proxy = \"http://p:1\" "
		 "proxy-auth-file = \"/x\""), NULL, 0 },
	{ "a login without a proxy", A("a", "proxy-auth-file = \"/x\""),
	  "proxy-auth-file without proxy", 1 },
	{ "a pin without TLS", A("a", "url = \"ws://localhost\" "
	  "tls-pin-sha256 = \"00112233445566778899aabbccddeeff"
	  "00112233445566778899aabbccddeeff\""), "has no TLS", 1 },
	{ "route by header", "route { asr = none header = \"X-Q: a b\" }", NULL, 0 },
	{ "route by a header that is there", "route { asr = none header = X-Q }",
	  NULL, 0 },
	{ "route by no header", "route { asr = none header = \": v\" }",
	  "t:1: route: header: write its name", 1 },
	{ "route by a header with a blank", "route { asr = none header = \"X Q\" }",
	  "t:1: route: header: write its name", 1 },
	{ "route by trunk", "route { asr = none trunk = \"10.0.0.0/8\" }",
	  NULL, 0 },
	{ "route by a name", "route { asr = none trunk = \"sbc.example\" }",
	  "t:1: route: trunk: write an address or a network", 1 },
	{ "route by half a network", "route { asr = none trunk = \"10.1.0.0/8\" }",
	  "t:1: route: trunk: write an address or a network", 1 },
	{ "routes by trunk and language are no last resort", A("a", "")
	  "route { asr = a trunk = \"::1\" }\nroute { asr = a language = en }\n"
	  "route { asr = a header = h }\nroute { asr = none }", NULL, 0 },
	{ "route to none", "route { asr = none }", NULL, 0 },
	{ "route without asr", "route { role = agent }",
	  "t:1: route has no asr", 1 },
	{ "route never reached", A("a", "") "route { asr = a }\n"
	  "route { asr = none role = agent }\nroute { asr = a }",
	  "t:4: route is never reached, the one in line 2", 2 },
};

static void test_references(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf errors = {0};
		struct config *c = NULL;
		unsigned lines = 0;
		const int err = config_parse(&c, "t", rows[i].text,
					     strlen(rows[i].text), &errors);

		print_message("row: %s\n%s", rows[i].name, buf_str(&errors));
		for (const char *p = buf_str(&errors); *p; p++)
			lines += *p == '\n';
		/* while the vendor is not built, that is the one error */
		if (strstr(buf_str(&errors), "vosk is not built yet")) {
			assert_int_equal(lines, 1);
		} else {
			assert_int_equal(err, rows[i].error ? -EINVAL : 0);
			assert_int_equal(lines, rows[i].count);
			if (rows[i].error)
				assert_non_null(strstr(buf_str(&errors),
						       rows[i].error));
		}
		buf_free(&errors);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
