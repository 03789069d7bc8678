/** @file test_registry.c  codecs/registry.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"

/* RFC 3551 tables 4 and 5 */
static const struct {
	int pt;
	const char *name;
} by_pt[] = {
	{ 0, "PCMU" }, { 8, "PCMA" }, { -1, NULL },  { 1, NULL },
	{ 9, NULL },   { 10, NULL },  { 11, NULL },  { 13, NULL },
	{ 96, NULL },  { 127, NULL }, { 128, NULL }, { 256, NULL },
	{ -2, NULL },  { 1 << 30, NULL },
};

static const struct {
	const char *asked, *name;
} by_name[] = {
	{ "PCMU", "PCMU" }, { "pcmu", "PCMU" }, { "PcMu", "PCMU" },
	{ "PCMA", "PCMA" }, { "pcma", "PCMA" }, { "L16", "L16" },
	{ "l16", "L16" },   { "", NULL },       { "PCM", NULL },
	{ "PCMUU", NULL },  { "PCMU ", NULL },  { "L24", NULL },
	{ "opus", NULL },   { "CN", NULL },     { "telephone-event", NULL },
};

static void test_by_payload_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(by_pt); i++) {
		const struct codec *c = codec_by_pt(by_pt[i].pt);
		const char *want = by_pt[i].name;

		if (!c != !want || (c && strcmp(c->name, want) != 0))
			fail_msg("%d: %s", by_pt[i].pt, c ? c->name : "none");
	}
}

static void test_by_name_in_any_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(by_name); i++) {
		const struct codec *c = codec_by_name(by_name[i].asked);
		const char *want = by_name[i].name;

		if (!c != !want || (c && strcmp(c->name, want) != 0))
			fail_msg("\"%s\": %s", by_name[i].asked,
				 c ? c->name : "none");
	}
}

static void test_what_they_say_of_themselves(void **state)
{
	static const struct {
		const char *name;
		int pt;
		size_t sample_bytes;
	} rows[] = { { "PCMU", 0, 1 }, { "PCMA", 8, 1 }, { "L16", -1, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct codec *c = codec_by_name(rows[i].name);

		assert_non_null(c);
		assert_int_equal(c->pt, rows[i].pt);
		assert_int_equal(c->sample_bytes, rows[i].sample_bytes);
		assert_int_equal(c->clock_hz, 8000);
		assert_int_equal(c->rate_hz, 8000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_payload_type),
		cmocka_unit_test(test_by_name_in_any_case),
		cmocka_unit_test(test_what_they_say_of_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
