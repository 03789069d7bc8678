/** @file test_source.c  daemon/media/source.c
 *
 * In: "a7@20" SSRC a, number 7, at 20 ms; "a7n@20" it carries no audio.
 * Out, a letter each: A accept, H hold, S switch, O other, - ignore.
 * SSRC a is in force at 0 ms.
 */
#include "daemon/media/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const struct {
	const char *name, *in, *out;
	uint32_t ssrc;       /* in force at the end */
} rows[] = {
	{ "one speaks", "a1@0 a2@20 a3@40", "AAA", 'a' },
	{ "any order, any type", "a9@0 a2n@20 a3@40", "AAA", 'a' },
	{ "another takes over", "a1@0 b7@20 b8@40 b9@60", "AHSA", 'b' },
	{ "at once, over the wrap", "b65535@1 b0@2", "HS", 'b' },
	{ "long after", "b7@60000 b8@60020", "HS", 'b' },
	{ "one stray", "a1@0 b7@10 a2@20 a3@40", "AHAA", 'a' },
	{ "two strays, not in order", "a1@0 b7@10 b9@20", "AHH", 'a' },
	{ "backward", "b8@10 b7@20", "HH", 'a' },
	{ "the same twice", "b8@10 b8@20", "HH", 'a' },
	{ "in order at last", "b3@10 b7@20 b8@30", "HHS", 'b' },
	{ "both live", "b7@10 a1@20 b8@30 b9@31 a2@40", "HAOOA", 'a' },
	{ "the second goes on", "b7@10 a1@20 b8@1500 b9@3000", "HAOO", 'a' },
	{ "one of a in between is enough", "b7@10 a1n@20 b8@30", "HAO", 'a' },
	{ "a falls silent, b begins again",
	  "b7@10 a1@20 b9@30 b10@40", "HAHS", 'b' },
	{ "the second too late", "b7@10 b8@2010 b9@2030", "HHS", 'b' },
	{ "just in time", "b7@10 b8@2009.999", "HS", 'b' },
	{ "the old one comes back", "b7@20 b8@40 a2@60 a3@80", "HSHS", 'a' },
	{ "the old one was merely late", "b7@20 b8@40 a2@41 b9@60", "HSHA", 'b' },
	{ "no audio, no say", "b7n@10 b8n@20 b9n@30", "---", 'a' },
	{ "events before the first audio", "b7n@10 b8@20 b9@30", "-HS", 'b' },
	{ "noise right after audio", "b7@10 b8n@20", "HS", 'b' },
	{ "an event out of order", "b7@10 b7n@11 b8@20", "H-S", 'b' },
	{ "two at once", "b1@10 c1@11 b2@30 c2@31", "HHSH", 'b' },
	{ "four are remembered", "b1@1 c1@2 d1@3 e1@4 b2@5", "HHHHS", 'b' },
	{ "of five the oldest is not", "b1@1 c1@2 d1@3 e1@4 f1@5 b2@6 c2@7",
	  "HHHHHHH", 'a' },
	{ "a flood of SSRCs", "b1@1 c1@2 d1@3 e1@4 f1@5 g1@6 h1@7 i1@8 a1@9 "
	  "j1@10 j2@11", "HHHHHHHHAHS", 'j' },
};

static const char letter[] = {
	[SOURCE_ACCEPT] = 'A', [SOURCE_HOLD] = 'H', [SOURCE_SWITCH] = 'S',
	[SOURCE_OTHER] = 'O', [SOURCE_IGNORE] = '-',
};

static void play(struct source *s, const char *in, char *out)
{
	char *end;

	for (; *in; in = end + (*end == ' ')) {
		const uint32_t ssrc = (uint8_t)*in;
		const uint16_t seq = (uint16_t)strtoul(in + 1, &end, 10);
		const bool audio = *end != 'n';
		const double ms = strtod(end + (audio ? 1 : 2), &end);

		*out++ = letter[source_feed(s, ssrc, seq, audio,
					    (uint64_t)(ms * 1000 + 0.5))];
	}
	*out = '\0';
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct source s;
		char out[32];

		source_lock(&s, 'a', 0);
		play(&s, rows[i].in, out);
		if (strcmp(rows[i].out, out) || s.ssrc != rows[i].ssrc)
			fail_msg("%s: %s, %c", rows[i].name, out,
				 (char)s.ssrc);
	}
}

static void test_unlocked(void **state)
{
	struct source s = { 0 };
	char out[32];

	(void)state;
	play(&s, "a1n@0 b1@10 b2@20 a2@30 a3@40", out);
	assert_string_equal("-AAHS", out);
	assert_int_equal('a', s.ssrc);
	assert_int_equal(40000, s.heard_us);
	play(&s, "a4@60", out);
	assert_int_equal(60000, s.heard_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_unlocked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
