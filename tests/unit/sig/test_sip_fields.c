/** @file test_sip_fields.c  Header lines as they stand there; values, parameters, brackets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/sig/sip_fields.h"

#define is(t, what) row_is(row, t, what)

static void row_is(const char *row, struct sip_text t, const char *what)
{
	if (!t.p != !what || (what && (t.len != strlen(what) ||
				       memcmp(t.p, what, t.len) != 0)))
		fail_msg("row \"%s\": \"%.*s\" for \"%s\"", row, (int)t.len,
			 t.p ? t.p : "", what ? what : "(none)");
}

/* In a block of exactly its size, so that a byte beyond it is seen */
static int read_exact(struct sip_fields *f, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	const int err = sip_fields_read(f, copy, len);

	free(copy);
	return err;
}

static const struct {
	const char *name, *text, *field;
	size_t nth;
	const char *value;
} fields[] = {
	{ "plain", "OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n", "via", 0, "x" },
	{ "compact", "OPTIONS sip:a SIP/2.0\r\nv: x\r\n\r\n", "via", 0, "x" },
	{ "capital compact", "O sip:a SIP/2.0\r\nV : x \r\n", "via", 0, "x" },
	{ "second", "O sip:a SIP/2.0\r\nv: x\r\nVIA:y\r\n\r\n", "via", 1, "y" },
	{ "no third", "O sip:a SIP/2.0\r\nv: x\r\nVIA:y\r\n", "via", 2, NULL },
	{ "folded", "O sip:a SIP/2.0\r\nTo: x\r\n\ty\r\n\r\n", "to", 0,
	  "x  \ty" },
	{ "folded by LF", "O sip:a SIP/2.0\nTo: x\n y\n\n", "to", 0, "x  y" },
	{ "a CR alone", "O sip:a SIP/2.0\nTo: x\ry\n\n", "to", 0, "x y" },
	{ "lines before", "\r\n\r\nO sip:a SIP/2.0\r\nt: x\r\n", "to", 0, "x" },
	{ "no end", "O sip:a SIP/2.0\r\nto: x", "to", 0, "x" },
	{ "not from the body", "O sip:a SIP/2.0\r\n\r\nto: x\r\n", "to", 0,
	  NULL },
	{ "a line that is none", "O sip:a SIP/2.0\r\nbla\r\nto: x", "to", 0,
	  "x" },
	{ "no name", "O sip:a SIP/2.0\r\n: bla\r\nto: x", "to", 0, "x" },
	{ "empty", "O sip:a SIP/2.0\r\nto:\r\n", "to", 0, "" },
	{ "another compact form", "O sip:a SIP/2.0\r\nf: x\r\n", "to", 0, NULL },
};

static void test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const char *row = fields[i].name;
		struct sip_fields f;

		if (read_exact(&f, fields[i].text, strlen(fields[i].text)))
			fail_msg("row \"%s\"", row);
		is(sip_field(&f, fields[i].field, fields[i].nth),
		   fields[i].value);
		sip_fields_free(&f);
	}
}

static void test_nul_and_every_prefix(void **state)
{
	static const char text[] = "INVITE sip:a@b SIP/2.0\r\n"
				   "Via: a\0b\r\nTo: \"x\\\"\r\n <y>\r\n\r\n";
	struct sip_fields f;
	const char *row = "nul";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		const int err = read_exact(&f, text, n);

		assert_int_equal(err, n ? 0 : -EBADMSG);
		if (err)
			continue;
		if (n == sizeof(text) - 1)
			is(sip_field(&f, "via", 0), "a?b");
		sip_fields_free(&f);
	}
	assert_int_equal(read_exact(&f, "\r\n\r\n", 4), -EBADMSG);
}

