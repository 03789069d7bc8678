/** @file test_random.c  Random bytes and UUIDs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/net/random.h"

static void test_bytes_are_not_always_the_same(void **state)
{
	uint8_t a[600], b[600];
	unsigned seen = 0;
	uint8_t bits[32] = {0};

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	/* 600 draws of 256 leave 25 values unseen on average */
	for (size_t i = 0; i < sizeof(a); i++)
		bits[a[i] / 8] |= (uint8_t)(1u << a[i] % 8);
	for (unsigned v = 0; v < 256; v++)
		seen += bits[v / 8] >> v % 8 & 1u;
	assert_in_range(seen, 190, 256);
	memset(a, 7, sizeof(a));
	random_bytes(a, 0);
	assert_int_equal(a[0], 7);
}

/* RFC 9562 section 5.4 */
static void test_a_uuid_says_version_4(void **state)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		assert_ptr_equal(random_uuid(a), a);
		random_uuid(b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' &&
			    a[23] == '-');
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_are_not_always_the_same),
		cmocka_unit_test(test_a_uuid_says_version_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
