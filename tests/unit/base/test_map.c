/** @file test_map.c  daemon/base/map.c, against a table that is searched */
#include "daemon/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

struct item {
	uint64_t hash;
	unsigned key;
	bool in;
};

static bool same(const void *value, const void *key)
{
	return ((const struct item *)value)->key == *(const unsigned *)key;
}

static void test_an_empty_map(void **state)
{
	struct map m = {0};
	unsigned key = 1;

	(void)state;
	assert_null(map_find(&m, 5, same, &key));
	map_remove(&m, 5, &key);
	map_free(&m);
}

/* Hashes that collide wholly, in their low bits only, and not at all. */
static const struct {
	const char *name;
	uint64_t mask;
	unsigned shift;
} spreads[] = {
	{ "one hash for all", 0, 0 },
	{ "four hashes", 3, 0 },
	{ "low bits alike", 0xffff, 48 },
	{ "spread", UINT64_MAX, 0 },
};

static void test_like_a_table(void **state)
{
	static struct item items[600];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(spreads); s++) {
		struct map m = {0};
		uint64_t seed = 88172645463325252u + s;
		size_t in = 0;

		print_message("row: %s\n", spreads[s].name);
		for (unsigned i = 0; i < ARRAY_LEN(items); i++)
			items[i] = (struct item){
				.hash = (i * 0x9e3779b97f4a7c15u &
					 spreads[s].mask) << spreads[s].shift,
				.key = i,
			};
		for (unsigned step = 0; step < 20000; step++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			/* phases of growing and of shrinking */
			struct item *x = &items[seed % ARRAY_LEN(items)];
			const bool add = (seed >> 32) % 8 <
					 (step / 5000 % 2 ? 2u : 6u);

			if (add && !x->in) {
				assert_int_equal(map_put(&m, x->hash, x), 0);
				x->in = true;
				in++;
			} else if (!add) {
				map_remove(&m, x->hash, x);
				in -= x->in;
				x->in = false;
			}
			assert_int_equal(m.count, in);
			assert_ptr_equal(map_find(&m, x->hash, same, &x->key),
					 x->in ? x : NULL);
		}
		for (unsigned i = 0; i < ARRAY_LEN(items); i++)
			assert_ptr_equal(map_find(&m, items[i].hash, same,
						  &items[i].key),
					 items[i].in ? &items[i] : NULL);
		map_free(&m);
		assert_null(map_find(&m, items[0].hash, same, &items[0].key));
	}
}

static void test_memory_does_not_grow_by_coming_and_going(void **state)
{
	struct item x = {0};
	struct map m = {0};

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		x.hash = i;
		assert_int_equal(map_put(&m, x.hash, &x), 0);
		map_remove(&m, x.hash, &x);
	}
	assert_int_equal(m.count, 0);
	assert_true(m.size <= 32);
	map_free(&m);
}

/* Under two hashes that probe the same slots. */
static void test_exactly_this_value_under_this_hash(void **state)
{
	struct item x = { .key = 7 };
	struct map m = {0};
	const unsigned key = 7;

	(void)state;
	assert_int_equal(map_put(&m, 5, &x), 0);
	assert_int_equal(map_put(&m, 5 + ((uint64_t)1 << 40), &x), 0);
	map_remove(&m, 5 + ((uint64_t)1 << 40), &x);
	assert_ptr_equal(map_find(&m, 5, same, &key), &x);
	assert_null(map_find(&m, 5 + ((uint64_t)1 << 40), same, &key));
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_map),
		cmocka_unit_test(test_like_a_table),
		cmocka_unit_test(test_memory_does_not_grow_by_coming_and_going),
		cmocka_unit_test(test_exactly_this_value_under_this_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
