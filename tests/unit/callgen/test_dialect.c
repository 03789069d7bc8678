/** @file test_dialect.c  Templates: what is filled in, what is refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tools/callgen/dialect.h"

static void test_filled_in(void **state)
{
	static const char text[] =
		"% labels a b\n% contact ;+sip.src\nX: @N@ @CALLID@\nY:1\n\n"
		"--b\n@SDP@\n@IP@:@PORT2@ @FORMAT1@/@CODEC2@ @PTIME1@ a@b "
		"@SESSION@ @NO@ @PORT9@";
	struct dialect_values v = {
		.sdp = "v=0\r\n", .call_id = "c@d", .number = 255,
		.law = { LAW_PCMA, LAW_PCMU }, .ptime_ms = { 30, 20 },
	};
	struct buf why = {0}, headers = {0}, body = {0};
	struct dialect d;

	(void)state;
	addr_parse(&v.at[0], "10.0.0.1", 8);
	v.at[1] = v.at[0];
	v.at[0].port = 4000;
	v.at[1].port = 4002;
	assert_int_equal(dialect_read(&d, text, strlen(text), &why), 0);
	assert_int_equal(d.legs, 2);
	assert_string_equal(d.labels[1], "b");
	assert_string_equal(d.contact, ";+sip.src");
	dialect_print(&d, &v, &headers, &body);
	assert_string_equal(buf_str(&headers), "X: 255 c@d\r\nY:1\r\n");
	assert_string_equal(buf_str(&body),
		"--b\r\nv=0\r\n\r\n10.0.0.1:4002 8/PCMU 30 a@b "
		"000000000000000000000000000000ff @NO@ @PORT9@");
	buf_free(&headers);
	buf_free(&body);
	dialect_free(&d);
}

static const struct row {
	const char *text, *why;
} rows[] = {
	{ "", "% labels" },
	{ "X: 1\n\nbody", "% labels" },
	{ "% labels 1\nX: 1\n", "empty line" },
	{ "% labels \nX\n\n", "line 1" },
	{ "% labels 1 2 3 4 5 6 7 8 9\n\n\n", "line 1" },
	{ "% labels 1\n% nonsense\n\n\n", "line 2" },
	{ "% labels 1", "line 1" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf why = {0};
		struct dialect d;

		assert_int_not_equal(dialect_read(&d, rows[i].text,
						  strlen(rows[i].text), &why), 0);
		print_message("  %s\n", buf_str(&why));
		assert_non_null(strstr(buf_str(&why), rows[i].why));
		buf_free(&why);
		dialect_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filled_in),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
