/** @file test_quality.c  daemon/media/quality.c */
#include "daemon/media/quality.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* By ITU-T G.107 Annex B from R = 93.2 - Ie,eff, calculated apart. */
static void test_mos(void **state)
{
	static const struct { uint64_t lost, expected; double mos; } rows[] = {
		{ 0, 0, 4.40929 }, { 0, 100, 4.40929 }, { 1, 100, 4.32808 },
		{ 5, 100, 3.92284 }, { 20, 100, 2.63132 },
		{ 50, 100, 1.60698 }, { 100, 100, 1.17686 },
		{ 10000, 100, 1.0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const double mos = mos_of_loss(rows[i].lost, rows[i].expected);

		if (fabs(mos - rows[i].mos) > 0.00001)
			fail_msg("%d of %d: %f, not %f", (int)rows[i].lost,
				 (int)rows[i].expected, mos, rows[i].mos);
	}
}

/* By hand: J += (|D| - J) / 16 (RFC 3550 A.8), D in milliseconds. */
static void test_jitter(void **state)
{
	static const struct {
		const char *name;
		uint32_t ssrc, ts;
		uint64_t at_us;
		double us;
	} rows[] = {
		{ "first",           1, 4294967136, 1000000, 0 },
		{ "on time",         1,          0, 1020000, 0 },
		{ "16 ms late",      1,        160, 1056000, 1000 },
		{ "on time again",   1,        320, 1060000, 1937.5 },
		{ "on time",         1,        480, 1080000, 1816.40625 },
		{ "other SSRC",      2,          0, 1500000, 1816.40625 },
		{ "clock set",       2,    9000000, 1520000, 1816.40625 },
		{ "16 ms late",      2,    9000160, 1556000, 2702.880859375 },
	};
	struct jitter j = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		jitter_feed(&j, rows[i].ssrc, rows[i].ts, rows[i].at_us);
		if (fabs(j.us - rows[i].us) > 1e-6)
			fail_msg("%s: %f, not %f", rows[i].name, j.us,
				 rows[i].us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mos),
		cmocka_unit_test(test_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
