/**
 * @file test_stream_leg.c  daemon/ingress/stream_leg.c and leg_samples()
 *
 * A script is steps "WORD N": say N (pieces of 20 ms as they are spoken), burst
 * N (the same at once), big N (N ms in one piece, when they have been spoken),
 * wait MS.  The samples count from 1, so that what comes out can be named:
 * "FIRST-LAST" of audio, "(N)" samples of silence, "WORD@MS" for what was told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/ingress/stream_leg.h"

enum { PIECE = 160 };
#define BASE_US (1700000000ull * 1000000)

static struct {
	struct timers *timers;
	struct calls *calls;
	struct call *call;
	struct stream_leg *leg;
	uint16_t next;            /* the next sample's value */
	unsigned stride;
	unsigned first, last, silent; /* not yet printed */
	struct buf out;
	uint64_t duration, received;
	unsigned media;
	bool has_rtp, ended;
} t;

static unsigned now_ms(void)
{
	return (unsigned)((timers_now_us(t.timers) - BASE_US) / 1000);
}

static void flush(void)
{
	if (t.first)
		buf_printf(&t.out, "%u-%u ", t.first, t.last);
	if (t.silent)
		buf_printf(&t.out, "(%u) ", t.silent);
	t.first = t.silent = 0;
}

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	switch (e->type) {
	case EVENT_LEG_STATE:
		flush();
		buf_printf(&t.out, "%s@%u ", e->leg_state.reason, now_ms());
		break;
	case EVENT_DISCONTINUITY:
		flush();
		buf_puts(&t.out, "break ");
		break;
	case EVENT_DTMF:
		flush();
		buf_printf(&t.out, "%c@%u ", e->dtmf.digit,
			   (unsigned)e->dtmf.at / 8);
		break;
	case EVENT_LEG_MEDIA:
		t.media++;
		t.has_rtp = e->leg_media.rtp.known ||
			    e->leg_media.rtp.payload_type >= 0;
		break;
	case EVENT_LEG_END:
		flush();
		t.ended = true;
		t.duration = e->leg_end.duration;
		t.received = e->leg_end.received;
		assert_true(e->leg_end.stream);
		break;
	default:
		break;
	}
}

static void *on_audio_open(const char *leg, void *arg)
{
	(void)leg;
	(void)arg;
	return &t;
}

static void on_samples(void *handle, const int16_t *pcm, uint64_t n)
{
	(void)handle;
	for (uint64_t i = 0; i < n; i++) {
		const unsigned v = pcm ? (uint16_t)pcm[i] : 0;

		if (v ? t.silent || (t.first && v != t.last + 1) : t.first > 0)
			flush();
		if (!v)
			t.silent++;
		else if (!t.first)
			t.first = v;
		t.last = v;
	}
}

static void on_audio_close(void *handle)
{
	(void)handle;
}

static struct service *choose(const struct leg_facts *f, void *chooser)
{
	(void)f;
	(void)chooser;
	return NULL;
}

static void pass_ms(unsigned ms)
{
	timers_run(t.timers, timers_now_us(t.timers) + ms * 1000ull);
}

/* In an exact block; of two interleaved, the other is not looked at. */
static void put(unsigned n)
{
	const size_t len = (size_t)(n - 1) * t.stride + 2;
	uint8_t *le = malloc(len);

	memset(le, 0xee, len);
	for (unsigned i = 0; i < n; i++, t.next++) {
		le[i * t.stride] = (uint8_t)t.next;
		le[i * t.stride + 1] = (uint8_t)(t.next >> 8);
	}
	stream_leg_samples(t.leg, le, n, t.stride, timers_now_us(t.timers));
	free(le);
}

static void play(const char *script)
{
	char word[16], *end;

	for (; *script; script = end) {
		const size_t len = strcspn(script, " ");

		assert_true(len < sizeof(word));
		memcpy(word, script, len);
		word[len] = 0;
		const unsigned n = (unsigned)strtoul(script + len, &end, 10);

		end += strspn(end, " ");
		if (!strcmp(word, "wait")) {
			pass_ms(n);
		} else if (!strcmp(word, "big")) {
			pass_ms(n);
			put(8 * n);
		} else if (!strcmp(word, "digit")) {
			stream_leg_digit(t.leg, (char)n);
		} else {
			for (unsigned i = 0; i < n; i++) {
				pass_ms(!strcmp(word, "say") ? 20 : 0);
				put(PIECE);
			}
		}
	}
}

