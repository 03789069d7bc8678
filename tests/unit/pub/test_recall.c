/** @file test_recall.c  daemon/pub/recall.c: lines that are not as they should
 * be; those that are go through test_open_calls.c */
#include "daemon/pub/recall.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define LEG "\"call\":\"c\",\"leg\":\"c.1\",\"role\":\"agent\""

static void tell(const struct event *e, void *arg)
{
	struct buf *out = arg;

	buf_printf(out, "%d %s %s %d", e->type, e->call, e->leg ? e->leg : "-",
		   (int)e->role);
	assert_int_equal(e->now_us, 77);
	if (e->type == EVENT_GAP) {
		buf_printf(out, " %s %d-%d", e->gap.cause, (int)e->gap.start,
			   (int)e->gap.end);
		for (size_t i = 0; i < e->gap.n_spans; i++)
			buf_printf(out, " %d-%d", (int)e->gap.spans[i].start,
				   (int)e->gap.spans[i].end);
	}
	if (e->type == EVENT_LEG_MEDIA)
		buf_printf(out, " %lld", (long long)e->leg_media.at_us);
	if (e->type == EVENT_SEGMENT)
		buf_printf(out, " %d %lld", e->segment.state,
			   (long long)e->segment.end);
}

static const struct {
	const char *name, *line;
	int err;
	const char *want;
} rows[] = {
	{ "empty", "", -EBADMSG, "" },
	{ "no JSON", "{", -EBADMSG, "" },
	{ "no object", "[]", 0, "" },
	{ "no type", "{" LEG "}", 0, "" },
	{ "unknown type", "{\"type\":\"later\"," LEG "}", 0, "" },
	{ "daemon", "{\"type\":\"daemon.started\"}", 0, "" },
	{ "no call", "{\"type\":\"gap\"}", 0, "" },
	{ "call no text", "{\"type\":\"call.end\",\"call\":7}", 0, "" },
	{ "call empty", "{\"type\":\"call.end\",\"call\":\"\"}", 0, "" },
	{ "leg too long", "{\"type\":\"gap\",\"call\":\"c\",\"leg\":\""
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "\"}", 0, "" },
	{ "call", "{\"type\":\"call.end\",\"call\":\"c\"}", 0, "14 c - 0" },
	{ "gap of nothing", "{\"type\":\"gap\"," LEG "}", 0,
	  "8 c c.1 2 rtp_loss 0-0" },
	{ "gap", "{\"type\":\"gap\"," LEG ",\"start_ms\":1,\"end_ms\":3,"
	  "\"cause\":\"dns\"}", 0, "8 c c.1 2 dns 8-24" },
	{ "spans", "{\"type\":\"gap\"," LEG ",\"start_ms\":1,\"end_ms\":9,"
	  "\"cause\":\"rtp_loss\",\"spans\":[[1,2],[4,9]]}", 0,
	  "8 c c.1 2 rtp_loss 8-72 8-16 32-72" },
	{ "bad spans", "{\"type\":\"gap\"," LEG ",\"start_ms\":1,\"end_ms\":9,"
	  "\"cause\":\"rtp_loss\",\"spans\":[[1,2],[9,4]]}", 0,
	  "8 c c.1 2 rtp_loss 8-72" },
	{ "spans left out", "{\"type\":\"gap\"," LEG ",\"start_ms\":1,"
	  "\"end_ms\":9,\"cause\":\"rtp_loss\",\"spans\":[[1,2]],"
	  "\"spans_omitted\":4}", 0, "8 c c.1 2 rtp_loss 8-72" },
	{ "a time", "{\"type\":\"leg.media\"," LEG ",\"at\":"
	  "\"2023-11-14T22:13:20.000001Z\"}", 0,
	  "4 c c.1 2 1700000000000001" },
	{ "no time", "{\"type\":\"leg.media\"," LEG ",\"at\":\"yesterday\"}", 0,
	  "4 c c.1 2 -1" },
	{ "signs in a time", "{\"type\":\"leg.media\"," LEG ",\"at\":"
	  "\"2023-11-14T22:13:-1.000001Z\"}", 0, "4 c c.1 2 -1" },
	{ "a final", "{\"type\":\"segment\"," LEG ",\"state\":\"final\","
	  "\"end_ms\":5}", 0, "6 c c.1 2 1 40" },
	{ "wild numbers", "{\"type\":\"segment\"," LEG ",\"state\":\"final\","
	  "\"end_ms\":9223372036854775807}", 0, "6 c c.1 2 1 -1" },
	{ "below zero", "{\"type\":\"segment\"," LEG ",\"state\":\"final\","
	  "\"end_ms\":-5}", 0, "6 c c.1 2 1 -1" },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf got = {0};
		const size_t len = strlen(rows[i].line);
		char *line = malloc(len ? len : 1);

		assert_non_null(line);
		memcpy(line, rows[i].line, len);
		const int err = recall_line(line, len, 77, tell, &got);
		if (err != rows[i].err ||
		    strcmp(buf_str(&got), rows[i].want) != 0)
			fail_msg("%s: %d %s", rows[i].name, err, buf_str(&got));
		free(line);
		buf_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
