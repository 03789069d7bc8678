/** @file test_multipart.c  daemon/sig/multipart.c */
#include "daemon/sig/multipart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define B70 "1234567890123456789012345678901234567890123456789012345678901234567890"

/* What comes out: "[type|data]" for every part */
static const struct row {
	const char *name, *boundary, *body;
	int err;             /* Of the beginning, or of a part */
	const char *want;
} rows[] = {
	{ "two parts", "b", "--b\r\nContent-Type: a/b\r\n\r\none\r\n--b\r\n"
	  "Content-Type: c/d\r\n\r\ntwo\r\n--b--\r\n", 0, "[a/b|one][c/d|two]" },
	{ "line feeds", "b", "--b\nContent-Type: a/b\n\none\n--b\n"
	  "Content-Type: c/d\n\ntwo\n--b--\n", 0, "[a/b|one][c/d|two]" },
	{ "preamble and epilogue", "b", "hello\r\n--b\r\n\r\none\r\n--b--\r\n"
	  "--b\r\n\r\nafter", 0, "[|one]" },
	{ "closing boundary missing", "b", "--b\r\n\r\none\r\n--b\r\n\r\ntwo",
	  0, "[|one][|two]" },
	{ "closing boundary missing, line end stays", "b",
	  "--b\r\n\r\none\r\n", 0, "[|one\r\n]" },
	{ "ends behind a boundary", "b", "--b\r\n\r\none\r\n--b", 0,
	  "[|one][|]" },
	{ "ends inside the part's head", "b", "--b\r\nContent-Type: a/b", 0,
	  "[a/b|]" },
	{ "blanks behind the boundary", "b",
	  "--b \t\r\n\r\none\r\n--b-- \r\nx", 0, "[|one]" },
	{ "a longer boundary is not ours", "b",
	  "--b\r\n\r\none\r\n--bb\r\n--b-x\r\n--b-\r\n--b--", 0,
	  "[|one\r\n--bb\r\n--b-x\r\n--b-]" },
	{ "a boundary inside a line is none", "b",
	  "--b\r\n\r\none --b\r\nx--b--\r\n --b\r\nx-b\r\n-xb\r\n--b--", 0,
	  "[|one --b\r\nx--b--\r\n --b\r\nx-b\r\n-xb]" },
	{ "nested: whole", "b", "--b\r\nContent-Type: multipart/mixed;"
	  "boundary=c\r\n\r\n--c\r\n\r\nin\r\n--c--\r\n--b--", 0,
	  "[multipart/mixed|--c\r\n\r\nin\r\n--c--]" },
	{ "empty parts", "b", "--b\r\n\r\n--b\r\n--b--", 0, "[|][|]" },
	{ "nothing at all", "b", "--b\r\n--b\n--b--", 0, "[|][|]" },
	{ "parameters of the type", "b", "--b\r\nX: y\r\ncontent-type :\ta/b "
	  ";c=d\r\nContent-Typo: x\r\n\r\none\r\n--b--", 0, "[a/b|one]" },
	{ "a type without a colon", "b", "--b\r\nContent-Type a/b\r\n\r\none"
	  "\r\n--b--", 0, "[|one]" },
	{ "an empty type", "b", "--b\r\nContent-Type:\r\n\r\none\r\n--b--", 0,
	  "[|one]" },
	{ "no boundary in it", "b", "nothing here", 0, "" },
	{ "empty body", "b", "", 0, "" },
	{ "closed before it began", "b", "--b--\r\n--b\r\n\r\none", 0, "" },
	{ "boundary of 70", B70, "--" B70 "\r\n\r\none\r\n--" B70 "--", 0,
	  "[|one]" },
	{ "boundary of 71", B70 "1", "--" B70 "1\r\n\r\none", -EBADMSG, "" },
	{ "boundary of 0", "", "--\r\n\r\none", -EBADMSG, "" },
	{ "boundary that ends with a blank", "b ", "--b \r\n\r\none",
	  -EBADMSG, "" },
	{ "boundary with a blank inside", "b b", "--b b\r\n\r\none\r\n--b b--",
	  0, "[|one]" },
	{ "every character it may have", "'()+_,-./:=?09azAZ",
	  "--'()+_,-./:=?09azAZ\n\none\n--'()+_,-./:=?09azAZ--", 0, "[|one]" },
	{ "a character it may not have", "b\"", "--b\"\r\n\r\none", -EBADMSG,
	  "" },
	{ "boundary made of hyphens", "--", "----\r\n\r\none\r\n------", 0,
	  "[|one]" },
	{ "eight parts", "b", "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n--b\n\n"
	  "5\n--b\n\n6\n--b\n\n7\n--b\n\n8\n--b--", 0,
	  "[|1][|2][|3][|4][|5][|6][|7][|8]" },
	{ "nine parts", "b", "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n--b\n\n"
	  "5\n--b\n\n6\n--b\n\n7\n--b\n\n8\n--b\n\n9\n--b--", -EMSGSIZE,
	  "[|1][|2][|3][|4][|5][|6][|7][|8]" },
};

static int print_parts(struct buf *out, const char *boundary, const char *body,
		       size_t len)
{
	struct multipart m;
	struct multipart_part p;
	int err = multipart_begin(&m, boundary, strlen(boundary), body, len);

	while (!err && (err = multipart_next(&m, &p)) == 1) {
		assert_true(p.data >= body && p.data + p.len <= body + len);
		buf_puts(out, "[");
		buf_add(out, p.type, p.type_len);
		buf_puts(out, "|");
		buf_add(out, p.data, p.len);
		buf_puts(out, "]");
		err = 0;
	}
	return err;
}

static char *exact(const char *text, size_t len)
{
	char *out = malloc(len ? len : 1);

	assert_non_null(out);
	memcpy(out, text, len);
	return out;
}

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const size_t len = strlen(r->body);
		char *body = exact(r->body, len);
		struct buf b = { 0 };

		print_message("row: %s\n", r->name);
		assert_int_equal(print_parts(&b, r->boundary, body, len),
				 r->err);
		assert_string_equal(buf_str(&b), r->want);
		buf_free(&b);
		free(body);
	}
}

static void test_bodies_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t n = 0; n < strlen(rows[i].body); n++) {
			char *body = exact(rows[i].body, n);
			struct buf b = { 0 };

			print_parts(&b, rows[i].boundary, body, n);
			buf_free(&b);
			free(body);
		}
}

static void test_parts_of_64_kib_and_no_more(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct buf body = { 0 }, got = { 0 };
		/* The part's own head counts: its empty line */
		const size_t len = MULTIPART_PART_MAX - 2 + extra;

		buf_puts(&body, "--b\r\n\r\n");
		memset(buf_room(&body, len), 'x', len);
		body.len += len;
		buf_puts(&body, "\r\n--b--");
		assert_int_equal(print_parts(&got, "b", buf_str(&body),
					     body.len),
				 extra ? -EMSGSIZE : 0);
		assert_int_equal(got.len, extra ? 0 : len + 3);
		buf_free(&body);
		buf_free(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_bodies_cut_anywhere),
		cmocka_unit_test(test_parts_of_64_kib_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
