/**
 * @file test_utf8.c  daemon/base/utf8.c
 *
 * Rows from Markus Kuhn's decoder stress test (2015); Python's strict decoder
 * agrees with every `valid` below.
 */
#include "daemon/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const struct {
	const char *name;
	const char *text;
	bool valid;
	const char *clean;
} rows[] = {
	{ "empty", "", true, "" },
	{ "1 kosme", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true,
	  "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5" },
	{ "2.1.2 first of 2 bytes, C1", "\xc2\x80", true, "??" },
	{ "first behind C1", "\xc2\xa0", true, "\xc2\xa0" },
	{ "2.1.3 first of 3 bytes", "\xe0\xa0\x80", true, "\xe0\xa0\x80" },
	{ "2.1.4 first of 4 bytes", "\xf0\x90\x80\x80", true,
	  "\xf0\x90\x80\x80" },
	{ "2.1.5 first of 5 bytes", "\xf8\x88\x80\x80\x80", false, "?????" },
	{ "2.1.6 first of 6 bytes", "\xfc\x84\x80\x80\x80\x80", false,
	  "??????" },
	{ "2.2.1 last of 1 byte, DEL", "\x7f", true, "?" },
	{ "2.2.2 last of 2 bytes", "\xdf\xbf", true, "\xdf\xbf" },
	{ "2.2.3 last of 3 bytes", "\xef\xbf\xbf", true, "\xef\xbf\xbf" },
	{ "2.2.4 last of 4 bytes", "\xf7\xbf\xbf\xbf", false, "????" },
	{ "2.3.1 before surrogates", "\xed\x9f\xbf", true, "\xed\x9f\xbf" },
	{ "2.3.2 behind surrogates", "\xee\x80\x80", true, "\xee\x80\x80" },
	{ "2.3.3 U+FFFD", "\xef\xbf\xbd", true, "\xef\xbf\xbd" },
	{ "2.3.4 U+10FFFF", "\xf4\x8f\xbf\xbf", true, "\xf4\x8f\xbf\xbf" },
	{ "2.3.5 U+110000", "\xf4\x90\x80\x80", false, "????" },
	{ "3.1.1 continuation", "\x80", false, "?" },
	{ "3.1.4 three of them", "a\x80\xbf\x80z", false, "a???z" },
	{ "3.2.1 lonely start of 2", "\xc3 \xc4 ", false, "? ? " },
	{ "3.2.3 lonely start of 4", "\xf0 ", false, "? " },
	{ "3.3.1 last byte missing, 2", "\xc3", false, "?" },
	{ "3.3.2 last byte missing, 3", "\xe0\xa0", false, "??" },
	{ "3.3.3 last byte missing, 4", "\xf0\x90\x80", false, "???" },
	{ "3.3.7 last byte missing, U+FFFF", "\xef\xbf", false, "??" },
	{ "3.4 many together", "\xc3\xe0\xa0\xf0\x90\x80", false, "??????" },
	{ "3.5.1 fe", "\xfe", false, "?" },
	{ "3.5.3 fe fe ff ff", "\xfe\xfe\xff\xff", false, "????" },
	{ "4.1.1 overlong / in 2", "\xc0\xaf", false, "??" },
	{ "4.1.2 overlong / in 3", "\xe0\x80\xaf", false, "???" },
	{ "4.1.3 overlong / in 4", "\xf0\x80\x80\xaf", false, "????" },
	{ "4.2.1 largest overlong of 2", "\xc1\xbf", false, "??" },
	{ "4.2.2 largest overlong of 3", "\xe0\x9f\xbf", false, "???" },
	{ "4.2.3 largest overlong of 4", "\xf0\x8f\xbf\xbf", false, "????" },
	{ "4.3.1 overlong NUL", "\xc0\x80", false, "??" },
	{ "5.1.1 high surrogate", "\xed\xa0\x80", false, "???" },
	{ "5.1.7 low surrogate", "\xed\xbf\xbf", false, "???" },
	{ "5.2.1 pair of surrogates", "\xed\xa0\x80\xed\xb0\x80", false,
	  "??????" },
	{ "C0", "a\x01\t\n\r\x1b[31mz", true, "a?????[31mz" },
	{ "C1: CSI of one character", "a\xc2\x9b" "31mz", true, "a??31mz" },
	{ "C1: last", "\xc2\x9f", true, "??" },
	{ "a good one behind a bad start", "\xe0\xc3\xa9", false,
	  "?\xc3\xa9" },
	{ "bad inside, good around", "\xc3\xa9\xff\xc3\xa9", false,
	  "\xc3\xa9?\xc3\xa9" },
};

static void test_what_is_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].text);
		char *text = malloc(len + !len);

		assert_non_null(text);
		memcpy(text, rows[i].text, len);
		print_message("row: %s\n", rows[i].name);
		assert_int_equal(utf8_valid(text, len), rows[i].valid);
		free(text);
	}
	assert_true(utf8_valid("a\0b", 3));
}

static void test_cleaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = strdup(rows[i].text);

		assert_non_null(text);
		print_message("row: %s\n", rows[i].name);
		utf8_clean(text);
		assert_string_equal(text, rows[i].clean);
		assert_true(utf8_valid(text, strlen(text)));
		utf8_clean(text);
		assert_string_equal(text, rows[i].clean);
		free(text);
	}
}

/* Every string of up to 3 bytes: clean is valid, and holds no control. */
static void test_every_short_string_is_clean_then(void **state)
{
	(void)state;
	for (uint32_t v = 0; v < 1u << 24; v += 1 + (v > 0xffff) * 6) {
		char text[4] = { (char)v, (char)(v >> 8), (char)(v >> 16), 0 };

		utf8_clean(text);
		const size_t len = strlen(text);
		if (!utf8_valid(text, len))
			fail_msg("%06x", v);
		for (size_t i = 0; i < len; i++) {
			const uint8_t c = (uint8_t)text[i];

			if (c < 0x20 || c == 0x7f ||
			    (c == 0xc2 && (uint8_t)text[i + 1] < 0xa0))
				fail_msg("%06x", v);
		}
	}
}

static void test_cutting(void **state)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t lengths[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11,
					  11, 11 };

	(void)state;
	for (size_t max = 0; max < ARRAY_LEN(lengths); max++) {
		print_message("row: at most %zu\n", max);
		assert_int_equal(utf8_cut(text, strlen(text), max),
				 lengths[max]);
	}
	assert_int_equal(utf8_cut(text, 3, 2), 1);
	assert_int_equal(utf8_cut("\x80\x80\x80", 3, 2), 0);
	assert_int_equal(utf8_cut("", 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_well_formed),
		cmocka_unit_test(test_cleaning),
		cmocka_unit_test(test_every_short_string_is_clean_then),
		cmocka_unit_test(test_cutting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
