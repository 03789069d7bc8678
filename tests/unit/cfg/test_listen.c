/** @file test_listen.c  daemon/cfg/listen.c */
#include "daemon/cfg/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const struct {
	const char *text, *transport, *address; /* NULL: refused */
} rows[] = {
	{ "tcp:127.0.0.1:9092", "tcp", "127.0.0.1:9092" },
	{ "udp:0.0.0.0:5060", "udp", "0.0.0.0:5060" },
	{ "tcp:[::1]:65535", "tcp", "[::1]:65535" },
	{ "udp:[2001:db8::1]:1", "udp", "[2001:db8::1]:1" },
	{ "tcp:127.0.0.1:0", "tcp", "127.0.0.1" },
	{ "tls:127.0.0.1:5061", NULL, NULL },  /* not one of these */
	{ "127.0.0.1:9092", NULL, NULL },
	{ "tcp:127.0.0.1", NULL, NULL },
	{ "tcp:127.0.0.1:", NULL, NULL },
	{ "tcp:127.0.0.1:65536", NULL, NULL },
	{ "tcp:127.0.0.1:+1", NULL, NULL },
	{ "tcp:::1:9092", NULL, NULL },
	{ "tcp:[::1]", NULL, NULL },
	{ "tcp:[::1:9092", NULL, NULL },
	{ "tcp:::1]:9092", NULL, NULL },
	{ "tcp:[]:1", NULL, NULL },
	{ "tcp:[:1", NULL, NULL },
	{ "tcp:]:1", NULL, NULL },
	{ "tcp:host:1", NULL, NULL },
	{ "tcp::1", NULL, NULL },
	{ "tcp:", NULL, NULL },
	{ ":127.0.0.1:1", NULL, NULL },
	{ "transport:127.0.0.1:1", NULL, NULL },
	{ "TCP:127.0.0.1:1", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_sockets_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct listen_at l = { .transport = "-" };
		char *text = strdup(rows[i].text), printed[ADDR_TEXT];
		const int err = listen_parse(&l, text, "udp tcp");

		free(text);
		if (!rows[i].address) {
			if (!err || strcmp(l.transport, "-") != 0)
				fail_msg("\"%s\" is taken", rows[i].text);
		} else if (err || strcmp(l.transport, rows[i].transport) ||
			   strcmp(addr_print(printed, &l.at),
				  rows[i].address)) {
			fail_msg("\"%s\": %d", rows[i].text, err);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets_are_read),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
