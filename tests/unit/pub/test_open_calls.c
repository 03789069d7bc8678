/** @file test_open_calls.c  daemon/pub/open_calls.c, and recall.c before it */
#include "daemon/pub/open_calls.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/pub/line.h"
#include "daemon/pub/recall.h"

enum { S = 1000000 };
#define T0 (1700000000ull * S)
#define MS(n) ((n) * 8ull)

#define CALL(id) .call = (id)
#define LEG(id) .call = "c", .leg = (id), .role = ROLE_CALLER
#define START { EVENT_CALL_START, .now_us = T0, .call = "c", \
		.call_start = { .source = "rtp" } }
#define LEG_START(id, which) { EVENT_LEG_START, .now_us = T0, LEG(id), \
			       .leg_start = { .asr = which } }
#define MEDIA(id) { EVENT_LEG_MEDIA, .now_us = T0 + S, LEG(id), \
		    .leg_media = { .at_us = T0 + S } }
#define FINAL(id, to) { EVENT_SEGMENT, .now_us = T0 + 2 * S, LEG(id), \
	.segment = { .segment = 1, .rev = 1, .state = SEGMENT_FINAL, \
		     .text = "x", .end = MS(to), .confidence = -1, \
		     .latency_ms = EVENT_UNKNOWN } }
#define GAP(id, from, to, why) { EVENT_GAP, .now_us = T0, LEG(id), \
	.gap = { MS(from), MS(to), why, NULL, 0 } }
#define PAUSED(id, what, ms) { what, .now_us = T0, LEG(id), \
			       .pause = { MS(ms), "ctl" } }

static const struct event_span spans[] = { { MS(100), MS(200) },
					   { MS(900), MS(1000) } };

/* The daemon's last sign of life is 11 s behind T0: 10 s of media. */
static const struct row {
	const char *name;
	struct event e[10];
	const char *want;   /* What is told, in short; times in ms */
} rows[] = {
	{ "nothing", { { EVENT_DAEMON, .daemon = { .what = "started" } } },
	  "" },
	{ "a call alone", { START }, "call c restart 11000 0 legs\n" },
	{ "a leg without media", { START, LEG_START("c.1", "a") },
	  "leg c.1 restart 0 r0 s0 l0 p0 -\n"
	  "call c restart 11000 1 legs\n" },
	{ "media and no words", { START, LEG_START("c.1", "a"), MEDIA("c.1") },
	  "gap c.1 0-10000 restart\n"
	  "leg c.1 restart 10000 r10000 s0 l10000 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "asr none: decoding is sending",
	  { START, LEG_START("c.1", "none"), MEDIA("c.1") },
	  "leg c.1 restart 10000 r10000 s10000 l0 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "words up to a place",
	  { START, LEG_START("c.1", "a"), MEDIA("c.1"), FINAL("c.1", 3000),
	    FINAL("c.1", 7000) },
	  "gap c.1 7000-10000 restart\n"
	  "leg c.1 restart 10000 r10000 s7000 l3000 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "words beyond the clock",
	  { START, LEG_START("c.1", "a"), MEDIA("c.1"), FINAL("c.1", 12000) },
	  "leg c.1 restart 12000 r12000 s12000 l0 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "gaps count once",
	  { START, LEG_START("c.1", "a"), MEDIA("c.1"),
	    GAP("c.1", 1000, 2000, "asr_slow"),
	    GAP("c.1", 4000, 4500, "rtp_loss"), FINAL("c.1", 6000) },
	  "gap c.1 6000-10000 restart\n"
	  "leg c.1 restart 10000 r9500 s4500 l5000 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "holes told as one",
	  { START, LEG_START("c.1", "none"), MEDIA("c.1"),
	    { EVENT_GAP, .now_us = T0, LEG("c.1"),
	      .gap = { MS(100), MS(1000), "rtp_loss", spans, 2 } } },
	  "leg c.1 restart 10000 r9800 s9800 l0 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "a pause that ended",
	  { START, LEG_START("c.1", "a"), MEDIA("c.1"), FINAL("c.1", 2000),
	    PAUSED("c.1", EVENT_PAUSE, 2000),
	    PAUSED("c.1", EVENT_RESUME, 5000) },
	  "gap c.1 5000-10000 restart\n"
	  "leg c.1 restart 10000 r10000 s2000 l5000 p3000 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "paused when it died",
	  { START, LEG_START("c.1", "a"), MEDIA("c.1"), FINAL("c.1", 2000),
	    PAUSED("c.1", EVENT_PAUSE, 4000) },
	  "gap c.1 2000-4000 restart\n"
	  "leg c.1 restart 10000 r10000 s2000 l2000 p6000 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "one leg had ended",
	  { START, LEG_START("c.1", "a"), LEG_START("c.2", "none"),
	    { EVENT_LEG_END, .now_us = T0, LEG("c.1"), .leg_end = {
		.reason = "bye", .jitter_ms = -1, .mos = -1 } },
	    MEDIA("c.2") },
	  "leg c.2 restart 10000 r10000 s10000 l0 p0 1000\n"
	  "call c restart 11000 2 legs\n" },
	{ "all had ended",
	  { START, LEG_START("c.1", "a"),
	    { EVENT_LEG_END, .now_us = T0, LEG("c.1"), .leg_end = {
		.reason = "bye", .jitter_ms = -1, .mos = -1 } },
	    { EVENT_CALL_END, .now_us = T0, CALL("c"),
	      .call_end = { "bye", S, 1 } } }, "" },
	{ "another asr later",
	  { START, LEG_START("c.1", "none"), MEDIA("c.1"),
	    { EVENT_LEG_UPDATE, .now_us = T0, LEG("c.1"),
	      .leg_update = { .asr = "a" } } },
	  "gap c.1 0-10000 restart\n"
	  "leg c.1 restart 10000 r10000 s0 l10000 p0 1000\n"
	  "call c restart 11000 1 legs\n" },
	{ "other positions",
	  { START, LEG_START("c.1", "none"),
	    { EVENT_DTMF, .now_us = T0, LEG("c.1"),
	      .dtmf = { '1', MS(3000), MS(100) } },
	    { EVENT_DISCONTINUITY, .now_us = T0, LEG("c.1"),
	      .discontinuity = { MS(2000), "ssrc", 0 } } },
	  "leg c.1 restart 3000 r3000 s3000 l0 p0 -\n"
	  "call c restart 11000 1 legs\n" },
	{ "the beginning is not known", { FINAL("c.1", 3000) },
	  "leg c.1 restart 3000 r3000 s3000 l0 p0 -\n"
	  "call c restart 9000 1 legs\n" },
};

