/** @file test_cursors.c  daemon/pub/cursors.c */
#include "daemon/pub/cursors.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* zlib.crc32 of Python over what is before it */
#define KNOWN "{\"epoch\":\"00000000000000ab\"," \
	      "\"cursors\":[[\"crm\",12],[\"b.2\",9223372036854775807]]," \
	      "\"crc\":\"1025cbb4\"}\n"

static void test_printed_and_read(void **state)
{
	struct names n, back;
	struct buf out = {0};
	uint64_t epoch = 0;

	(void)state;
	names_init(&n);
	names_use(&n, "crm")->next = 12;
	names_use(&n, "b.2")->next = INT64_MAX;
	cursors_print(&out, &n, 0xab);
	assert_string_equal(buf_str(&out), KNOWN);

	names_init(&back);
	assert_int_equal(cursors_parse(&back, &epoch, buf_str(&out), out.len),
			 0);
	assert_int_equal(epoch, 0xab);
	assert_int_equal(back.n, 2);
	const struct named *first = list_item(back.all.next, struct named, in);
	assert_string_equal(first->name, "crm");
	assert_int_equal(first->next, 12);
	assert_int_equal(names_use(&back, "b.2")->next, INT64_MAX);
	names_fini(&back);
	names_fini(&n);
	buf_free(&out);
}

static void test_all_names_there_can_be(void **state)
{
	struct names n, back;
	struct buf out = {0};
	char name[EVENT_ID];
	uint64_t epoch;

	(void)state;
	names_init(&n);
	names_init(&back);
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "%064u", i);
		names_use(&n, name)->next = i;
	}
	cursors_print(&out, &n, 1);
	assert_int_equal(cursors_parse(&back, &epoch, buf_str(&out), out.len),
			 0);
	assert_int_equal(back.n, NAMES_MAX);
	assert_int_equal(names_use(&back, name)->next, NAMES_MAX - 1);
	names_fini(&back);
	names_fini(&n);
	buf_free(&out);
}

/* Cut anywhere or with any bit flipped it is nobody's. */
static void test_what_is_damaged_is_refused(void **state)
{
	const size_t len = sizeof(KNOWN) - 1;

	(void)state;
	for (size_t i = 0; i < len * 9; i++) {
		const size_t n = i < len ? i : len;
		struct names names;
		uint64_t epoch = 77;
		char *text = malloc(n ? n : 1);

		assert_non_null(text);
		names_init(&names);
		memcpy(text, KNOWN, n);
		if (i >= len)
			text[(i - len) / 8] ^= (char)(1 << i % 8);
		assert_int_equal(cursors_parse(&names, &epoch, text, n),
				 -EBADMSG);
		assert_int_equal(names.n, 0);
		assert_int_equal(epoch, 77);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printed_and_read),
		cmocka_unit_test(test_all_names_there_can_be),
		cmocka_unit_test(test_what_is_damaged_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
