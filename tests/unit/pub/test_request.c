/**
 * @file test_request.c  daemon/pub/request.c
 *
 * Lines that are wrong are rows of tests/flow/test_event_socket.py.
 */
#include "daemon/pub/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define E "00000000000000ab"
#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static const struct {
	const char *name, *line;
	const char *want;    /* As shown() tells it; NULL: refused */
} rows[] = {
	{ "bare", "{\"hello\":1}", "now types=all partials" },
	{ "white space", " {\"hello\" : 1 }\r", "now types=all partials" },
	{ "later members", "{\"hello\":1,\"x\":[null]}",
	  "now types=all partials" },
	{ "name", "{\"hello\":1,\"name\":\"crm\"}",
	  "resume name=crm types=all partials" },
	{ "name, now", "{\"hello\":1,\"name\":\"a.b_c-9\",\"from\":\"now\"}",
	  "now name=a.b_c-9 types=all partials" },
	{ "name of 64", "{\"hello\":1,\"name\":\"" C64 "\"}",
	  "resume name=" C64 " types=all partials" },
	{ "name of 65", "{\"hello\":1,\"name\":\"x" C64 "\"}", NULL },
	{ "oldest", "{\"hello\":1,\"from\":\"oldest\"}",
	  "oldest types=all partials" },
	{ "place", "{\"hello\":1,\"from\":\"" E ":17\"}",
	  "at ab:17 types=all partials" },
	{ "place, all bits", "{\"hello\":1,\"from\":"
	  "\"ffffffffffffffff:9223372036854775807\"}",
	  "at ffffffffffffffff:9223372036854775807 types=all partials" },
	{ "place, one too many", "{\"hello\":1,\"from\":"
	  "\"ffffffffffffffff:9223372036854775808\"}", NULL },
	{ "capitals", "{\"hello\":1,\"from\":\"00000000000000AB:1\"}", NULL },
	{ "17 digits", "{\"hello\":1,\"from\":\"0" E ":1\"}", NULL },
	{ "something behind", "{\"hello\":1,\"from\":\"" E ":1 \"}", NULL },
	{ "types", "{\"hello\":1,\"types\":[\"call.start\",\"gap\"]}",
	  "now types=101 partials" },
	{ "daemon.*", "{\"hello\":1,\"types\":[\"daemon.*\"]}",
	  "now types=8000 partials" },
	{ "single ones", "{\"hello\":1,\"types\":[\"daemon.a\",\"daemon.b\"]}",
	  "now types=8000 daemon=a daemon=b partials" },
	{ "a single one and all", "{\"hello\":1,"
	  "\"types\":[\"daemon.a\",\"daemon.*\"]}",
	  "now types=8000 partials" },
	{ "too many single ones", "{\"hello\":1,\"types\":[\"daemon.a\","
	  "\"daemon.b\",\"daemon.c\",\"daemon.d\",\"daemon.e\",\"daemon.f\","
	  "\"daemon.g\",\"daemon.h\",\"daemon.i\"]}", NULL },
	{ "bare daemon", "{\"hello\":1,\"types\":[\"daemon\"]}", NULL },
	{ "control line", "{\"hello\":1,\"types\":[\"heartbeat\"]}", NULL },
	{ "calls", "{\"hello\":1,\"calls\":[\"a\",\"b\"]}",
	  "now types=all call=a call=b partials" },
	{ "all calls", "{\"hello\":1,\"calls\":[\"a\",\"*\"]}",
	  "now types=all partials" },
	{ "no partials, ack", "{\"hello\":1,\"partials\":false,\"ack\":true}",
	  "now types=all ack" },
	{ "ack false", "{\"hello\":1,\"ack\":false}",
	  "now types=all partials" },
	{ "ack null", "{\"hello\":1,\"ack\":null}", NULL },
	{ "an ack", "{\"ack\":12}", "ack 12" },
	{ "an ack of all bits", "{\"ack\":9223372036854775807}",
	  "ack 9223372036854775807" },
	{ "an ack as real", "{\"ack\":12.0}", NULL },
};

