/** @file test_buf.c  daemon/base/buf.c */
#include "daemon/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the header promises of every buffer at any time. */
static void check(const struct buf *b, const char *want, size_t len)
{
	assert_int_equal(b->len, len);
	if (len)
		assert_memory_equal(b->data, want, len);
	if (b->data) {
		assert_true(b->size > b->len);
		assert_int_equal(b->data[b->len], 0);
	}
}

static void test_an_empty_one_needs_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_string_equal(buf_str(&b), "");
	buf_shift(&b, 5);
	buf_clear(&b);
	buf_add(&b, NULL, 0);
	buf_puts(&b, "");
	check(&b, "", 0);
	buf_free(&b);
	buf_free(&b);
}

static void test_what_is_written_is_there(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "one ");
	buf_printf(&b, "%d %s", 2, "three");
	buf_add(&b, "\0x", 2);
	check(&b, "one 2 three\0x", 13);
	buf_printf(&b, "%s", "");
	check(&b, "one 2 three\0x", 13);
	buf_shift(&b, 4);
	check(&b, "2 three\0x", 9);
	buf_shift(&b, 100);
	check(&b, "", 0);
	assert_string_equal(buf_str(&b), "");
	buf_free(&b);
}

static void test_room_is_where_the_next_bytes_go(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "ab");
	for (size_t n = 0; n < 3000; n += 37) {
		uint8_t *room = buf_room(&b, n);

		assert_non_null(room);
		assert_ptr_equal(room, b.data + b.len);
		assert_int_equal(b.len, 2);
		memset(room, 'x', n);
	}
	buf_puts(&b, "c");
	check(&b, "abc", 3);
	buf_free(&b);
}

/* The bytes of a naive model: an array that is large enough. */
static void test_like_an_array(void **state)
{
	static char model[1 << 20];
	size_t len = 0;
	uint32_t seed = 1;
	struct buf b = {0};

	(void)state;
	for (int step = 0; step < 4000; step++) {
		char some[300];

		seed = seed * 1664525u + 1013904223u;
		const size_t n = seed >> 8 & 255;

		memset(some, (int)('a' + step % 26), sizeof(some));
		if (seed >> 30 == 0) {
			const size_t cut = n < len ? n : len;

			memmove(model, model + cut, len - cut);
			len -= cut;
			buf_shift(&b, n);
		} else if (seed >> 30 == 1) {
			buf_printf(&b, "%.*s", (int)n, some);
			memcpy(model + len, some, n);
			len += n;
		} else if (seed >> 24 == 255) {
			buf_clear(&b);
			len = 0;
		} else {
			buf_add(&b, some, n);
			memcpy(model + len, some, n);
			len += n;
		}
		check(&b, model, len);
	}
	assert_int_equal(b.err, 0);
	buf_free(&b);
}

static void test_the_first_failure_sticks(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "kept");
	assert_null(buf_room(&b, SIZE_MAX / 2));
	assert_int_equal(b.err, -ENOMEM);
	buf_puts(&b, "lost");
	buf_printf(&b, "%d", 5);
	assert_null(buf_room(&b, 1));
	check(&b, "kept", 4);
	buf_clear(&b);
	assert_int_equal(b.err, 0);
	buf_puts(&b, "again");
	check(&b, "again", 5);
	assert_null(buf_room(&b, SIZE_MAX));
	buf_free(&b);
	assert_int_equal(b.err, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one_needs_nothing),
		cmocka_unit_test(test_what_is_written_is_there),
		cmocka_unit_test(test_room_is_where_the_next_bytes_go),
		cmocka_unit_test(test_like_an_array),
		cmocka_unit_test(test_the_first_failure_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
