/**
 * @file test_line.c  daemon/pub/line.c
 *
 * What is expected was written by hand from INTERFACES section 3.
 */
#include "daemon/pub/line.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

#define T0 1767323045678901u /* 2026-01-02T03:04:05.678901Z */
#define HEAD(type, seq) "{\"v\":1,\"type\":\"" type "\",\"seq\":" #seq \
	",\"ts\":\"2026-01-02T03:04:05.678901Z\""
#define CALL ",\"call\":\"c1\""
#define LEG CALL ",\"leg\":\"c1-0\",\"role\":\"caller\""
#define ON_LEG .now_us = T0, .call = "c1", .leg = "c1-0", .role = ROLE_CALLER
#define V4(d) { .ip = { 192, 0, 2, d }, .port = 4000, .family = 4 }
#define V6 { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .port = 5004, .family = 6 }

static const struct {
	const char *name;
	uint64_t seq;
	struct event e;
	const char *want;
} rows[] = {
	{ "call.start", 1,
	  { .type = EVENT_CALL_START, .now_us = T0, .call = "c1",
	    .call_start = { "replay", "sip:a@x", "sip:b@x", "id@x",
		(struct event_id[]){ { "ucid", "00\"1" }, { "x", "" } }, 2,
		NULL, 0 } },
	  HEAD("call.start", 1) CALL ",\"source\":\"replay\",\"from\":\"sip:a@x\""
	  ",\"to\":\"sip:b@x\",\"sip_call_id\":\"id@x\""
	  ",\"ids\":{\"ucid\":\"00\\\"1\"}}\n" },
	{ "call.start, nothing known", 18446744073709551614u,
	  { .type = EVENT_CALL_START, .now_us = T0, .call = "c1",
	    .call_start = { .source = "rtp", .from = "" } },
	  HEAD("call.start", 18446744073709551614) CALL
	  ",\"source\":\"rtp\"}\n" },
	{ "call.update", 2,
	  { .type = EVENT_CALL_UPDATE, .now_us = T0, .call = "c1",
	    .call_update = { .to = "sip:c@x" } },
	  HEAD("call.update", 2) CALL ",\"to\":\"sip:c@x\"}\n" },
	{ "call.update, somebody came", 2,
	  { .type = EVENT_CALL_UPDATE, .now_us = T0, .call = "c1",
	    .call_update = { .participants = (struct event_participant[]){
		{ "p1", "sip:a@x", "A \"B\"", ROLE_CALLER, "1", "s" },
		{ "", NULL, "", ROLE_UNKNOWN, NULL, NULL } },
		.n_participants = 2 } },
	  HEAD("call.update", 2) CALL ",\"participants\":[{\"id\":\"p1\""
	  ",\"aor\":\"sip:a@x\",\"name\":\"A \\\"B\\\"\""
	  ",\"role\":\"caller\",\"label\":\"1\",\"stream\":\"s\"},{\"role\":\"unknown\"}]}\n" },
	{ "call.update, everybody has left", 2,
	  { .type = EVENT_CALL_UPDATE, .now_us = T0, .call = "c1",
	    .call_update = { .participants = (struct event_participant[]){
		{ 0 } } } },
	  HEAD("call.update", 2) CALL ",\"participants\":[]}\n" },
	{ "leg.start", 3,
	  { .type = EVENT_LEG_START, ON_LEG,
	    .leg_start = { "sip", "1", "PCMU", "main",
		{ 4294967295u, V4(1), V6, 0, true } } },
	  HEAD("leg.start", 3) LEG ",\"role_source\":\"sip\",\"label\":\"1\""
	  ",\"codec\":\"PCMU\",\"rtp\":{\"ssrc\":4294967295"
	  ",\"src\":\"192.0.2.1:4000\",\"dst\":\"[2001:db8::1]:5004\""
	  ",\"payload_type\":0},\"asr\":\"main\"}\n" },
	{ "leg.start, before the first packet", 3,
	  { .type = EVENT_LEG_START, .now_us = T0, .call = "c1", .leg = "l",
	    .leg_start = { .codec = "PCMA", .asr = "none",
		.rtp = { .dst = V4(7), .payload_type = 8 } } },
	  HEAD("leg.start", 3) CALL ",\"leg\":\"l\",\"role\":\"unknown\""
	  ",\"codec\":\"PCMA\",\"rtp\":{\"dst\":\"192.0.2.7:4000\""
	  ",\"payload_type\":8},\"asr\":\"none\"}\n" },
	{ "leg.update", 4,
	  { .type = EVENT_LEG_UPDATE, .now_us = T0, .call = "c1", .leg = "l",
	    .role = ROLE_AGENT, .leg_update = { .role_source = "label" } },
	  HEAD("leg.update", 4) CALL ",\"leg\":\"l\",\"role\":\"agent\""
	  ",\"role_source\":\"label\"}\n" },
	{ "leg.media", 5,
	  { .type = EVENT_LEG_MEDIA, ON_LEG,
	    .leg_media = { 1000001u, 1999u,
		{ 1, V4(1), V4(2), -1, true } } },
	  HEAD("leg.media", 5) LEG ",\"at\":\"1970-01-01T00:00:01.000001Z\""
	  ",\"offset_ms\":1,\"rtp\":{\"ssrc\":1,\"src\":\"192.0.2.1:4000\""
	  ",\"dst\":\"192.0.2.2:4000\"}}\n" },
	{ "leg.state", 6,
	  { .type = EVENT_LEG_STATE, ON_LEG,
	    .leg_state = { "failed", "auth", 401, "the key\nis wrong" } },
	  HEAD("leg.state", 6) LEG ",\"asr_state\":\"failed\""
	  ",\"reason\":\"auth\",\"code\":401"
	  ",\"text\":\"the key\\nis wrong\"}\n" },
	{ "leg.state, no reason", 6,
	  { .type = EVENT_LEG_STATE, ON_LEG,
	    .leg_state = { .asr_state = "streaming" } },
	  HEAD("leg.state", 6) LEG ",\"asr_state\":\"streaming\"}\n" },
	{ "final segment", 7,
	  { .type = EVENT_SEGMENT, ON_LEG, .segment = {
		.segment = 3, .rev = 2, .state = SEGMENT_FINAL,
		.text = "\xe0\xa4\x95 \"ok\"", .start = 15, .end = 8007,
		.confidence = 0.9375, .language = "hi",
		.words = (struct event_word[]){
			{ "\xe0\xa4\x95", 15, 400, 1 },
			{ "ok", EVENT_UNKNOWN, EVENT_UNKNOWN, -1 } },
		.n_words = 2, .synthesised = true, .overlap = true,
		.heard = 7985, .lost = 7, .latency_ms = 250,
		.asr = "main", .vendor = "bodhi", .model = "m",
		.session = "s", .connection = 2, .vendor_segment = "0" } },
	  HEAD("segment", 7) LEG ",\"segment\":3,\"rev\":2,\"state\":\"final\""
	  ",\"text\":\"\xe0\xa4\x95 \\\"ok\\\"\",\"start_ms\":1,\"end_ms\":1000"
	  ",\"confidence\":0.9375,\"language\":\"hi\",\"words\":["
	  "{\"text\":\"\xe0\xa4\x95\",\"start_ms\":1,\"end_ms\":50"
	  ",\"confidence\":1},{\"text\":\"ok\"}]"
	  ",\"synthesised\":true,\"overlap\":true"
	  ",\"coverage\":{\"heard_ms\":999,\"lost_ms\":0},\"latency_ms\":250"
	  ",\"asr\":{\"name\":\"main\",\"vendor\":\"bodhi\",\"model\":\"m\""
	  ",\"session\":\"s\",\"connection\":2,\"segment\":\"0\"}}\n" },
	{ "partial segment", 0,
	  { .type = EVENT_SEGMENT, ON_LEG, .segment = {
		.segment = 1, .rev = 1, .text = "a", .start = 0, .end = 80,
		.confidence = -1, .lost = 16, .heard = 64,
		.latency_ms = EVENT_UNKNOWN } },
	  "{\"v\":1,\"type\":\"segment\",\"ts\":\"2026-01-02T03:04:05.678901Z\""
	  LEG ",\"segment\":1,\"rev\":1,\"state\":\"partial\",\"text\":\"a\""
	  ",\"start_ms\":0,\"end_ms\":10"
	  ",\"coverage\":{\"heard_ms\":8,\"lost_ms\":2}}\n" },
	{ "retracted, nothing but its numbers", 8,
	  { .type = EVENT_SEGMENT, ON_LEG, .segment = {
		.segment = 1, .rev = 2, .state = SEGMENT_RETRACTED,
		.start = EVENT_UNKNOWN, .end = EVENT_UNKNOWN,
		.confidence = NAN, .latency_ms = EVENT_UNKNOWN } },
	  HEAD("segment", 8) LEG
	  ",\"segment\":1,\"rev\":2,\"state\":\"retracted\"}\n" },
	{ "an empty final is what was said", 8,
	  { .type = EVENT_SEGMENT, ON_LEG, .segment = {
		.segment = 1, .rev = 2, .state = SEGMENT_FINAL, .text = "",
		.start = EVENT_UNKNOWN, .end = EVENT_UNKNOWN,
		.confidence = INFINITY, .latency_ms = EVENT_UNKNOWN } },
	  HEAD("segment", 8) LEG ",\"segment\":1,\"rev\":2"
	  ",\"state\":\"final\",\"text\":\"\"}\n" },
	{ "speech", 0,
	  { .type = EVENT_SPEECH, ON_LEG, .speech = { true, 8 } },
	  "{\"v\":1,\"type\":\"speech\",\"ts\":\"2026-01-02T03:04:05.678901Z\""
	  LEG ",\"event\":\"ended\",\"at_ms\":1}\n" },
	{ "gap", 9,
	  { .type = EVENT_GAP, ON_LEG, .gap = { 7, 815, "rtp_loss",
		(struct event_span[]){ { 7, 167 }, { 655, 815 } }, 2 } },
	  HEAD("gap", 9) LEG ",\"start_ms\":0,\"end_ms\":101"
	  ",\"cause\":\"rtp_loss\",\"spans\":[[0,20],[81,101]]}\n" },
	{ "discontinuity", 10,
	  { .type = EVENT_DISCONTINUITY, ON_LEG,
	    .discontinuity = { 80, "timestamp", 4000 } },
	  HEAD("discontinuity", 10) LEG ",\"at_ms\":10,\"kind\":\"timestamp\""
	  ",\"skipped_ms\":500}\n" },
	{ "discontinuity, less than a millisecond skipped", 10,
	  { .type = EVENT_DISCONTINUITY, ON_LEG,
	    .discontinuity = { 80, "ssrc", 7 } },
	  HEAD("discontinuity", 10) LEG ",\"at_ms\":10,\"kind\":\"ssrc\"}\n" },
	{ "dtmf", 11,
	  { .type = EVENT_DTMF, ON_LEG, .dtmf = { '#', 160, 800 } },
	  HEAD("dtmf", 11) LEG
	  ",\"digit\":\"#\",\"at_ms\":20,\"duration_ms\":100}\n" },
	{ "pause", 12,
	  { .type = EVENT_PAUSE, ON_LEG, .pause = { 16, "operator" } },
	  HEAD("pause", 12) LEG ",\"at_ms\":2,\"reason\":\"operator\"}\n" },
	{ "resume", 13,
	  { .type = EVENT_RESUME, ON_LEG, .pause = { .at = 16 } },
	  HEAD("resume", 13) LEG ",\"at_ms\":2}\n" },
	{ "leg.end", 14,
	  { .type = EVENT_LEG_END, ON_LEG, .leg_end = {
		"bye", 96007, 1500u, 48023, 48001, 15, 7, 800, 160,
		300, 2, 1, 3, 4, 1.23456789, 4.4, 2, 90, 9, 310,
		EVENT_UNKNOWN,
		(struct event_inserted[]){ { 1, 40000, 800 }, { 2, 0, 8 } }, 2,
		true, false } },
	  HEAD("leg.end", 14) LEG ",\"reason\":\"bye\",\"duration_ms\":12000"
	  ",\"offset_ms\":1,\"audio\":{\"samples\":{\"received\":48023"
	  ",\"sent\":48001,\"lost\":15,\"paused\":7},\"received_ms\":6002"
	  ",\"sent_ms\":6001,\"lost_ms\":1,\"paused_ms\":0,\"replayed_ms\":100"
	  ",\"concealed_ms\":20},\"rtp\":{\"packets\":300,\"lost\":2,\"late\":1"
	  ",\"duplicate\":3,\"reordered\":4,\"jitter_ms\":1.23457,\"mos\":4.4}"
	  ",\"asr\":{\"connections\":2,\"partials\":90,\"finals\":9"
	  ",\"first_partial_ms\":310,\"inserted\":[{\"connection\":1"
	  ",\"at_samples\":40000,\"samples\":800},{\"connection\":2"
	  ",\"at_samples\":0,\"samples\":8}]}}\n" },
	{ "leg.end without an asr", 15,
	  { .type = EVENT_LEG_END, ON_LEG, .leg_end = {
		.reason = "end_of_capture", .offset_us = EVENT_UNKNOWN,
		.jitter_ms = -1, .mos = -1, .finals = 3 } },
	  HEAD("leg.end", 15) LEG ",\"reason\":\"end_of_capture\""
	  ",\"duration_ms\":0,\"audio\":{\"samples\":{\"received\":0"
	  ",\"sent\":0,\"lost\":0,\"paused\":0},\"received_ms\":0"
	  ",\"sent_ms\":0,\"lost_ms\":0,\"paused_ms\":0,\"replayed_ms\":0"
	  ",\"concealed_ms\":0},\"rtp\":{\"packets\":0,\"lost\":0,\"late\":0"
	  ",\"duplicate\":0,\"reordered\":0}}\n" },
	{ "call.end", 16,
	  { .type = EVENT_CALL_END, .now_us = T0, .call = "c1",
	    .call_end = { "bye", 12345678u, 2 } },
	  HEAD("call.end", 16) CALL
	  ",\"reason\":\"bye\",\"duration_ms\":12345,\"legs\":2}\n" },
	{ "daemon", 17,
	  { .type = EVENT_DAEMON, .now_us = T0,
	    .daemon = { "asr_down", "main", "auth", "key refused" } },
	  HEAD("daemon.asr_down", 17) ",\"asr\":\"main\",\"reason\":\"auth\""
	  ",\"text\":\"key refused\"}\n" },
};

