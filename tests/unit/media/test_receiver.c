/** @file test_receiver.c  daemon/media/receiver.c, scripts as in script.h */
#include "daemon/media/receiver.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/media/script.h"

static const struct {
	const char *name, *in, *out;
	const char *stats;   /* those that are not 0 */
} rows[] = {
	{ "in order, begun at the deadline",
	  "7@0 8@20 9@40 =60 10@60",
	  "7:0+160 8:160+160 9:320+160 10:480+160", "packets 4" },
	{ "one alone, flushed", "7@0 !", "7:0+160", "packets 1" },
	{ "swapped at the beginning", "8@0 7@1 9@20 =60",
	  "7:0+160 8:160+160 9:320+160", "packets 3 reordered 1" },
	{ "swapped later", "7@0 =60 9@60 8@61 10@80",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4 reordered 1" },
	{ "lost", "7@0 =60 9@60 10@80 =119 =120 11@121",
	  "7:0+160 l160+160 9:320+160 10:480+160 11:640+160",
	  "packets 4 lost 1" },
};

static void stats_say(const struct receiver *r, char *out, size_t size)
{
	struct receiver_stats st;
	size_t n = 0;

	receiver_stats(r, &st);
	const struct { const char *name; uint64_t v; } all[] = {
		{ "packets", st.packets }, { "lost", st.lost },
		{ "late", st.late }, { "duplicate", st.duplicate },
		{ "reordered", st.reordered }, { "unknown", st.unknown },
		{ "oversize", st.oversize },
	};
	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].v)
			n += (size_t)snprintf(out + n, size - n,
					      "%s%s %" PRIu64, n ? " " : "",
					      all[i].name, all[i].v);
	}
}

static void test_rows(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char stats[128];
		struct script s;

		assert_int_equal(0, script_open(&s));
		script_play(&s, rows[i].in);
		stats_say(s.receiver, stats, sizeof(stats));
		script_close(&s);
		if (s.broken || strcmp(rows[i].out, s.out) ||
		    strcmp(rows[i].stats, stats)) {
			wrong++;
			print_error("%s:%s\n want %s\n got  %s\n want %s\n"
				    " got  %s\n", rows[i].name,
				    s.broken ? s.broken : "", rows[i].out,
				    s.out, rows[i].stats, stats);
		}
	}
	assert_int_equal(0, wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