static void emit(const struct event *e, void *arg)
{
	struct buf *out = arg;
	const struct event_leg_end *l = &e->leg_end;

	assert_int_equal(e->now_us, T0 + 60ull * S);
	if (e->type == EVENT_GAP) {
		buf_printf(out, "gap %s %d-%d %s\n", e->leg,
			   (int)(e->gap.start / 8), (int)(e->gap.end / 8),
			   e->gap.cause);
	} else if (e->type == EVENT_LEG_END) {
		assert_int_equal(l->received, l->sent + l->lost + l->paused);
		buf_printf(out, "leg %s %s %d r%d s%d l%d p%d ", e->leg,
			   l->reason, (int)(l->duration / 8),
			   (int)(l->received / 8), (int)(l->sent / 8),
			   (int)(l->lost / 8), (int)(l->paused / 8));
		if (l->offset_us == EVENT_UNKNOWN)
			buf_puts(out, "-\n");
		else
			buf_printf(out, "%d\n", (int)(l->offset_us / 1000));
	} else {
		assert_int_equal(e->type, EVENT_CALL_END);
		buf_printf(out, "call %s %s %d %u legs\n", e->call,
			   e->call_end.reason,
			   (int)(e->call_end.duration_us / 1000),
			   e->call_end.legs);
	}
}

struct recalling {
	struct open_calls *o;
	uint64_t seq;
};

static void on_recalled(const struct event *e, void *arg)
{
	struct recalling *r = arg;

	open_calls_event(r->o, e, r->seq);
}

/* As the daemon tells it; or as it stands in the journal. */
static void feed(struct open_calls *o, const struct event *e, uint64_t seq,
		 bool from_line)
{
	struct recalling r = { o, seq };
	struct buf line = {0};

	if (!from_line) {
		open_calls_event(o, e, seq);
		return;
	}
	assert_int_equal(line_print(&line, e, seq), 0);
	assert_int_equal(recall_line(buf_str(&line), line.len, e->now_us,
				     on_recalled, &r), 0);
	buf_free(&line);
}

