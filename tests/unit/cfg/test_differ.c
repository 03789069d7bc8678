/** @file test_differ.c  What of a new configuration waits for a restart */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/config.h"

#define SIP "sip { listen = {\"udp:127.0.0.1:5060\"} "

#define ASR "asr \"a\" { vendor = \"vosk\" url = \"ws://127.0.0.1:1\" }\n"

static const struct row {
	const char *name, *running, *next, *keys;
} rows[] = {
	{ "the same", "rtp { ports = \"24000-24099\" }",
	  "rtp { ports = \"24000-24099\" }", "" },
	{ "asrs and routes hold at once", "rtp { }",
	  "rtp { }\n" ASR "route { asr = \"a\" }", "" },
	{ "keys that hold at once", "rtp { }",
	  "rtp { } events { dtmf = yes } control { drain-timeout = \"0s\" }",
	  "" },
	{ "the default, written out", "rtp { }",
	  "rtp { address = \"127.0.0.1\" } events { mode = 0660 }", "" },
	{ "texts", "rtp { }", "rtp { ports = \"24000-24099\" }", "rtp.ports" },
	{ "numbers", "rtp { } " SIP "max-calls = 5 }",
	  "rtp { } " SIP "max-calls = 6 }", "sip.max-calls" },
	{ "access and size", "", "events { mode = 0600 } journal { size = "
	  "\"1G\" }", "events.mode, journal.size" },
	{ "lists, longer", SIP "permit = {\"127.0.0.1\"} }",
	  SIP "permit = {\"127.0.0.1\", \"127.0.0.2\"} }", "sip.permit" },
	{ "lists, another item", SIP "permit = {\"127.0.0.1\"} }",
	  SIP "permit = {\"127.0.0.2\"} }", "sip.permit" },
	{ "lists, gone", SIP "permit = {\"127.0.0.1\"} }", SIP "}",
	  "sip.permit" },
	{ "a section that came", "", "http { }", "http" },
	{ "one that went, and its key", "rtp { ports = \"24000-24099\" }", "",
	  "rtp, rtp.ports" },
};

static struct config *parsed(const struct row *r, const char *text)
{
	struct buf errors = {0};
	struct config *c = NULL;

	if (config_parse(&c, r->name, text, strlen(text), &errors))
		fail_msg("%s", buf_str(&errors));
	buf_free(&errors);
	return c;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct config *running = parsed(r, r->running);
		struct config *next = parsed(r, r->next);
		struct buf out = {0};

		config_restart_keys(&out, running, next);
		if (strcmp(buf_str(&out), r->keys) != 0)
			fail_msg("%s: \"%s\"", r->name, buf_str(&out));
		buf_free(&out);
		config_free(running);
		config_free(next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