static void test_limits(void **state)
{
	struct buf b = { 0 };
	struct sip_fields f;

	(void)state;
	buf_puts(&b, "O sip:a SIP/2.0\r\nlong: ");
	for (int i = 0; i < SIP_LINE_MAX; i++)
		buf_puts(&b, "x");
	for (int i = 0; i < SIP_HEADERS_MAX + 5; i++)
		buf_printf(&b, "\r\nh: %d", i);
	assert_int_equal(read_exact(&f, buf_str(&b), b.len), 0);
	assert_null(sip_field(&f, "long", 0).p);
	assert_int_equal(f.n, SIP_HEADERS_MAX);
	sip_fields_free(&f);
	while (b.len <= SIP_MESSAGE_MAX)
		buf_puts(&b, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_int_equal(read_exact(&f, buf_str(&b), b.len), -EMSGSIZE);
	buf_free(&b);
}

static const struct {
	const char *line;
	bool request;
	const char *method, *uri, *version;
} starts[] = {
	{ "OPTIONS sip:a@b SIP/2.0", true, "OPTIONS", "sip:a@b", "SIP/2.0" },
	{ "OPTIONS  sip:a@b  SIP/2.0", true, "OPTIONS", "", "sip:a@b  SIP/2.0" },
	{ "INVITE sip:a; lr SIP/2.0", true, "INVITE", "sip:a;", "lr SIP/2.0" },
	{ "OPTIONS sip:a SIP/7.0", true, "OPTIONS", "sip:a", "SIP/7.0" },
	{ "OPTIONS sip:a SIP/2.0 ", true, "OPTIONS", "sip:a", "SIP/2.0 " },
	{ "SIP/2.0 200 OK", false, "SIP/2.0", "200", "OK" },
	{ "GET / HTTP/1.1", false, "GET", "/", "HTTP/1.1" },
	{ "hello", false, "hello", "", "" },
};

static void test_start_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		const char *row = starts[i].line;
		struct sip_fields f;

		assert_int_equal(read_exact(&f, row, strlen(row)), 0);
		if (sip_fields_request(&f) != starts[i].request)
			fail_msg("row \"%s\"", row);
		is(f.method, starts[i].method);
		is(f.uri, starts[i].uri);
		is(f.version, starts[i].version);
		sip_fields_free(&f);
	}
}

static const struct {
	const char *text;
	const char *values[4];
} lists[] = {
	{ "a", { "a" } },
	{ "a,b , c", { "a", "b", "c" } },
	{ ",,a,", { "a" } },
	{ "", { NULL } },
	{ "\"a,b\" <sip:c,d>;x=1, e", { "\"a,b\" <sip:c,d>;x=1", "e" } },
	{ "\"a\\\",\" <b>,c", { "\"a\\\",\" <b>", "c" } },
	{ "\"never, closed", { "\"never, closed" } },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *row = lists[i].text;
		struct sip_text rest = { row, strlen(row) }, one;
		size_t n = 0;

		while (sip_next_value(&rest, &one)) {
			assert_true(n < 4);
			is(one, lists[i].values[n++]);
		}
		if (lists[i].values[n])
			fail_msg("row \"%s\"", row);
	}
}

static const struct {
	const char *text, *name, *value; /* NULL: not there */
} params[] = {
	{ "<sip:a>;tag=x", "tag", "x" },
	{ "<sip:a;tag=no>;TAG = x ;y", "tag", "x" },
	{ "<sip:a>;x;tag=x", "x", "" },
	{ "<sip:a>;xtag=x", "tag", NULL },
	{ "\"a;tag=x\" <sip:a>", "tag", NULL },
	{ "sip:a;tag=x", "tag", "x" },
	{ "<sip:a>;", "tag", NULL },
	{ "<sip:a", "tag", NULL },
	{ "a;b=\"c;tag=d\";tag=e", "tag", "e" },
};

static void test_params(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		const char *row = params[i].text;
		const struct sip_text t = { row, strlen(row) };
		struct sip_text value = { NULL, 0 };

		sip_param(t, params[i].name, &value);
		is(value, params[i].value);
	}
}

static const struct {
	const char *text;
	bool good;
} balance[] = {
	{ "", true },
	{ "\"a\" <sip:b>", true },
	{ "\"a <sip:b>", false },
	{ "a <sip:b", false },
	{ "sip:b>", false },
	{ "<<a>>", false },
	{ "\"<\" <a>", true },
	{ "\"\\\"\" <a>", true },
	{ "\"\\", false },
	{ "<a\">", true },
};

static void test_balance(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(balance); i++) {
		const size_t n = strlen(balance[i].text);
		char *copy = malloc(n ? n : 1);

		assert_non_null(copy);
		memcpy(copy, balance[i].text, n);
		if (sip_balanced((struct sip_text){ copy, n }) !=
		    balance[i].good)
			fail_msg("row \"%s\"", balance[i].text);
		free(copy);
	}
}

static void test_lists(void **state)
{
	static const char text[] = "O sip:a SIP/2.0\r\nSupported: timer\r\n"
				   "k: 100rel , siprec\r\n";
	struct sip_fields f;

	(void)state;
	assert_int_equal(read_exact(&f, text, strlen(text)), 0);
	assert_true(sip_field_lists(&f, "supported", "SIPREC"));
	assert_true(sip_field_lists(&f, "supported", "timer"));
	assert_false(sip_field_lists(&f, "supported", "time"));
	assert_false(sip_field_lists(&f, "require", "timer"));
	sip_fields_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_nul_and_every_prefix),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_start_lines),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_balance),
		cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
