/** @file test_reason.c  daemon/base/reason.c */
#include "daemon/base/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"

/* RFC 9110 section 15; what a websocket's upgrade may be answered with. */
static void test_http(void **state)
{
	static const struct {
		unsigned status;
		enum reason_class class;
	} rows[] = {
		{ 200, REASON_CONFIG },  { 204, REASON_CONFIG },
		{ 301, REASON_CONFIG },  { 302, REASON_CONFIG },
		{ 307, REASON_CONFIG },  { 400, REASON_CONFIG },
		{ 401, REASON_AUTH },    { 402, REASON_PAYMENT },
		{ 403, REASON_AUTH },    { 404, REASON_CONFIG },
		{ 405, REASON_CONFIG },  { 408, REASON_TIMEOUT },
		{ 422, REASON_CONFIG },  { 426, REASON_CONFIG },
		{ 429, REASON_QUOTA },   { 500, REASON_SERVER },
		{ 502, REASON_SERVER },  { 503, REASON_SERVER },
		{ 504, REASON_SERVER },  { 599, REASON_SERVER },
		{ 600, REASON_CONFIG },  { 999, REASON_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("row: %u\n", rows[i].status);
		assert_int_equal(reason_of_http(rows[i].status),
				 rows[i].class);
	}
}

/* RFC 6455 section 7.4.1 and IANA's registry. */
static void test_close_codes(void **state)
{
	static const struct {
		unsigned code;
		enum reason_class class;
	} rows[] = {
		{ 1000, REASON_RESTART },  { 1001, REASON_RESTART },
		{ 1002, REASON_PROTOCOL }, { 1003, REASON_PROTOCOL },
		{ 1006, REASON_NETWORK },  { 1007, REASON_PROTOCOL },
		{ 1008, REASON_SERVER },   { 1009, REASON_PROTOCOL },
		{ 1010, REASON_PROTOCOL }, { 1011, REASON_SERVER },
		{ 1012, REASON_RESTART },  { 1013, REASON_QUOTA },
		{ 1014, REASON_QUOTA },    { 3000, REASON_SERVER },
		{ 4999, REASON_SERVER },   { 0, REASON_SERVER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("row: %u\n", rows[i].code);
		assert_int_equal(reason_of_close(rows[i].code), rows[i].class);
	}
}

static void test_names(void **state)
{
	static const char *const names[] = {
		[REASON_NONE] = "none",         [REASON_DNS] = "dns",
		[REASON_TCP] = "tcp",           [REASON_TLS] = "tls",
		[REASON_CONFIG] = "config",     [REASON_AUTH] = "auth",
		[REASON_PAYMENT] = "payment",   [REASON_QUOTA] = "quota",
		[REASON_SERVER] = "server",     [REASON_RESTART] = "restart",
		[REASON_NETWORK] = "network",   [REASON_PROTOCOL] = "protocol",
		[REASON_SESSION] = "session",   [REASON_SPEED] = "speed",
		[REASON_TIMEOUT] = "timeout",
	};

	(void)state;
	assert_int_equal(ARRAY_LEN(names), REASON_CLASSES);
	for (unsigned c = 0; c < REASON_CLASSES; c++)
		assert_string_equal(reason_name(c), names[c]);
	assert_string_equal(reason_name(REASON_CLASSES), "none");
}

static void test_text_is_fit_to_publish(void **state)
{
	struct reason r;
	char text[400];

	(void)state;
	memset(&r, 0xa5, sizeof(r));
	reason_set(&r, REASON_AUTH, 401, "key \"%s\"\n", "\x1b[2Jr\xc3\xb6t");
	assert_int_equal(r.class, REASON_AUTH);
	assert_int_equal(r.code, 401);
	assert_int_equal(r.retry_after_ms, 0);
	assert_string_equal(r.text, "key \"?[2Jr\xc3\xb6t\"?");

	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 5);
		reason_set(&r, REASON_DNS, 0, "%s", text);
		assert_int_equal(strlen(r.text), REASON_TEXT - 1);
		assert_true(utf8_valid(r.text, REASON_TEXT - 1));
	}
}

static void test_secrets_are_struck_out(void **state)
{
	static const struct {
		const char *text, *secret, *want;
	} rows[] = {
		{ "key abcdefgh is bad", "abcdefgh", "key ******** is bad" },
		{ "abcdefghabcdefgh", "abcdefgh", "****************" },
		{ "abcdefgh", "abcdefgh", "********" },
		{ "cut off: abcdefg", "abcdefgh", "cut off: *******" },
		{ "cut off: abcd", "abcdefgh", "cut off: ****" },
		{ "a word: abc", "abcdefgh", "a word: abc" },
		{ "abcdefg is another", "abcdefgh", "abcdefg is another" },
		{ "too short: k1", "k1", "too short: k1" },
		{ "none", "", "none" },
		{ "", "abcdefgh", "" },
		{ "stars ********", "********", "stars ********" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reason r;

		reason_set(&r, REASON_AUTH, 401, "%s", rows[i].text);
		reason_strike(&r, rows[i].secret);
		if (strcmp(r.text, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].text, r.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_close_codes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_text_is_fit_to_publish),
		cmocka_unit_test(test_secrets_are_struck_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