static void test_each_event_as_it_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = {0};

		buf_puts(&b, "before");
		assert_int_equal(line_print(&b, &rows[i].e, rows[i].seq), 0);
		assert_memory_equal(b.data, "before", 6);
		buf_shift(&b, 6);
		if (strcmp(buf_str(&b), rows[i].want) != 0)
			fail_msg("%s:\n got %swant %s", rows[i].name,
				 buf_str(&b), rows[i].want);
		if (line_durable(&rows[i].e) != (rows[i].seq != 0))
			fail_msg("%s: durable or not?", rows[i].name);
		buf_free(&b);
	}
}

static const struct {
	const char *name, *in, *want;
} texts[] = {
	{ "plain", "abc", "abc" },
	{ "what JSON needs escaped", "a\"\\b", "a\\\"\\\\b" },
	{ "white space is kept", "a\tb\r\nc", "a\\tb\\r\\nc" },
	{ "C0", "a\x1b[31m\x01", "a\xef\xbf\xbd[31m\xef\xbf\xbd" },
	{ "DEL", "\x7f", "\xef\xbf\xbd" },
	{ "C1", "\xc2\x9b!\xc2\xa0", "\xef\xbf\xbd!\xc2\xa0" },
	{ "Latin-1", "caf\xe9 x", "caf\xef\xbf\xbd x" },
	{ "cut off at the end", "\xe0\xa4", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "overlong", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },
	{ "surrogate", "\xed\xa0\x80",
	  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	{ "four bytes", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	{ "beyond Unicode", "\xf5\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
};

static void test_foreign_text_is_made_fit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *exact = strdup(texts[i].in);
		const struct event e = { .type = EVENT_LEG_STATE,
					 .leg_state = { .text = exact } };
		struct buf b = {0}, want = {0};

		assert_int_equal(line_print(&b, &e, 0), 0);
		buf_printf(&want, "{\"v\":1,\"type\":\"leg.state\",\"ts\":"
			   "\"1970-01-01T00:00:00.000000Z\",\"text\":\"%s\"}\n",
			   texts[i].want);
		if (strcmp(buf_str(&b), buf_str(&want)) != 0)
			fail_msg("%s:\n got %swant %s", texts[i].name,
				 buf_str(&b), buf_str(&want));
		buf_free(&b);
		buf_free(&want);
		free(exact);
	}
}

static char *filled(size_t n, char c)
{
	char *s = malloc(n + 1);

	assert_non_null(s);
	memset(s, c, n);
	s[n] = 0;
	return s;
}

static json_t *print_and_load(const struct event *e)
{
	struct buf b = {0};

	assert_int_equal(line_print(&b, e, 1), 0);
	assert_true(b.len <= LINE_MAX_BYTES);
	assert_int_equal(b.data[b.len - 1], '\n');
	assert_null(memchr(b.data, '\n', b.len - 1));
	json_t *o = json_loadb(buf_str(&b), b.len,
			       JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	buf_free(&b);
	return o;
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* The longest of everything at once, every byte of which grows to three. */
static void test_a_line_never_exceeds_its_limit(void **state)
{
	char *text = filled(3 * LINE_TEXT_MAX, '\x01');
	char *name = filled(5000, '\xff');
	enum { WORDS = 4096 };
	struct event_word *words = calloc(WORDS, sizeof(*words));

	(void)state;
	assert_non_null(words);
	for (size_t i = 0; i < WORDS; i++)
		words[i] = (struct event_word){ name, i, i + 1, 0.5 };
	const struct event e = {
		.type = EVENT_SEGMENT, .call = name, .leg = name,
		.segment = { .state = SEGMENT_FINAL, .text = text,
			     .language = name, .words = words,
			     .n_words = WORDS, .asr = name, .vendor = name,
			     .model = name, .session = name,
			     .vendor_segment = name } };
	json_t *o = print_and_load(&e);
	const size_t kept = json_array_size(json_object_get(o, "words"));

	assert_true(kept > 0);
	assert_int_equal(number(o, "words_omitted"), WORDS - kept);
	assert_int_equal(number(o, "text_omitted"), 2 * LINE_TEXT_MAX);
	assert_non_null(json_object_get(o, "asr"));
	json_decref(o);
	free(words);
	free(name);
	free(text);
}

static void test_words_are_left_out_only_when_they_must(void **state)
{
	/* {"text":"wwww...","start_ms":0,"end_ms":0,"confidence":0},: 55 and
	   its 55 letters, so 2,000 words fit and 4,000 do not */
	char *word = filled(55, 'w');
	static const struct { size_t n; bool fits; } ns[] = {
		{ 1, true }, { 2000, true }, { 4000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ns); i++) {
		struct event_word *words = calloc(ns[i].n, sizeof(*words));
		assert_non_null(words);
		for (size_t k = 0; k < ns[i].n; k++)
			words[k].text = word;
		const struct event e = {
			.type = EVENT_SEGMENT,
			.segment = { .state = SEGMENT_FINAL, .text = "t",
				     .words = words, .n_words = ns[i].n } };
		json_t *o = print_and_load(&e);
		const size_t kept =
			json_array_size(json_object_get(o, "words"));
		assert_int_equal(kept + (size_t)number(o, "words_omitted"),
				 ns[i].n);
		assert_int_equal(kept == ns[i].n, ns[i].fits);
		assert_int_equal(!json_object_get(o, "words_omitted"),
				 ns[i].fits);
		json_decref(o);
		free(words);
	}
	free(word);
}

static void test_long_lists_are_left_out_and_counted(void **state)
{
	enum { N = 30000 };
	struct event_span *spans = calloc(N, sizeof(*spans));
	struct event_inserted *ins = calloc(N, sizeof(*ins));
	struct event_id *ids = calloc(N, sizeof(*ids));
	char (*names)[8] = calloc(N, sizeof(*names));

	(void)state;
	assert_true(spans && ins && ids && names);
	for (size_t i = 0; i < N; i++) {
		spans[i] = (struct event_span){ i * 800, i * 800 + 400 };
		ins[i] = (struct event_inserted){ 1, i * 800, 8 };
		snprintf(names[i], sizeof(names[i]), "n%zu", i);
		ids[i] = (struct event_id){ names[i], "value" };
	}
	const struct {
		const char *list, *within, *count;
		struct event e;
	} cases[] = {
		{ "spans", NULL, "spans_omitted", { .type = EVENT_GAP,
		  .gap = { .spans = spans, .n_spans = N } } },
		{ "inserted", "asr", "inserted_omitted",
		  { .type = EVENT_LEG_END,
		    .leg_end = { .inserted = ins, .n_inserted = N,
				 .asr = true } } },
		{ "ids", NULL, "ids_omitted", { .type = EVENT_CALL_START,
		  .call_start = { .ids = ids, .n_ids = N } } },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *o = print_and_load(&cases[i].e);
		const json_t *in = cases[i].within
			? json_object_get(o, cases[i].within) : o;
		const json_t *l = json_object_get(in, cases[i].list);
		const size_t kept = json_is_array(l) ? json_array_size(l)
						     : json_object_size(l);

		if (kept < 1000 ||
		    kept + (size_t)number(in, cases[i].count) != N)
			fail_msg("%s: %zu kept, %d omitted", cases[i].list,
				 kept, (int)number(in, cases[i].count));
		json_decref(o);
	}
	free(names);
	free(ids);
	free(ins);
	free(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_event_as_it_is_written),
		cmocka_unit_test(test_foreign_text_is_made_fit),
		cmocka_unit_test(test_a_line_never_exceeds_its_limit),
		cmocka_unit_test(test_words_are_left_out_only_when_they_must),
		cmocka_unit_test(test_long_lists_are_left_out_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