static bool restore(const char *key, const char *line, size_t len, void *arg)
{
	assert_string_equal(key, "c");
	assert_int_equal(open_calls_restore(arg, line, len), 0);
	return true;
}

static void check(struct open_calls *o, const struct row *r, const char *how)
{
	struct buf got = {0};
	const struct event_sink sink = { emit, &got };

	assert_int_equal(open_calls_count(o), *r->want ? 1 : 0);
	open_calls_close(o, T0 + 11ull * S, T0 + 60ull * S, &sink);
	assert_int_equal(open_calls_count(o), 0);
	if (strcmp(buf_str(&got), r->want) != 0)
		fail_msg("%s, %s:\n%s", r->name, how, buf_str(&got));
	buf_free(&got);
	open_calls_free(o);
}

static size_t length(const struct row *r)
{
	size_t n = 0;

	while (n < ARRAY_LEN(r->e) &&
	       (r->e[n].call || r->e[n].type == EVENT_DAEMON))
		n++;
	return n;
}

static void test_what_is_closed_and_how(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		for (int from_line = 0; from_line < 2; from_line++) {
			struct open_calls *o;
			assert_int_equal(open_calls_new(&o), 0);
			for (size_t k = 0; k < length(r); k++)
				feed(o, &r->e[k], k + 1, from_line);
			check(o, r, from_line ? "lines" : "events");
		}
	}
}

/* A segment may begin anywhere, and what it says may be older than its state
   lines. */
static void test_state_lines_at_any_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		for (size_t at = 0; at <= length(r); at++) {
			for (size_t back = 0; back <= at; back++) {
				struct open_calls *o, *n;
				if (open_calls_new(&o) || open_calls_new(&n))
					fail();
				for (size_t k = 0; k < at; k++)
					feed(o, &r->e[k], k + 1, false);
				assert_true(open_calls_print(o, restore, n));
				open_calls_free(o);
				/* a call that is over already leaves none */
				const size_t from = *r->want ? back : at;
				for (size_t k = from; k < length(r); k++)
					feed(n, &r->e[k], k + 1, true);
				check(n, r, "state lines");
			}
		}
	}
}

static bool stop(const char *key, const char *line, size_t len, void *arg)
{
	(void)key;
	(void)line;
	(void)len;
	++*(int *)arg;
	return false;
}

static void test_printing_may_be_stopped(void **state)
{
	struct open_calls *o;
	int n = 0;

	(void)state;
	assert_int_equal(open_calls_new(&o), 0);
	feed(o, &rows[3].e[0], 1, false);
	feed(o, &rows[3].e[1], 2, false);
	assert_false(open_calls_print(o, stop, &n));
	assert_int_equal(n, 1);
	open_calls_free(o);
}

static void test_bad_state_lines(void **state)
{
	static const char *const bad[] = {
		"", "x", "[]", "{}", "{\"call\":\"\"}", "{\"call\":1}",
		"{\"leg\":\"l\"}", "{\"call\":\"c\",\"call\":\"c\"}",
	};
	static const char *const odd[] = {
		"{\"call\":\"c\",\"seen\":-1,\"legs\":\"x\"}",
		"{\"call\":\"c\",\"leg\":\"l\",\"role\":99,\"known\":-5}",
		"{\"call\":\"c\",\"leg\":7}",
	};
	struct open_calls *o;

	(void)state;
	assert_int_equal(open_calls_new(&o), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (open_calls_restore(o, bad[i], strlen(bad[i])) != -EBADMSG)
			fail_msg("%s", bad[i]);
	assert_int_equal(open_calls_count(o), 0);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		if (open_calls_restore(o, odd[i], strlen(odd[i])))
			fail_msg("%s", odd[i]);
	struct buf got = {0};
	const struct event_sink sink = { emit, &got };
	open_calls_close(o, 0, T0 + 60ull * S, &sink);
	assert_string_equal(buf_str(&got),
			    "leg l restart 0 r0 s0 l0 p0 -\n"
			    "call c restart 0 0 legs\n");
	buf_free(&got);
	open_calls_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_closed_and_how),
		cmocka_unit_test(test_state_lines_at_any_place),
		cmocka_unit_test(test_printing_may_be_stopped),
		cmocka_unit_test(test_bad_state_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
