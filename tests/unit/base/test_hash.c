/** @file test_hash.c  daemon/base/hash.h */
#include "daemon/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* FNV-1a's 64-bit test vectors (draft-eastlake-fnv, appendix C), finished by
 * the mix: the same on every machine, so ids of a replay stay what they were. */
static void test_bytes_hash_as_fnv_1a(void **state)
{
	static const struct {
		const char *text;
		uint64_t fnv;
	} rows[] = {
		{ "", 0xcbf29ce484222325u },
		{ "a", 0xaf63dc4c8601ec8cu },
		{ "foobar", 0x85944171f73967e8u },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].text);

		print_message("row: \"%s\"\n", rows[i].text);
		assert_int_equal(hash_bytes(rows[i].text, len),
				 hash_mix(rows[i].fnv, len));
	}
	/* Python: the mix of the first row, by its definition */
	assert_int_equal(hash_bytes("", 0), 0x3ec999cde0bba5a6u);
}

/* Keys that differ in one bit share no more slots of 4,096 than chance has
 * it: 4,096 balls into as many bins leave 37 % empty. */
static void test_near_keys_spread(void **state)
{
	static unsigned char bins[4096];
	unsigned used = 0;

	(void)state;
	memset(bins, 0, sizeof(bins));
	for (uint64_t i = 0; i < 4096; i++)
		bins[hash_mix(0x0a000001u, i << 8 | 4) & 4095] = 1;
	for (size_t i = 0; i < sizeof(bins); i++)
		used += bins[i];
	assert_true(used > 2400);
}

static void test_order_matters(void **state)
{
	(void)state;
	assert_int_not_equal(hash_mix(1, 2), hash_mix(2, 1));
	assert_int_not_equal(hash_bytes("a\0", 2), hash_bytes("a", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_hash_as_fnv_1a),
		cmocka_unit_test(test_near_keys_spread),
		cmocka_unit_test(test_order_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
