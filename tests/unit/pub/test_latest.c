/** @file test_latest.c  daemon/pub/latest.c
 *
 * A row is a script:
 *   "a1=x"   partial "x" of leg a, segment 1
 *   "a!1"    final of leg a, segment 1
 *   "a~x"    speech of leg a
 *   "a."     leg.end
 *   "?"      a reader that has seen nothing yet
 *   ">"      the reader that asked last goes on
 * and what the readers get, a bar between them.
 */
#include "daemon/pub/latest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

static const struct {
	const char *name, *in, *out;
} rows[] = {
	{ "nothing", "?", "|" },
	{ "one", "a1=x ? > >", "x|||" },
	{ "the latest wins", "a1=x a1=y ?", "y|" },
	{ "one for each leg, oldest first", "a1=x b1=y c1=z b1=w ?", "xzw|" },
	{ "a reader goes on", "a1=x ? b1=y > a1=z b1=w >", "x|y|zw|" },
	{ "another segment of the leg", "a1=x a2=y ?", "y|" },
	{ "its final supersedes it", "a1=x b1=y a!1 ?", "y|" },
	{ "another's final does not", "a2=x a!1 ?", "x|" },
	{ "the same segment of another leg", "a1=x b!1 ?", "x|" },
	{ "after its final another one", "a1=x a!1 a2=y ?", "y|" },
	{ "leg.end takes all", "a1=x a~s b1=y a. ?", "y|" },
	{ "speech stands beside", "a~s a1=x a~t ?", "xt|" },
	{ "final leaves speech", "a~s a1=x a!1 ?", "s|" },
};

static bool tell(const struct journal_line *l, void *arg)
{
	assert_int_equal(l->seq, 0);
	assert_string_equal(l->key, "call");
	buf_add(arg, l->text, l->len);
	return true;
}

static void put(struct latest *t, const char *w)
{
	const char leg[2] = { w[0], 0 };
	const bool segment = w[1] >= '0' && w[1] <= '9';
	struct event e = { .call = "call", .leg = leg };
	struct journal_line l = { .key = "call", .text = w + strlen(w) - 1,
				  .len = 1 };

	e.type = w[1] == '~' ? EVENT_SPEECH
	       : w[1] == '.' ? EVENT_LEG_END : EVENT_SEGMENT;
	if (e.type == EVENT_SEGMENT) {
		e.segment.segment = (uint64_t)(w[segment ? 1 : 2] - '0');
		e.segment.state = segment ? SEGMENT_PARTIAL : SEGMENT_FINAL;
	}
	if (w[1] == '!' || w[1] == '.')
		l.seq = 1;
	l.type = e.type;
	latest_put(t, &l, &e);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char script[128], *rest = script, *w;
		uint64_t version = 0;
		struct buf got = {0};
		struct latest *t;

		assert_int_equal(latest_new(&t, 1 << 20), 0);
		snprintf(script, sizeof(script), "%s", rows[i].in);
		while ((w = strsep(&rest, " ")) != NULL) {
			if (*w != '?' && *w != '>') {
				put(t, w);
				continue;
			}
			version = latest_each(t, *w == '?' ? 0 : version,
					      tell, &got);
			buf_puts(&got, "|");
		}
		if (strcmp(buf_str(&got), rows[i].out) != 0)
			fail_msg("%s: got %s, want %s", rows[i].name,
				 buf_str(&got), rows[i].out);
		buf_free(&got);
		latest_free(t);
	}
}

static bool once(const struct journal_line *l, void *arg)
{
	int *n = arg;

	(void)l;
	return (*n)-- > 0;
}

static void test_who_says_stop_gets_the_rest_later(void **state)
{
	struct buf got = {0};
	struct latest *t;
	int n = 2;

	(void)state;
	assert_int_equal(latest_new(&t, 1 << 20), 0);
	put(t, "a1=x");
	put(t, "b1=y");
	put(t, "c1=z");
	const uint64_t version = latest_each(t, 0, once, &n);
	assert_true(version < latest_version(t));
	latest_each(t, version, tell, &got);
	assert_string_equal(buf_str(&got), "z");
	latest_clear(t);
	assert_int_equal(latest_each(t, version, tell, &got), version);
	buf_free(&got);
	latest_free(t);
}

static void test_it_stays_within_its_size(void **state)
{
	struct buf got = {0};
	struct latest *t;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(latest_new(&t, 8000), 0);
	for (int i = 0; i < 1000; i++) {
		char leg[16];
		snprintf(leg, sizeof(leg), "l%d", i);
		const struct event e = { .type = EVENT_SPEECH, .call = "call",
					 .leg = leg };
		text[0] = (char)('0' + i % 10);
		latest_put(t, &(struct journal_line){
			.type = EVENT_SPEECH, .key = "call", .text = text,
			.len = sizeof(text) }, &e);
		buf_clear(&got);
		latest_each(t, 0, tell, &got);
		assert_true(got.len <= 8000);
	}
	/* the newest are the ones that stayed */
	assert_true(got.len >= 5000);
	assert_int_equal(got.data[got.len - 1000], '9');
	buf_free(&got);
	latest_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_who_says_stop_gets_the_rest_later),
		cmocka_unit_test(test_it_stays_within_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
