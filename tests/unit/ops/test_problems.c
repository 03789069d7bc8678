/** @file test_problems.c  The last things that went wrong */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/ops/problems.h"

static void daemon_says(struct problems *p, uint64_t at_us, const char *what,
			const char *reason, const char *text)
{
	problems_event(p, &(struct event){
		.type = EVENT_DAEMON, .now_us = at_us,
		.daemon = { .what = what, .reason = reason, .text = text } });
}

static void test_what_is_one(void **state)
{
	struct problems p = {0};

	(void)state;
	daemon_says(&p, 1, "started", NULL, NULL);
	daemon_says(&p, 2, "reload", "ok", "these wait");
	daemon_says(&p, 3, "asr_up", NULL, NULL);
	problems_event(&p, &(struct event){ .type = EVENT_LEG_STATE,
			     .leg_state = { .asr_state = "streaming" } });
	problems_event(&p, &(struct event){ .type = EVENT_CALL_END });
	assert_null(problems_at(&p, 0));
	daemon_says(&p, 4, "reload", "failed", "line 4: no");
	daemon_says(&p, 5, "capture_down", NULL, NULL);
	problems_event(&p, &(struct event){ .type = EVENT_LEG_STATE,
			     .now_us = 6, .leg_state = {
				     .asr_state = "failed", .reason = "auth",
				     .text = "the key is wrong; change it" } });
	assert_string_equal(problems_at(&p, 0)->what, "auth");
	assert_string_equal(problems_at(&p, 0)->text,
			    "the key is wrong; change it");
	assert_string_equal(problems_at(&p, 1)->what, "capture_down");
	assert_string_equal(problems_at(&p, 1)->text, "");
	assert_string_equal(problems_at(&p, 2)->text, "line 4: no");
	assert_null(problems_at(&p, 3));
}

static void test_the_last_five_each_once(void **state)
{
	struct problems p = {0};
	char text[300];

	(void)state;
	for (uint64_t i = 0; i < 7; i++) {
		snprintf(text, sizeof(text), "number %d", (int)i);
		daemon_says(&p, i, "x", NULL, text);
		daemon_says(&p, i, "x", NULL, text);
	}
	daemon_says(&p, 10, "x", NULL, "number 4");
	for (size_t i = 0; i < PROBLEMS; i++) {
		static const int order[] = { 4, 6, 5, 3, 2 };

		snprintf(text, sizeof(text), "number %d", order[i]);
		assert_string_equal(problems_at(&p, i)->text, text);
		assert_int_equal(problems_at(&p, i)->times, i ? 2 : 3);
	}
	assert_null(problems_at(&p, PROBLEMS));
	/* a long one is cut between characters */
	memset(text, 'a', sizeof(text));
	memcpy(text + PROBLEM_TEXT - 2, "\xc3\xa4", 2);
	text[sizeof(text) - 1] = 0;
	daemon_says(&p, 11, "x", NULL, text);
	assert_int_equal(problems_at(&p, 0)->text[PROBLEM_TEXT - 3], 'a');
	assert_true(strlen(problems_at(&p, 0)->text) < PROBLEM_TEXT);
	assert_null(strchr(problems_at(&p, 0)->text, '\xc3'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_one),
		cmocka_unit_test(test_the_last_five_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