static void open_leg(unsigned stride)
{
	const struct calls_config cc = {
		.events = { on_event, NULL }, .choose = choose, .dtmf = true,
		.audio = { on_audio_open, on_samples, on_audio_close, NULL },
	};
	struct calls_config with = cc;

	memset(&t, 0, sizeof(t));
	t.next = 1;
	t.stride = stride;
	assert_int_equal(timers_new(&t.timers), 0);
	timers_run(t.timers, BASE_US);
	with.timers = t.timers;
	assert_int_equal(calls_new(&t.calls, &with), 0);
	assert_int_equal(call_open(&t.call, t.calls, &(struct call_info){
		.id = "c", .source = "audiosocket" }), 0);
	assert_int_equal(stream_leg_open(&t.leg, &(struct stream_leg_config){
		.timers = t.timers, .call = t.call }), 0);
}

static void close_leg(void)
{
	stream_leg_close(t.leg, "hangup");
	call_end(t.call, "hangup");
	assert_true(t.ended);
	assert_int_equal(calls_count(t.calls), 0);
	calls_free(t.calls);
	timers_free(t.timers);
}

static const struct {
	const char *name, *script, *want;
	unsigned duration_ms;
} rows[] = {
	{ "nothing", "wait 1", "", 0 },
	{ "as it is spoken", "say 50", "1-8000 ", 1000 },
	{ "all at once", "burst 50", "1-8000 ", 1000 },
	{ "in one large piece", "big 3000", "1-24000 ", 3000 },
	{ "a hole", "say 10 wait 400 say 20", "1-1600 (3200) 1601-4800 ",
	  1000 },
	{ "a stall", "say 10 wait 400 burst 20 say 10", "1-6400 ", 800 },
	{ "a stall of which some is missing",
	  "say 10 wait 3000 burst 25 say 50", "1-1600 (20000) 1601-13600 ",
	  4200 },
	{ "a hole before a large piece", "big 2000 wait 2500 big 2000",
	  "1-16000 (20000) 16001-32000 ", 6500 },
	{ "a hole at the end", "say 10 wait 400 say 2",
	  "1-1600 (3200) 1601-1920 ", 640 },
	{ "a long hold", "say 10 wait 600000 say 10",
	  "1-1600 no_audio@5200 audio@600220 (4800000) 1601-3200 ", 600400 },
	{ "silent from the beginning", "wait 6000 say 2",
	  "no_audio@5000 audio@6020 1-320 ", 40 },
	{ "digits", "say 5 digit 55 say 5 digit 35 digit 33",
	  "1-800 7@100 801-1600 #@200 ", 200 },
};

static void test_the_timeline_is_true(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const size_t k = i / 2;

		open_leg(i % 2 ? 4 : 2);
		play(rows[k].script);
		close_leg();
		if (strcmp(buf_str(&t.out), rows[k].want) != 0 ||
		    t.duration / 8 != rows[k].duration_ms)
			fail_msg("%s: %s, %u ms", rows[k].name,
				 buf_str(&t.out), (unsigned)t.duration / 8);
		assert_int_equal(t.received, t.next - 1);
		assert_int_equal(t.media, t.received > 0);
		assert_false(t.has_rtp);
		buf_free(&t.out);
	}
}

static void test_a_flood_is_not_held(void **state)
{
	(void)state;
	open_leg(2);
	play("say 1 wait 60000 burst 600"); /* 12 s: more than may wait */
	assert_true(t.first == 161 || t.out.len);
	close_leg();
	assert_int_equal(t.received, 601 * PIECE);
	buf_free(&t.out);
}

static void test_the_call_may_end_first(void **state)
{
	(void)state;
	open_leg(2);
	play("say 10 wait 400 say 1");
	call_end(t.call, "hangup");
	stream_leg_close(t.leg, NULL);
	assert_true(t.ended);
	pass_ms(10000);
	calls_free(t.calls);
	timers_free(t.timers);
	buf_free(&t.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_timeline_is_true),
		cmocka_unit_test(test_a_flood_is_not_held),
		cmocka_unit_test(test_the_call_may_end_first),
	};

	return cmocka_run_group_tests_name("stream_leg", tests, NULL, NULL);
}
