/** @file test_command.c  What is understood, and what is said of the rest */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/ops/command.h"

static int parse(struct command *c, const char *line, size_t len,
		 char id[COMMAND_ID], char error[COMMAND_ERROR])
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, line, len);
	memset(error, 0, COMMAND_ERROR);
	const int err = command_parse(c, exact, len, id, error);
	free(exact);
	return err;
}

static void test_a_whole_leg(void **state)
{
	static const char line[] =
		"{\"id\":\"x-1\",\"do\":\"leg.add\",\"call\":\"c1\","
		"\"role\":\"agent\",\"codec\":\"L16\",\"payload_type\":118,"
		"\"label\":\"l\",\"from\":\"f\",\"to\":\"t\",\"sip_call_id\":"
		"\"s\",\"remote\":\"[2001:db8::1]:4000\",\"ids\":{\"a\":\"b\","
		"\"c\":\"d\"},\"unknown\":[1]}";
	struct command c = {0}, copy;
	char id[COMMAND_ID], error[COMMAND_ERROR], at[ADDR_TEXT];

	(void)state;
	assert_int_equal(parse(&c, line, sizeof(line) - 1, id, error), 0);
	command_copy(&copy, &c);
	command_free(&c);
	assert_null(c.call);
	assert_string_equal(id, "\"x-1\"");
	assert_int_equal(copy.kind, COMMAND_LEG_ADD);
	assert_string_equal(copy.call, "c1");
	assert_int_equal(copy.role, ROLE_AGENT);
	assert_string_equal(copy.codec, "L16");
	assert_int_equal(copy.payload_type, 118);
	assert_string_equal(copy.label, "l");
	assert_string_equal(copy.from, "f");
	assert_string_equal(copy.to, "t");
	assert_string_equal(copy.sip_call_id, "s");
	assert_string_equal(addr_print(at, &copy.remote), "[2001:db8::1]:4000");
	assert_int_equal(copy.n_ids, 2);
	assert_string_equal(copy.ids[1].name, "c");
	assert_string_equal(copy.ids[1].value, "d");
	command_free(&copy);
}

#define ID56 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee123456"

