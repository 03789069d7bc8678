/** @file test_copies.c  daemon/net/copies.c: what was here a moment ago */
#include "daemon/net/copies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"

enum { MS = 1000, T = 1000 * 1000 * MS };

static const struct row {
	const char *name;
	struct copies_packet p[3];
	int64_t at_us[3];          /* from T */
	bool seen[3];
} rows[] = {
	{ "another one", { { 1, 1, true }, { 2, 1, true }, { 3, 1, true } },
	  { 0, 1, 2 }, { false, false, false } },
	{ "two copies", { { 1, 1, true }, { 1, 1, true }, { 1, 2, true } },
	  { 0, 1, 2 }, { false, true, true } },
	{ "counted from the first, not from the copy",
	  { { 1, 1, true }, { 1, 1, true }, { 1, 1, true } },
	  { 0, 60 * MS, 101 * MS }, { false, true, false } },
	{ "a clock that stepped back a little",
	  { { 1, 1, true }, { 1, 1, true }, { 2, 1, true } },
	  { 0, -100 * MS, 0 }, { false, true, false } },
	{ "... by a second", { { 1, 1, true }, { 1, 1, true }, { 1, 1, true } },
	  { 0, -1000 * MS, -999 * MS }, { false, false, true } },
	{ "without a number: the same way is no copy",
	  { { 1, 1, false }, { 1, 1, false }, { 1, 1, false } },
	  { 0, 1, 2 }, { false, false, false } },
	{ "... another way is one",
	  { { 1, 1, false }, { 1, 2, false }, { 1, 1, false } },
	  { 0, 1, 2 }, { false, true, false } },
	{ "in the same bucket", { { 1, 1, true }, { 2049, 1, true },
	  { 1, 1, true } }, { 0, 1, 2 }, { false, false, true } },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct copies *c;

		print_message("row: %s\n", r->name);
		assert_int_equal(copies_new(&c), 0);
		for (size_t n = 0; n < 3; n++)
			assert_int_equal(copies_seen(c, &r->p[n],
						     T + r->at_us[n]),
					 r->seen[n]);
		copies_free(c);
	}
}

/* 100 ms of 50,000 packets a second, each seen again after 20 ms; the last ones
 * have not been yet */
static void test_a_busy_port(void **state)
{
	enum { PACKETS = 50000, BEHIND = 1000 };
	struct copies *c;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(copies_new(&c), 0);
	for (uint64_t n = 0; n < PACKETS; n++) {
		const struct copies_packet p = { hash_mix(1, n), 1, true };

		assert_false(copies_seen(c, &p, T + n * 20));
		if (n >= BEHIND) {
			const struct copies_packet again = {
				hash_mix(1, n - BEHIND), 2, true,
			};

			seen += copies_seen(c, &again, T + n * 20);
		}
	}
	assert_int_equal(seen, PACKETS - BEHIND);
	copies_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_busy_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
