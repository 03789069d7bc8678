/**
 * @file test_report.c  Receiver reports, byte by byte
 *
 * Expected values were worked out by hand from RFC 3550 section 6.4.2 and
 * appendices A.3 and A.8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/media/report.h"

static void packet(struct report *r, uint32_t ssrc, unsigned seq, uint32_t ts,
		   uint64_t at_us)
{
	const struct rtp h = { .ssrc = ssrc, .seq = (uint16_t)seq, .ts = ts };

	report_packet(r, &h, at_us);
}

static void test_nothing_came(void **state)
{
	static const uint8_t want[] = {
		0x80, 201, 0, 1, 1, 2, 3, 4,
		0x81, 202, 0, 3, 1, 2, 3, 4, 1, 4, 'n', 'a', 'm', 'e', 0, 0,
	};
	struct report r = {0};
	uint8_t out[REPORT_MAX];

	(void)state;
	assert_int_equal(report_print(out, &r, 0x01020304, "name", 0),
			 sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(rtcp_check(out, sizeof(want)), 2);
}

static void test_loss_jitter_and_the_senders_time(void **state)
{
	static const uint8_t first[] = {
		0x81, 201, 0, 7, 1, 2, 3, 4,
		0, 0, 0, 9,            /* source */
		64, 0, 0, 2,           /* 2 of 8 lost: 64/256 */
		0, 1, 0, 5,            /* 65534 + 7: once around */
		0, 0, 0, 10,           /* 160 ticks late once: 160/16 */
		0x22, 0x22, 0x33, 0x33,/* middle of the NTP time */
		0, 1, 0x80, 0,         /* 1.5 s since */
		0x81, 202, 0, 2, 1, 2, 3, 4, 1, 1, 'x', 0,
	};
	static const uint8_t then[] = {
		255, 0, 0, 5,          /* 3 of 3: as much as there is room */
	};
	const struct rtcp_sender s = { .ntp = 0x1111222233334444 };
	struct report r = {0};
	uint8_t out[REPORT_MAX];

	(void)state;
	packet(&r, 9, 65534, 0, 0);
	packet(&r, 9, 65535, 160, 20000);
	report_sender(&r, 9, &s, 500000);
	report_sender(&r, 8, &(struct rtcp_sender){ .ntp = 1 }, 600000);
	packet(&r, 9, 0, 320, 40000);
	packet(&r, 9, 3, 800, 100000);
	packet(&r, 9, 4, 960, 120000);
	packet(&r, 9, 5, 1120, 160000);
	assert_int_equal(report_print(out, &r, 0x01020304, "x", 2000000),
			 sizeof(first));
	assert_memory_equal(out, first, sizeof(first));

	/* 6, 7, 8 are lost, but 8 counts as the highest: it came twice ago */
	r.max_seq = 8;
	report_print(out, &r, 0x01020304, "x", 2000000);
	assert_memory_equal(out + 12, then, sizeof(then));
}

static void test_jumps_and_new_sources_begin_anew(void **state)
{
	struct report r = {0};

	(void)state;
	packet(&r, 9, 100, 0, 0);
	packet(&r, 9, 101, 160, 20000);
	packet(&r, 9, 40000, 0, 40000);
	assert_int_equal(r.received, 2); /* one alone is not believed */
	packet(&r, 9, 102, 320, 60000);
	assert_int_equal(r.max_seq, 102);
	packet(&r, 9, 40000, 0, 80000);
	packet(&r, 9, 40001, 160, 100000);
	assert_int_equal(r.base_seq, 40001);
	assert_int_equal(r.received, 1);
	packet(&r, 9, 40000, 160, 120000); /* a little late */
	assert_int_equal(r.max_seq, 40001);
	assert_int_equal(r.received, 2);
	packet(&r, 10, 7, 0, 140000);
	assert_int_equal(r.ssrc, 10);
	assert_int_equal(r.received, 1);
}

static void test_the_longest_name_fits(void **state)
{
	struct report r = {0};
	uint8_t out[REPORT_MAX];
	const char *name = "0123456789012345678901234567890123456789";

	(void)state;
	for (size_t cut = 0; cut <= 40; cut++) {
		packet(&r, 9, 1, 0, 0);
		const size_t n = report_print(out, &r, 1, name + cut, 0);
		assert_true(n <= REPORT_MAX);
		assert_int_equal(rtcp_check(out, n), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_came),
		cmocka_unit_test(test_loss_jitter_and_the_senders_time),
		cmocka_unit_test(test_jumps_and_new_sources_begin_anew),
		cmocka_unit_test(test_the_longest_name_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