static const struct row {
	const char *line;
	const char *id;
	const char *error;     /* words of it; NULL: it is good */
} rows[] = {
	{ "{\"do\":\"status\"}", "", NULL },
	{ "{\"id\":5,\"do\":\"status\"}", "5", NULL },
	{ "{\"id\":-5,\"do\":\"drain\"}", "-5", NULL },
	{ "{\"id\":1.5,\"do\":\"drain\",\"cancel\":true}", "", NULL },
	{ "{\"id\":{},\"do\":\"drain\",\"cancel\":1}", "", "cancel: true" },
	{ "{\"id\":3,\"do\":\"leg.end\",\"leg\":\"" ID56 ".1\"}", "3", NULL },
	{ "{\"id\":3,\"do\":\"leg.end\"}", "3", "leg must be given" },
	{ "{\"do\":\"leg.end\",\"leg\":7}", "", "leg must be given" },
	{ "{\"do\":\"call.register\",\"call\":\"" ID56 "\"}", "", NULL },
	{ "{\"do\":\"call.register\",\"call\":\"" ID56 "7\"}", "",
	  "1 to 56 of" },
	{ "{\"do\":\"call.register\",\"call\":\"\"}", "", "call must be" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"uuid\":"
	  "\"919108f7-52d1-4320-9bac-f847db4148a8\",\"role\":\"caller\","
	  "\"label\":\"in\"}", "", NULL },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"uuid\":\"919108f7\"}",
	  "", "uuid: as the AudioSocket" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"uuid\":1}", "",
	  "uuid: as the AudioSocket" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"role\":\"king\"}", "",
	  "role: caller" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"from\":\"\"}", "",
	  "from: a text" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"ids\":[]}", "",
	  "ids: an object" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"ids\":{\"a\":1}}", "",
	  "\"a\" is not so" },
	{ "{\"do\":\"call.register\",\"call\":\"c\",\"ids\":{\"a\":\"\"}}", "",
	  "\"a\" is not so" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"role\":\"mixed\"}", "", NULL },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"role\":\"king\"}", "",
	  "not \"king\"" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"role\":1}", "", "role: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"codec\":\"PCMA\"}", "", NULL },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"codec\":\"opus\"}", "",
	  "not \"opus\"" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"codec\":\"L16\"}", "",
	  "add payload_type" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"payload_type\":8}", "",
	  "add codec" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"codec\":\"PCMU\","
	  "\"payload_type\":128}", "", "0 to 127" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"codec\":\"PCMU\","
	  "\"payload_type\":-1}", "", "0 to 127" },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"1.2.3.4:5\"}", "",
	  NULL },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"1.2.3.4\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"1.2.3.4:0\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"0.0.0.0:5\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"::1:5\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"[:5\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"]:5\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\":\"}", "",
	  "remote: " },
	{ "{\"do\":\"leg.add\",\"call\":\"c\",\"remote\":\"\"}", "",
	  "remote: " },
	{ "{\"do\":\"calls\"}", "", NULL },
	{ "{\"do\":\"calls\",\"after\":77}", "", NULL },
	{ "{\"do\":\"calls\",\"after\":-1}", "", "after: the" },
	{ "{\"do\":\"calls\",\"after\":\"x\"}", "", "after: the" },
	{ "{\"do\":\"metrics\",\"from\":40960}", "", NULL },
	{ "{\"do\":\"metrics\",\"from\":1.5}", "", "from: the" },
	{ "{\"do\":\"call\",\"call\":\"" ID56 ".1\"}", "", NULL },
	{ "{\"do\":\"call\"}", "", "call must be given" },
	{ "{\"do\":\"hangup\",\"call\":\"a b\"}", "", "call must be" },
	{ "{\"do\":\"pause\",\"call\":\"c\"}", "", NULL },
	{ "{\"do\":\"resume\"}", "", "call must be given" },
	{ "{\"do\":\"asr\",\"asr\":\"a b\",\"enable\":true}", "", NULL },
	{ "{\"do\":\"asr\",\"asr\":\"a\"}", "", "enable: true" },
	{ "{\"do\":\"asr\",\"enable\":true}", "", "asr: the name" },
	{ "{\"do\":\"loglevel\",\"level\":\"debug\"}", "", NULL },
	{ "{\"do\":\"loglevel\",\"level\":\"all\"}", "", "level: error" },
	{ "{\"do\":\"reboot\"}", "", "not \"reboot\"" },
	{ "{\"id\":9}", "9", "do: leg.add" },
	{ "{\"do\":1}", "", "do: leg.add" },
	{ "", "", "not a JSON object" },
	{ "7", "", "not a JSON object" },
	{ "[{}]", "", "not a JSON object" },
	{ "{\"do\":\"status\"} x", "", "not a JSON object" },
	{ "{\"do\":\"status\",\"do\":\"drain\"}", "", "not a JSON object" },
};

static void test_rows(void **state)
{
	char id[COMMAND_ID], error[COMMAND_ERROR];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct command c = {0};
		const int err = parse(&c, r->line, strlen(r->line), id, error);

		if ((err != 0) != (r->error != NULL) ||
		    (r->error && !strstr(error, r->error)) ||
		    strcmp(id, r->id) != 0)
			fail_msg("%s: %d \"%s\" id %s", r->line, err, error,
				 id);
		command_free(&c);
	}
}

static void test_limits(void **state)
{
	static char line[COMMAND_LINE_MAX + 2];
	char id[COMMAND_ID], error[COMMAND_ERROR];
	struct command c = {0};
	const char *start = "{\"do\":\"status\",\"x\":\"";
	const size_t n = strlen(start);

	(void)state;
	memset(line, 'y', sizeof(line));
	memcpy(line, start, n);
	memcpy(line + COMMAND_LINE_MAX - 2, "\"}", 2);
	assert_int_equal(parse(&c, line, COMMAND_LINE_MAX, id, error), 0);
	command_free(&c);
	memcpy(line + COMMAND_LINE_MAX - 2, "y\"}", 3);
	assert_int_equal(parse(&c, line, COMMAND_LINE_MAX + 1, id, error),
			 -EBADMSG);

	/* an id of our own making has at most 80 bytes with its quotes */
	for (int len = 76; len <= 79; len++) {
		const int total = snprintf(line, sizeof(line), "{\"do\":"
					   "\"status\",\"id\":\"%0*d\"}", len,
					   1);
		assert_int_equal(parse(&c, line, (size_t)total, id, error), 0);
		assert_int_equal(strlen(id), len + 2 < COMMAND_ID ? len + 2
								  : 0);
		command_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_leg),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
