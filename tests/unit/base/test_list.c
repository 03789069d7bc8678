/** @file test_list.c  daemon/base/list.h */
#include "daemon/base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
	int before;
	struct list link;
	int n;
};

static void expect(struct list *head, const char *want)
{
	size_t i = 0;

	list_each(head, x)
		assert_int_equal(list_item(x, struct item, link)->n, want[i++]);
	assert_int_equal(want[i], 0);
	/* backwards as well */
	for (struct list *x = head->prev; x != head; x = x->prev)
		assert_int_equal(list_item(x, struct item, link)->n, want[--i]);
	assert_int_equal(list_empty(head), !want[0]);
}

static void test_items_keep_their_order(void **state)
{
	struct item i[] = { { .n = 'a' }, { .n = 'b' }, { .n = 'c' } };
	struct list head;

	(void)state;
	list_init(&head);
	expect(&head, "");
	for (size_t k = 0; k < 3; k++)
		list_add(&head, &i[k].link);
	expect(&head, "abc");
	list_remove(&i[1].link);
	expect(&head, "ac");
	list_remove(&i[1].link);
	expect(&head, "ac");
	list_add(&head, &i[1].link);
	expect(&head, "acb");
	list_remove(&i[0].link);
	list_remove(&i[1].link);
	list_remove(&i[2].link);
	expect(&head, "");
}

static void test_items_may_go_inside_the_loop(void **state)
{
	struct list head;
	int seen = 0;

	(void)state;
	list_init(&head);
	for (int k = 0; k < 10; k++) {
		struct item *x = calloc(1, sizeof(*x));

		assert_non_null(x);
		x->n = k;
		list_add(&head, &x->link);
	}
	list_each(&head, l) {
		struct item *x = list_item(l, struct item, link);

		assert_int_equal(x->n, seen++);
		list_remove(l);
		free(x);
	}
	assert_int_equal(seen, 10);
	assert_true(list_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_keep_their_order),
		cmocka_unit_test(test_items_may_go_inside_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
