/**
 * @file test_pan.c  daemon/pub/pan.c
 *
 * The numbers are those that card brands and payment services publish for
 * tests (4111..., 5555 5555 5555 4444, 3782 822463 10005 ...).
 */
#include "daemon/pub/pan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* NULL in `masked`: it stays as it is. */
static const struct {
	const char *text, *masked;
} rows[] = {
	/* written */
	{ "4111111111111111", "****************" },
	{ "my card is 4111 1111 1111 1111 thanks",
	  "my card is **** **** **** **** thanks" },
	{ "4111-1111-1111-1111.", "****-****-****-****." },
	{ "4111, 1111, 1111, 1111, yes", "****, ****, ****, ****, yes" },
	{ "It's 4111. 1111. 1111. 1111.", "It's ****. ****. ****. ****." },
	{ "3782 822463 10005", "**** ****** *****" },
	{ "3056 9309 0259 04", "**** **** **** **" },
	{ "4222222222222", "*************" },
	{ "6304 0000 0000 0000 00 1", "**** **** **** **** ** 1" },
	{ "card:6011111111111117;", "card:****************;" },
	{ "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
	  "* * * * * * * * * * * * * * * *" },
	{ "5555 5555 5555 4444 12 26 123", "**** **** **** **** 12 26 123" },
	{ "it is 2, 5555 5555 5555 4444", "it is 2, **** **** **** ****" },
	{ "4111 1111 uh 1111 um 1111", "**** **** uh **** um ****" },
	{ "४१११ ११११ ११११ ११११", "**** **** **** ****" },
	{ "\xef\xbc\x94\xef\xbc\x91\xef\xbc\x91\xef\xbc\x91 1111 1111 1111",
	  "**** **** **** ****" },
	{ "4111\xc2\xa0""1111\xe2\x80\x93""1111 1111",
	  "****\xc2\xa0****\xe2\x80\x93**** ****" },
	/* spoken */
	{ "four one one one one one one one one one one one one one one one",
	  "* * * * * * * * * * * * * * * *" },
	{ "Four, double one, one. Triple one one, quadruple one, triple one, "
	  "one", "*, * *, *. ** * *, *** *, ** *, *" },
	{ "forty-one eleven eleven eleven eleven eleven eleven eleven",
	  "*-* ** ** ** ** ** ** **" },
	{ "five five five five, five five five five, five five five five, "
	  "forty four forty four",
	  "* * * *, * * * *, * * * *, * * * *" },
	{ "three seven eight two, eight two two four six three, one oh oh oh "
	  "five, please", "* * * *, * * * * * *, * * * * *, please" },
	{ "six zero one one one one one one one one one one one one one seven",
	  "* * * * * * * * * * * * * * * *" },
	{ "so 4 1 one one double one 11 1111 eleven eleven it was",
	  "so * * * * * * ** **** ** ** it was" },
	{ "number four uh one one one one er one one one one one one one one "
	  "one one one", "number * uh * * * * er * * * * * * * * * * *" },

	/* no cards */
	{ "4111 1111 1111 1112", NULL },
	{ "1234567890123456", NULL },
	{ "call me on 0049 30 1234567", NULL },
	{ "+4930123456789 0123", NULL },
	{ "+4111111111111111", NULL },
	{ "0000000000000000", NULL },
	{ "one two three four five six seven eight nine ten", NULL },
	{ "41111111111111111111", NULL },
	{ "4111 1111 and 1111 1111", NULL },
	{ "4111:1111:1111:1111", NULL },
	{ "2026-11-20 18:05:33", NULL },
	{ "account 79927398713", NULL },
	{ "four one one one one one one one one one one one one one one two",
	  NULL },
	{ "four one one one then we waited one one one one one one one one "
	  "one one one one", NULL },
	{ "4111 1111 uh um er 1111 1111", NULL },
	{ "AB4111 111C 1111 1111 1", NULL },
	{ "4111 1111          1111 1111", NULL },
	{ "double trouble and one more", NULL },
	{ "order 100000000000000000007 of 2026", NULL },
	{ "twenty people, thirty chairs, forty one tables", NULL },
	{ "192.168.100.200 and 10.20.30.40", NULL },
	{ "1,000,000 euros and 20 cents", NULL },
	{ "", NULL },
	{ "\xff\xfe 41\xc3", NULL },
};

static void check(const char *const *parts, size_t n, const char *wanted)
{
	struct pan_span *spans = NULL;
	size_t n_spans = 0;
	struct buf out = {0};

	assert_int_equal(pan_find(&spans, &n_spans, parts, n), 0);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_puts(&out, "|");
		pan_mask(&out, parts[i], i, spans, n_spans);
	}
	assert_string_equal(buf_str(&out), wanted);
	buf_free(&out);
	free(spans);
}

static void test_cards_are_masked_and_nothing_else(void **state)
{
	unsigned masked = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = strdup(rows[i].text);

		print_message("%s\n", rows[i].text);
		check((const char *const[]){ text }, 1,
		      rows[i].masked ? rows[i].masked : rows[i].text);
		masked += rows[i].masked != NULL;
		free(text);
	}
	assert_true(masked >= 20 && ARRAY_LEN(rows) - masked >= 20);
}

static void test_a_number_goes_on_in_the_next_part(void **state)
{
	(void)state;
	check((const char *const[]){ "it is 4111 1111", "1111 1111 ok" }, 2,
	      "it is **** ****|**** **** ok");
	check((const char *const[]){ "four one double", "one one", "1111",
				     "eleven eleven", "forty", "one" }, 6,
	      "four one double|one one|1111|eleven eleven|forty|one");
	check((const char *const[]){ "four one double", "one", "1111",
				     "11 11", "eleven", "eleven" }, 6,
	      "* * *|*|****|** **|**|**");
	check((const char *const[]){ "41", "11", "1111", "1111", "1111" }, 5,
	      "**|**|****|****|****");
	check((const char *const[]){ "4111 1111", "no", "1111 1111" }, 3,
	      "4111 1111|no|1111 1111");
}

/* Numbers with the right check digit, made here, at every length. */
static void test_length_decides(void **state)
{
	(void)state;
	for (size_t n = 10; n < 22; n++) {
		char text[32] = "";
		unsigned sum = 0;

		for (size_t i = 0; i + 1 < n; i++)
			text[i] = (char)('1' + i * 7 % 9);
		for (size_t i = 0; i + 1 < n; i++) { /* from the right */
			const unsigned d = (unsigned)(text[n - 2 - i] - '0');

			sum += i % 2 ? d : d * 2 / 10 + d * 2 % 10;
		}
		text[n - 1] = (char)('0' + (10 - sum % 10) % 10);
		struct pan_span *spans = NULL;
		size_t n_spans = 0;

		const char *const parts[] = { text };

		assert_int_equal(pan_find(&spans, &n_spans, parts, 1), 0);
		assert_int_equal(n_spans, n >= 13 && n <= 19 ? 1 : 0);
		free(spans);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cards_are_masked_and_nothing_else),
		cmocka_unit_test(test_a_number_goes_on_in_the_next_part),
		cmocka_unit_test(test_length_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
