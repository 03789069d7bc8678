/** @file test_anchors.c  daemon/ingress/anchors.c: audio known again */
#include "daemon/ingress/anchors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

enum { BYTES = 24000, MAX = 2000 };

struct found {
	uint64_t values[MAX];
	size_t n;
};

static void on_found(uint64_t value, void *arg)
{
	struct found *f = arg;

	assert_true(f->n < MAX);
	f->values[f->n++] = value;
}

static uint8_t *noise(uint64_t seed)
{
	uint8_t *data = malloc(BYTES);

	assert_non_null(data);
	for (size_t i = 0; i < BYTES; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		data[i] = (uint8_t)(seed >> 56);
	}
	return data;
}

/* Packets of `size` bytes, from exact heap blocks; `without`: one that is lost,
 * `twice`: one that comes again; 0: none */
static void feed(struct found *f, const uint8_t *data, size_t len, size_t size,
		 unsigned without, unsigned twice)
{
	struct anchors a = {0};

	*f = (struct found){0};
	for (unsigned i = 0; i * size < len; i++) {
		const size_t n = MIN(size, len - i * size);
		uint8_t *exact = malloc(n);
		struct rtp h = { .seq = (uint16_t)(65500 + i),
				 .payload = exact, .len = n, .wire_len = n };

		assert_non_null(exact);
		memcpy(exact, data + i * size, n);
		for (int k = 0; k < (i && i == twice ? 2 : 1); k++)
			if (!i || i != without)
				anchors_feed(&a, &h, on_found, f);
		free(exact);
	}
}

static bool has(const struct found *f, uint64_t value)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->values[i] == value)
			return true;
	return false;
}

static size_t in_common(const struct found *a, const struct found *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += has(b, a->values[i]);
	return n;
}

static const struct row {
	const char *name;
	size_t size;              /* of a packet */
	size_t from;              /* where the second one begins to hear */
	unsigned without, twice;
	size_t missing;           /* anchors of the first at most */
} rows[] = {
	{ "the same packets", 160, 0, 0, 0, 0 },
	{ "30 ms", 240, 0, 0, 0, 0 },
	{ "10 ms", 80, 0, 0, 0, 0 },
	{ "a byte each", 1, 0, 0, 0, 0 },
	{ "one packet twice", 160, 0, 0, 9, 0 },
	{ "it begins in the middle", 160, BYTES / 2, 0, 0, BYTES / 64 },
	{ "one packet is lost", 160, 0, 9, 0, 16 },
};

static void test_cut_in_any_way(void **state)
{
	static struct found first, second;
	uint8_t *data = noise(1);

	(void)state;
	feed(&first, data, BYTES, 160, 0, 0);
	/* one in 64: 375 of 24,000; five standard deviations are 95 */
	assert_in_range(first.n, 280, 470);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		print_message("row: %s\n", r->name);
		feed(&second, data + r->from, BYTES - r->from, r->size,
		     r->without, r->twice);
		assert_int_equal(in_common(&second, &first), second.n);
		assert_true(first.n - second.n <= r->missing);
		if (r->missing)
			assert_true(second.n < first.n && second.n > 50);
	}
	free(data);
}

static void test_others_have_none_in_common(void **state)
{
	static struct found first, second;
	uint8_t *a = noise(1), *b = noise(2);

	(void)state;
	feed(&first, a, BYTES, 160, 0, 0);
	feed(&second, b, BYTES, 160, 0, 0);
	assert_int_equal(in_common(&second, &first), 0);
	free(a);
	free(b);
}

/* What repeats itself has few, whatever its length */
static void test_silence_and_tones_have_few_different_ones(void **state)
{
	static const size_t periods[] = { 1, 2, 8, 100, 320 };
	static struct found f;
	static uint8_t data[6400];
	uint8_t *random = noise(3);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
		size_t different = 0;

		for (size_t k = 0; k < sizeof(data); k++)
			data[k] = random[k % periods[i]];
		feed(&f, data, sizeof(data), 160, 0, 0);
		for (size_t k = 0; k < f.n; k++) {
			bool before = false;

			for (size_t j = 0; j < k; j++)
				before |= f.values[j] == f.values[k];
			different += !before;
		}
		assert_true(different <= periods[i] / 16 + 1);
	}
	free(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_in_any_way),
		cmocka_unit_test(test_others_have_none_in_common),
		cmocka_unit_test(test_silence_and_tones_have_few_different_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
