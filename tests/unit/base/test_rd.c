/** @file test_rd.c  daemon/base/rd.h */
#include "daemon/base/rd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t bytes[] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7,
				 0xf8 };

static uint64_t read_n(struct rd *r, unsigned n)
{
	switch (n) {
	case 1:
		return rd_u8(r);
	case 2:
		return rd_u16(r);
	case 4:
		return rd_u32(r);
	default:
		return rd_u64(r);
	}
}

/* Every width over every length; past the end it is 0, and stays so. */
static void test_numbers_of_every_width(void **state)
{
	static const unsigned widths[] = { 1, 2, 4, 8 };
	static const uint64_t wanted[] = { 0x81, 0x8192, 0x8192a3b4,
					   0x8192a3b4c5d6e7f8 };

	(void)state;
	for (size_t w = 0; w < 4; w++)
		for (size_t len = 0; len <= 8; len++) {
			uint8_t *data = malloc(len + !len);

			assert_non_null(data);
			memcpy(data, bytes, len);
			print_message("row: %u bytes of %zu\n", widths[w], len);
			struct rd r = rd_of(data, len);
			const uint64_t v = read_n(&r, widths[w]);

			assert_int_equal(r.bad, len < widths[w]);
			assert_int_equal(v, r.bad ? 0 : wanted[w]);
			if (r.bad) {
				assert_int_equal(rd_u8(&r), 0);
				assert_null(rd_take(&r, 0));
				assert_true(r.bad);
			} else {
				assert_int_equal(rd_left(&r),
						 len - widths[w]);
			}
			free(data);
		}
}

static void test_taking_and_parts(void **state)
{
	struct rd r = rd_of(bytes, sizeof(bytes));

	(void)state;
	assert_ptr_equal(rd_take(&r, 0), bytes);
	assert_ptr_equal(rd_take(&r, 2), bytes);

	struct rd part = rd_sub(&r, 3);
	assert_int_equal(rd_left(&part), 3);
	assert_int_equal(rd_u16(&part), 0xa3b4);
	assert_int_equal(rd_u16(&part), 0);
	assert_true(part.bad); /* of its own end, not of the whole's */
	assert_false(r.bad);
	assert_int_equal(rd_u8(&r), 0xd6);

	part = rd_sub(&r, 3);
	assert_true(part.bad && r.bad);
	assert_int_equal(rd_u8(&part), 0);
	assert_int_equal(rd_left(&part), 0);
}

static void test_lengths_beyond_everything(void **state)
{
	struct rd r = rd_of(bytes, sizeof(bytes));

	(void)state;
	assert_null(rd_take(&r, SIZE_MAX));
	assert_true(r.bad);
	r = rd_of(bytes, sizeof(bytes));
	assert_true(rd_sub(&r, SIZE_MAX - 4).bad);
}

static void test_nothing_at_all(void **state)
{
	struct rd r = rd_of(NULL, 0);

	(void)state;
	assert_int_equal(rd_left(&r), 0);
	assert_int_equal(rd_u16(&r), 0);
	assert_true(r.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_of_every_width),
		cmocka_unit_test(test_taking_and_parts),
		cmocka_unit_test(test_lengths_beyond_everything),
		cmocka_unit_test(test_nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
