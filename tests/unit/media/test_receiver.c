/** @file test_receiver.c  daemon/media/receiver.c: order, loss, jumps
 *
 * Scripts as in script.h.
 */
#include "daemon/media/receiver.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/media/script.h"

static const struct script_row rows[] = {
	/* reorder */
	{ "in order, begun at the deadline",
	  "7@0 8@20 9@40 =60 10@60",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4" },
	{ "one alone, flushed",
	  "7@0 !",
	  "7:0+160",
	  "packets 1" },
	{ "swapped at the beginning",
	  "8@0 7@1 9@20 =60",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3 reordered 1" },
	{ "swapped later",
	  "7@0 =60 9@60 8@61 10@80",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4 reordered 1" },
	{ "three turned round",
	  "7@0 =60 10@60 9@61 8@62",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4 reordered 2" },
	{ "lost",
	  "7@0 =60 9@60 10@80 =119 =120 11@121",
	  "7:0+160 l160+160 9:320+160 10:480+160 11:640+160",
	  "packets 4 lost 1" },
	{ "lost, nobody looked in time",
	  "7@0 =60 9@60 8@120",
	  "7:0+160 late l160+160 9:320+160",
	  "packets 3 late 1" },
	{ "two lost",
	  "7@0 =60 10@80 =140",
	  "7:0+160 l160+320 10:480+160",
	  "packets 2 lost 2" },
	{ "each hole has its own wait",
	  "7@0 =60 9@60 11@80 =120 =139 10@139 =140",
	  "7:0+160 l160+160 9:320+160 10:480+160 11:640+160",
	  "packets 4 lost 1 reordered 1" },
	{ "two holes, both lost",
	  "7@0 =60 9@60 11@80 =120 =140",
	  "7:0+160 l160+160 9:320+160 l480+160 11:640+160",
	  "packets 3 lost 2" },
	{ "late",
	  "7@0 =60 9@60 =120 8@121 10@122",
	  "7:0+160 l160+160 9:320+160 late 10:480+160",
	  "packets 4 late 1" },
	{ "late, twice",
	  "7@0 =60 9@60 =120 8@121 8@122",
	  "7:0+160 l160+160 9:320+160 late dup",
	  "packets 4 late 1 duplicate 1" },
	{ "before the first",
	  "7@0 =60 6@61 8@62",
	  "7:0+160 late 8:160+160",
	  "packets 3 late 1" },
	{ "twice, gone",
	  "7@0 =60 7@61 8@80",
	  "7:0+160 dup 8:160+160",
	  "packets 3 duplicate 1" },
	{ "twice, held",
	  "7@0 =60 9@60 9@61 8@62",
	  "7:0+160 dup 8:160+160 9:320+160",
	  "packets 4 duplicate 1 reordered 1" },
	{ "twice, first of all",
	  "7@0 7@1 =60",
	  "dup 7:0+160",
	  "packets 2 duplicate 1" },
	{ "flush ends the wait",
	  "7@0 =60 9@60 !",
	  "7:0+160 l160+160 9:320+160",
	  "packets 2 lost 1" },
	{ "goes on after flush",
	  "7@0 ! 8@20",
	  "7:0+160 8:160+160",
	  "packets 2" },
	{ "arrival goes back",
	  "7@0 =60 8@80 9@70",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3" },

	/* wraps */
	{ "sequence wraps",
	  "65534@0 65535@20 0t10485760@40 1t10485920@60",
	  "254:0+160 255:160+160 0:320+160 1:480+160",
	  "packets 4" },
	{ "swapped over the wrap",
	  "65535@0 =60 1t10485920@80 0t10485760@81",
	  "255:0+160 0:160+160 1:320+160",
	  "packets 3 reordered 1" },
	{ "swapped over the wrap at the beginning",
	  "0t10485760@0 65535@1 =60",
	  "255:0+160 0:160+160",
	  "packets 2 reordered 1" },
	{ "gap over the wrap",
	  "65534@0 =60 1t10485920@80 =140",
	  "254:0+160 l160+320 1:480+160",
	  "packets 2 lost 2" },
	{ "timestamp wraps",
	  "7t4294967200@0 =60 8t64@80 9t224@100",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3" },
	{ "hole over the timestamp's wrap",
	  "7t4294967200@0 =60 8t224@100",
	  "7:0+160 s160+160 8:320+160",
	  "packets 2" },

	/* jumps of the sequence */
	{ "one stray",
	  "7@0 =60 30000@80 8@100",
	  "7:0+160 8:160+160",
	  "packets 3 late 1" },
	{ "one stray at the beginning",
	  "7@0 30000@10 8@20 =60",
	  "7:0+160 8:160+160",
	  "packets 3 late 1" },
	{ "two strays apart",
	  "7@0 =60 30000@80 8@81 30001@82 9@100",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 5 late 2" },
	{ "a stray, twice",
	  "7@0 =60 30000@80 30000@81 8@100",
	  "7:0+160 dup 8:160+160",
	  "packets 4 late 1 duplicate 1" },
	{ "strays that do not follow",
	  "7@0 =60 30000@80 20000@81 8@100",
	  "7:0+160 8:160+160",
	  "packets 4 late 2" },
	{ "sender restarts, clock goes on",
	  "7@0 =60 30000t1280@80 30001t1440@100 30002t1600@120",
	  "7:0+160 48:160+160 49:320+160 50:480+160",
	  "packets 4" },
	{ "sender restarts, clock too",
	  "7@0 =60 30000t5@80 30001t165@100",
	  "7:0+160 ts@160 48:160+160 49:320+160",
	  "packets 3" },
	{ "a late one between the two",
	  "7@0 =60 9@70 =130 30000t1600@140 8@141 30001t1760@142",
	  "7:0+160 l160+160 9:320+160 late 48:480+160 49:640+160",
	  "packets 5 late 1" },
	{ "restart loses nothing held",
	  "7@0 =60 9@70 30000t1600@80 30001t1760@81",
	  "7:0+160 l160+160 9:320+160 48:480+160 49:640+160",
	  "packets 4 lost 1" },
	{ "a jump that is loss",
	  "7@0 =60 4008@80080 4009@80100",
	  "7:0+160 l160+640000 168:640160+160 169:640320+160",
	  "packets 3 lost 4000" },
	{ "two jumps that are loss",
	  "7@0 =60 4008@80080 4009@80100 8010t1281600@160120 8011t1281760@160140",
	  "7:0+160 l160+640000 168:640160+160 169:640320+160 l640480+640000 "
	  "74:1280480+160 75:1280640+160",
	  "packets 5 lost 8000" },
	{ "a jump that is a pause",
	  "7@0 =60 30000t161280@20060 30001t161440@20080",
	  "7:0+160 s160+160000 48:160160+160 49:160320+160",
	  "packets 3" },
	{ "a jump over a short pause",
	  "7@0 =60 9000t9120@1000 9001t9280@1020",
	  "7:0+160 s160+7840 40:8000+160 41:8160+160",
	  "packets 3" },
	{ "2,999 lost",
	  "7@0 =60 3007@60000 =60060",
	  "7:0+160 l160+479840 191:480000+160",
	  "packets 2 lost 2999" },
	{ "3,000 ahead is a jump",
	  "7@0 =60 3008@60020 =60080 3009@60090",
	  "7:0+160 l160+480000 192:480160+160 193:480320+160",
	  "packets 3 lost 3000" },
	{ "100 behind is late",
	  "300@0 301@20 =60 202@80 203@81 302@100",
	  "44:0+160 45:160+160 late late 46:320+160",
	  "packets 5 late 2" },
	{ "101 behind is a jump",
	  "300@0 301@20 =60 201@80 202@81 203@100",
	  "44:0+160 45:160+160 ts@320 201:320+160 202:480+160 203:640+160",
	  "packets 5" },
};

static void test_rows(void **state)
{
	(void)state;
	assert_int_equal(0, script_rows(rows, ARRAY_LEN(rows)));
}

static void test_deadline(void **state)
{
	struct script s;

	(void)state;
	assert_int_equal(0, script_open(&s));
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "7@1");
	assert_int_equal(61000, receiver_deadline_us(s.receiver));
	script_play(&s, "8@20");
	assert_int_equal(61000, receiver_deadline_us(s.receiver));
	script_play(&s, "=61");
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "11@80 10@90");
	assert_int_equal(140000, receiver_deadline_us(s.receiver));
	script_play(&s, "=140");
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "13@150 15@160 =210");
	assert_int_equal(220000, receiver_deadline_us(s.receiver));
	assert_null(s.broken);
	script_close(&s);
}

/* What was given up is not taken for what came 128 numbers before. */
static void test_late_in_a_long_stream(void **state)
{
	struct script s;
	struct receiver_stats st;
	char word[32];

	(void)state;
	assert_int_equal(0, script_open(&s));
	for (unsigned seq = 1; seq <= 300; seq++) {
		snprintf(word, sizeof(word), "%u@%u", seq, seq * 20);
		script_play(&s, word);
	}
	script_play(&s, "304@6080 =6140 301@6141 303@6142 302@6143 303@6144");
	receiver_stats(s.receiver, &st);
	assert_int_equal(0, st.lost);
	assert_int_equal(3, st.late);
	assert_int_equal(1, st.duplicate);
	assert_null(s.broken);
	script_close(&s);
}

/* A burst behind a hole: it is given up when the window's slots are used up,
 * and nothing of the burst is lost. */
static void test_burst(void **state)
{
	struct script s;
	struct receiver_stats st;
	char word[32];

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@0 =60");
	for (unsigned seq = 9; seq < 200; seq++) {
		snprintf(word, sizeof(word), "%u@61", seq);
		script_play(&s, word);
	}
	receiver_stats(s.receiver, &st);
	assert_int_equal(1, st.lost);
	assert_int_equal(192 * 160, st.samples);
	assert_int_equal(193 * 160, receiver_position(s.receiver));
	assert_null(s.broken);
	script_close(&s);
}

static struct rtp plain(uint16_t seq, uint8_t pt, uint8_t *bytes)
{
	memset(bytes, seq & 255, 160);
	return (struct rtp){ .ssrc = 1, .seq = seq, .ts = seq * 160u, .pt = pt,
			     .payload = bytes, .len = 160, .wire_len = 160 };
}

/* Nobody takes what is ready, and each datagram goes away when the next one
 * has been put. */
static void test_kept(void **state)
{
	uint8_t bytes[2][160];
	struct script s;
	struct media_item it;

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@0 =60");
	s.now_us = 80000;
	for (uint16_t seq = 8; seq <= 12; seq++) {
		const struct rtp h = plain(seq, seq == 8 ? 8 : 0,
					   bytes[seq & 1]);

		assert_int_equal(0, receiver_put(s.receiver, &h, s.now_us));
		if (seq == 8) {          /* one of its two items */
			assert_int_equal(1, receiver_next(s.receiver, &it,
							  s.now_us));
			script_item(&s, &it);
		}
		memset(bytes[~seq & 1], 0, sizeof(bytes[0]));
	}
	script_look(&s);
	assert_string_equal("7:0+160 codec@160 8:160+160 9:320+160 10:480+160 "
			    "11:640+160 12:800+160", s.out);
	assert_null(s.broken);
	script_close(&s);
}

/* Jitter and MOS are of this stream: audio only, each packet once.  By hand:
 * 8 comes 16 ms late, 9 in time, J = 1.9375; then it fades by 15/16. */
static void test_quality_of_stream(void **state)
{
	struct receiver_stats st;
	struct script s;

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@60 8@96 8@99 9@100 10e1t1@111 11p13n1t7@112");
	receiver_stats(s.receiver, &st);
	assert_true(st.jitter_ms > 1.9374 && st.jitter_ms < 1.9376);
	assert_true(st.mos > 4.409 && st.mos < 4.41);
	/* of 20 expected 1 came late, 5 %: as in test_quality.c */
	script_play(&s, "12t1760@160 13@180 14@200 15@220 16@240 17@260 "
		    "18@280 19@300 20@320 21@340 22@360 23@380 24@400 "
		    "26@440 !");
	receiver_stats(s.receiver, &st);
	assert_int_equal(1, st.lost);
	assert_true(st.mos > 3.9228 && st.mos < 3.9229);
	script_play(&s, "25@441");
	receiver_stats(s.receiver, &st);
	assert_int_equal(0, st.lost);
	assert_int_equal(1, st.late);
	assert_true(st.mos > 3.9228 && st.mos < 3.9229);
	script_close(&s);
}

static void test_config(void **state)
{
	struct receiver_config cfg;
	struct receiver *r = NULL;

	(void)state;
	receiver_config_default(&cfg);
	assert_int_equal(60000, cfg.window_us);
	assert_int_equal(PAYLOAD_PCMU, cfg.kind[0]);
	assert_int_equal(PAYLOAD_PCMA, cfg.kind[8]);
	assert_int_equal(PAYLOAD_UNKNOWN, cfg.kind[101]);
	cfg.window_us = 1000000;
	assert_int_equal(0, receiver_new(&r, &cfg));
	receiver_free(r);
	r = NULL;
	cfg.window_us = 1000001;
	assert_int_equal(-EINVAL, receiver_new(&r, &cfg));
	assert_null(r);
	receiver_free(NULL);
}

/* A new description of the types holds from the next packet on. */
static void test_set_kinds(void **state)
{
	uint8_t kind[128] = { [0] = PAYLOAD_PCMU, [99] = PAYLOAD_PCMA };
	struct script s;

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@0 =60 8p99@80");
	receiver_set_kinds(s.receiver, kind);
	script_play(&s, "9p99@100 10p8@120");
	assert_string_equal("7:0+160 unknown s160+160 codec@320 9:320+160 "
			    "unknown", s.out);
	assert_null(s.broken);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_late_in_a_long_stream),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_quality_of_stream),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_set_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
