/** @file test_scan.c  daemon/cfg/scan.c */
#include "daemon/cfg/scan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* What is left of the text, comments blanked. */
static const struct {
	const char *name, *text, *left;
} good[] = {
	{ "nothing", "", "" },
	{ "comment to the end", "# x", "   " },
	{ "comments", "a#b\n//c\n/*d\n*e/f**/g", "a  \n   \n   \n       g" },
	{ "no comment in strings", "a { b = \"#//\" c = '/*' }",
	  "a { b = \"#//\" c = '/*' }" },
	{ "byte-order mark, CR", "\xef\xbb\xbf" "a{}\r\n", "   a{} \n" },
	{ "escaped quotes", "a { b = \"\\\"#\\\\\" c = '\\'#' }",
	  "a { b = \"\\\"#\\\\\" c = '\\'#' }" },
	{ "UTF-8", "a { b = \"\xc3\xa4\" } # \xe2\x82\xac",
	  "a { b = \"\xc3\xa4\" }      " },
	{ "equal keys of two sections", "a { b = 1 } c { b = 1 }",
	  "a { b = 1 } c { b = 1 }" },
	{ "equal words in a list", "a { b = {c, c} c = 1 b += {c} }",
	  "a { b = {c, c} c = 1 b += {c} }" },
	{ "slash in a word", "a { b = /run/x }", "a { b = /run/x }" },
};

static const struct {
	const char *name, *text;
	unsigned line;
	const char *why;
} bad[] = {
	{ "open block comment", "\n\n/* *", 3, "never closed; end it with */" },
	{ "slash star slash", "/*/", 1, "never closed" },
	{ "open string", "a {\n b = \"x\\\" }", 2, "never closed; a quote" },
	{ "open string, single", "a {\n b = 'x\\' }", 2, "never closed" },
	{ "string ends in a backslash", "a { b = \"\\", 1, "escape" },
	{ "string ends in a backslash, single", "a { b = '\\", 1, "closed" },
	{ "octal", "a { b =\n\"\\101\" }", 2, "unknown escape" },
	{ "hexadecimal", "a { b = \"\\x00\" }", 1, "unknown escape" },
	{ "environment", "a { b = \"${HOME}\" }", 1, "is not replaced here" },
	{ "bare environment", "a { b = ${HOME} }", 1, "means nothing here" },
	{ "stray mark", "a { b = 1; }", 1, "means nothing here" },
	{ "plus", "a { b + 1 }", 1, "means nothing here" },
	{ "NUL-like control", "a\n{ b = \"\x01\" }", 2, "control character" },
	{ "delete", "a { b = \"\x7f\" }", 1, "control character" },
	{ "Latin-1", "# one\n# \xe4\n# three", 2, "not UTF-8" },
	{ "comment in a word", "a { b = ws://x }", 1, "put the value into" },
	{ "block comment in a word", "a { b = x/* y */ }", 1, "into quotes" },
	{ "key twice", "a {\n b = 1\n c = 2\n b = 3 }", 4,
	  "b is given a second time, the first was in line 2" },
	{ "key in quotes", "a { \"b\" = 1 }", 1, "written without quotes" },
	{ "path as a section", "\"a=b|c\" { }", 1, "written without quotes" },
	{ "value after value", "a { b = 1 \"c\" }", 1, "without quotes" },
	{ "section inside", "a {\n b {\n", 2, "begins inside the one of line 1" },
	{ "no end", "\na\n{\n b = {", 4, "ends inside a section, the one of "
	  "line 2" },
};

static void test_comments_become_blanks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const size_t len = strlen(good[i].text);
		char *text = malloc(len ? len : 1);
		struct buf why = {0};
		struct scan s;

		assert_non_null(text);
		memcpy(text, good[i].text, len);
		print_message("row: %s\n", good[i].name);
		assert_int_equal(scan_config(&s, text, len, &why), 0);
		assert_memory_equal(text, good[i].left, len);
		assert_int_equal(len, strlen(good[i].left));
		assert_int_equal(why.len, 0);
		scan_free(&s);
		free(text);
	}
}

static void test_traps_are_refused_with_their_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const size_t len = strlen(bad[i].text);
		char *text = malloc(len);
		struct buf why = {0};
		struct scan s;

		assert_non_null(text);
		memcpy(text, bad[i].text, len);
		print_message("row: %s\n", bad[i].name);
		assert_int_equal(scan_config(&s, text, len, &why), -EBADMSG);
		print_message("     %s\n", buf_str(&why));
		assert_int_equal(s.error_line, bad[i].line);
		assert_non_null(strstr(buf_str(&why), bad[i].why));
		scan_free(&s);
		buf_free(&why);
		free(text);
	}
}

static void test_lines_of_sections(void **state)
{
	char text[] = "a {}\n\nb\n\"t\"\n{ x = {1,\n2} y = 'p\nq' } c { }\n"
		      "/*\n*/ d\t{\n}";
	static const unsigned want[] = { 1, 3, 7, 9 };
	struct buf why = {0};
	struct scan s;

	(void)state;
	assert_int_equal(scan_config(&s, text, strlen(text), &why), 0);
	assert_int_equal(s.n_sections, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(s.section_lines[i], want[i]);
	assert_int_equal(s.long_string, 6);
	scan_free(&s);
}

/* Every beginning of every row: no read past the end (ASan), no surprise. */
static void test_cut_off_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
		const char *whole = i < ARRAY_LEN(good)
				    ? good[i].text
				    : bad[i - ARRAY_LEN(good)].text;

		for (size_t len = 0; len < strlen(whole); len++) {
			char *text = malloc(len ? len : 1);
			struct buf why = {0};
			struct scan s;

			assert_non_null(text);
			memcpy(text, whole, len);
			const int err = scan_config(&s, text, len, &why);

			assert_true(err == 0 || err == -EBADMSG);
			assert_int_equal(err != 0, why.len > 0);
			scan_free(&s);
			buf_free(&why);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comments_become_blanks),
		cmocka_unit_test(test_traps_are_refused_with_their_line),
		cmocka_unit_test(test_lines_of_sections),
		cmocka_unit_test(test_cut_off_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