static const char *shown(const struct request *r, struct buf *b)
{
	static const char *const from[] = { "now", "oldest", "resume", "at" };

	if (r->kind == REQUEST_ACK) {
		buf_printf(b, "ack %llu", (unsigned long long)r->ack_seq);
		return buf_str(b);
	}
	buf_puts(b, from[r->from]);
	if (r->from == FROM_SEQ)
		buf_printf(b, " %llx:%llu", (unsigned long long)r->epoch,
			   (unsigned long long)r->seq);
	if (*r->name)
		buf_printf(b, " name=%s", r->name);
	if (r->types == 0xffff)
		buf_puts(b, " types=all");
	else
		buf_printf(b, " types=%x", r->types);
	for (size_t i = 0; i < r->n_daemon; i++)
		buf_printf(b, " daemon=%s", r->daemon[i]);
	for (size_t i = 0; i < r->n_calls; i++)
		buf_printf(b, " call=%s", r->calls[i]);
	buf_puts(b, r->partials ? " partials" : "");
	buf_puts(b, r->ack ? " ack" : "");
	return buf_str(b);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].line);
		char error[REQUEST_ERROR] = "";
		char *exact = malloc(len);
		struct request r = {0};
		struct buf b = {0};

		assert_non_null(exact);
		memcpy(exact, rows[i].line, len);
		r.ack_seq = 77;
		const int err = request_parse(&r, exact, len, error);
		free(exact);
		if (!rows[i].want) {
			if (err != -EBADMSG || !*error || r.ack_seq != 77)
				fail_msg("%s: %d", rows[i].name, err);
		} else if (err || strcmp(shown(&r, &b), rows[i].want) != 0) {
			fail_msg("%s: %d %s\n got %s\nwant %s", rows[i].name,
				 err, error, buf_str(&b), rows[i].want);
		}
		buf_free(&b);
	}
}

static void test_every_shorter_line_is_refused(void **state)
{
	static const char line[] = "{\"hello\":1,\"name\":\"crm\",\"from\":"
		"\"oldest\",\"types\":[\"gap\"],\"calls\":[\"*\"]}";

	(void)state;
	for (size_t len = 0; len < sizeof(line) - 1; len++) {
		char error[REQUEST_ERROR];
		char *exact = malloc(len ? len : 1);
		struct request r;

		assert_non_null(exact);
		memcpy(exact, line, len);
		assert_int_equal(request_parse(&r, exact, len, error),
				 -EBADMSG);
		free(exact);
	}
}

static void test_who_says_nothing_wants_everything(void **state)
{
	struct request r;

	(void)state;
	request_default(&r);
	for (int t = 0; t <= EVENT_DAEMON; t++)
		assert_true(request_wants(&r, (enum event_type)t, "any"));
	assert_true(r.partials);
	assert_false(r.ack);
}

static const struct {
	const char *name, *line;
	enum event_type type;
	const char *key;
	bool want;
} choices[] = {
	{ "its type", "{\"hello\":1,\"types\":[\"gap\"]}", EVENT_GAP, "c",
	  true },
	{ "another type", "{\"hello\":1,\"types\":[\"gap\"]}", EVENT_DTMF, "c",
	  false },
	{ "its call", "{\"hello\":1,\"calls\":[\"b\",\"c\"]}", EVENT_GAP, "c",
	  true },
	{ "another call", "{\"hello\":1,\"calls\":[\"cc\"]}", EVENT_GAP, "c",
	  false },
	{ "type and call", "{\"hello\":1,\"calls\":[\"c\"],\"types\":"
	  "[\"gap\"]}", EVENT_SPEECH, "c", false },
	{ "the daemon has no call", "{\"hello\":1,\"calls\":[\"c\"]}",
	  EVENT_DAEMON, "asr_down", true },
	{ "its daemon", "{\"hello\":1,\"types\":[\"daemon.asr_down\"]}",
	  EVENT_DAEMON, "asr_down", true },
	{ "another daemon", "{\"hello\":1,\"types\":[\"daemon.asr_down\"]}",
	  EVENT_DAEMON, "asr_up", false },
	{ "all daemons", "{\"hello\":1,\"types\":[\"daemon.*\"]}",
	  EVENT_DAEMON, "asr_up", true },
	{ "no daemon", "{\"hello\":1,\"types\":[\"gap\"]}", EVENT_DAEMON,
	  "asr_up", false },
};

static void test_what_a_choice_lets_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		char error[REQUEST_ERROR];
		struct request r;

		if (request_parse(&r, choices[i].line,
				  strlen(choices[i].line), error) ||
		    request_wants(&r, choices[i].type, choices[i].key) !=
			    choices[i].want)
			fail_msg("%s", choices[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_shorter_line_is_refused),
		cmocka_unit_test(test_who_says_nothing_wants_everything),
		cmocka_unit_test(test_what_a_choice_lets_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
