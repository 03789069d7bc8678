/** @file test_history.c  The last of what became of a leg's connections */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/call/history.h"

static void test_it_keeps_the_last(void **state)
{
	struct history h = {0};
	struct reason why;

	(void)state;
	assert_null(history_at(&h, 0));
	assert_null(history_trouble(&h));
	history_add(&h, 1, "connecting", NULL, NULL);
	reason_set(&why, REASON_DNS, 0, "no such name");
	history_add(&h, 2, "reconnecting", NULL, &why);
	history_add(&h, 3, "streaming", "a note that is too long", NULL);
	assert_int_equal(history_at(&h, 0)->at_us, 1);
	assert_string_equal(history_at(&h, 1)->why.text, "no such name");
	assert_string_equal(history_at(&h, 2)->note, "a note that is ");
	assert_null(history_at(&h, 3));
	assert_int_equal(history_trouble(&h)->at_us, 2);

	for (uint64_t i = 4; i < 4 + HISTORY; i++)
		history_add(&h, i, "streaming", NULL, NULL);
	assert_int_equal(history_at(&h, 0)->at_us, 4);
	assert_int_equal(history_at(&h, HISTORY - 1)->at_us, 3 + HISTORY);
	assert_null(history_at(&h, HISTORY));
	assert_null(history_trouble(&h)); /* it was forgotten with the rest */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_keeps_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
