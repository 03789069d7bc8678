/** @file test_timeline.c  daemon/media/timeline.c
 *
 * The rules in full are test_receiver.c's; here what only shows without the
 * window before it.
 */
#include "daemon/media/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const uint8_t bytes[480];

static struct reorder_packet packet(uint32_t ts, uint64_t at_us)
{
	return (struct reorder_packet){
		.h = { .ts = ts, .payload = bytes, .len = 160,
		       .wire_len = 160 },
		.kind = PAYLOAD_PCMU, .at_us = at_us,
	};
}

static unsigned put(struct timeline *t, const struct reorder_packet *p,
		    struct media_item *out)
{
	timeline_follow(t, p);
	return timeline_put(t, p, out);
}

/* Everything at once: the most items that one packet can become. */
static void test_most(void **state)
{
	static const struct {
		enum media_kind kind;
		uint64_t pos, len;
	} want[] = {
		{ MEDIA_LOSS, 160, 320 }, { MEDIA_SILENCE, 480, 7520 },
		{ MEDIA_DISCONTINUITY, 8000, 0 },
		{ MEDIA_DISCONTINUITY, 8000, 0 },
		{ MEDIA_AUDIO, 8000, 60 }, { MEDIA_LOSS, 8060, 100 },
	};
	struct media_item it[TIMELINE_ITEMS_MAX];
	struct reorder_packet p = packet(1000, 0);
	struct timeline t;

	(void)state;
	timeline_init(&t, 60000);
	p.joint = REORDER_SSRC;
	assert_int_equal(1, put(&t, &p, it));

	p = packet(5, 1000000);          /* backward, by the other codec, */
	p.missing = 2;                   /* two lost, cut off */
	p.kind  = PAYLOAD_PCMA;
	p.h.len = 60;
	assert_int_equal(ARRAY_LEN(want), put(&t, &p, it));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(want[i].kind, it[i].kind);
		assert_int_equal(want[i].pos, it[i].pos);
		assert_int_equal(want[i].len, it[i].len);
		assert_int_equal(1000000, it[i].at_us);
	}
	assert_int_equal(BREAK_TIMESTAMP, it[2].what);
	assert_int_equal(BREAK_CODEC, it[3].what);
	assert_int_equal(PAYLOAD_PCMA, it[4].payload);
	assert_ptr_equal(bytes, it[4].data);
	assert_int_equal(60, it[4].bytes);
	assert_int_equal(220, t.samples);
	assert_int_equal(8160, t.pos);
}

/* A hole is one item, however long. */
static void test_hole_is_a_length(void **state)
{
	struct media_item it[TIMELINE_ITEMS_MAX];
	struct reorder_packet p = packet(0, 0);
	struct timeline t;

	(void)state;
	timeline_init(&t, 60000);
	(void)put(&t, &p, it);
	p = packet(UINT32_MAX / 2, UINT32_MAX / 2 * 125ull);
	assert_int_equal(2, put(&t, &p, it));
	assert_int_equal(MEDIA_SILENCE, it[0].kind);
	assert_int_equal(UINT32_MAX / 2 - 160, it[0].len);

	/* 50 years of arrival */
	p = packet(0, 50 * 365 * 86400 * 1000000ull);
	assert_int_equal(3, put(&t, &p, it));
	assert_int_equal(MEDIA_SILENCE, it[0].kind);
	assert_int_equal(it[0].pos + it[0].len, it[1].pos);
}

/* Audio that came before says nothing for holes that come now. */
static void test_lies_after_audio(void **state)
{
	struct media_item it[TIMELINE_ITEMS_MAX];
	struct reorder_packet p = packet(0, 0);
	struct timeline t;
	uint32_t ts = 0;
	unsigned believed = 0;

	(void)state;
	timeline_init(&t, 60000);
	for (uint32_t i = 0; i < 1000; i++, ts += 160) {
		p = packet(ts, i * 20000);
		assert_int_equal(1, put(&t, &p, it));
	}
	for (unsigned i = 0; i < 20; i++) {
		ts += 7900;
		p = packet(ts, 20000000 + i);
		(void)put(&t, &p, it);
		believed += it[0].kind == MEDIA_SILENCE;
	}
	assert_int_equal(5, believed);
}

static void test_locate(void **state)
{
	static const struct {
		const char *name;
		uint32_t ts;
		uint64_t at_us;
		uint64_t pos;
	} rows[] = {
		{ "at the end", 1160, 20000, 160 },
		{ "within the last packet", 1080, 20000, 80 },
		{ "ahead", 2000, 120000, 1000 },
		{ "before the beginning", 900, 20000, 0 },
		{ "nonsense", 3000000000, 20000, 160 },
		{ "nonsense, a second later", 3000000000, 1020000, 8160 },
	};
	struct media_item it[TIMELINE_ITEMS_MAX];
	struct reorder_packet p = packet(1000, 0);
	struct timeline t;

	(void)state;
	timeline_init(&t, 60000);
	assert_int_equal(0, timeline_locate(&t, 77, 0));
	(void)put(&t, &p, it);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint64_t pos = timeline_locate(&t, rows[i].ts,
						     rows[i].at_us);

		if (pos != rows[i].pos)
			fail_msg("%s: %u", rows[i].name, (unsigned)pos);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_hole_is_a_length),
		cmocka_unit_test(test_lies_after_audio),
		cmocka_unit_test(test_locate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
