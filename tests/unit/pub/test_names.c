/** @file test_names.c  daemon/pub/names.c */
#include "daemon/pub/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct named *use(struct names *n, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "n%d", i);
	return names_use(n, name);
}

static void test_a_name_is_found_again(void **state)
{
	struct names n;

	(void)state;
	names_init(&n);
	struct named *a = use(&n, 1), *b = use(&n, 2);
	assert_true(a && b && a != b);
	assert_int_equal(a->next, 0);
	a->next = 17;
	assert_ptr_equal(use(&n, 1), a);
	assert_int_equal(use(&n, 1)->next, 17);
	assert_int_equal(n.n, 2);
	names_fini(&n);
}

static void test_the_one_used_longest_ago_goes_first(void **state)
{
	struct names n;

	(void)state;
	names_init(&n);
	for (int i = 0; i < NAMES_MAX; i++)
		use(&n, i)->next = 1;
	use(&n, 0);                     /* so 1 is the oldest */
	assert_non_null(use(&n, 1000));
	assert_int_equal(n.n, NAMES_MAX);
	assert_int_equal(use(&n, 0)->next, 1);
	assert_int_equal(use(&n, 2)->next, 1);
	assert_int_equal(use(&n, 1)->next, 0);
	names_fini(&n);
}

static void test_who_is_connected_is_never_forgotten(void **state)
{
	struct names n;
	int somebody;

	(void)state;
	names_init(&n);
	for (int i = 0; i < NAMES_MAX; i++)
		use(&n, i)->holder = &somebody;
	assert_null(use(&n, 1000));
	assert_ptr_equal(use(&n, 5)->holder, &somebody);
	use(&n, 7)->holder = NULL;
	assert_non_null(use(&n, 1000));
	assert_null(use(&n, 7)->holder);
	assert_int_equal(n.n, NAMES_MAX);
	names_fini(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_found_again),
		cmocka_unit_test(test_the_one_used_longest_ago_goes_first),
		cmocka_unit_test(test_who_is_connected_is_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
