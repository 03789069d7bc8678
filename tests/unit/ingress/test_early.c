/**
 * @file test_early.c  daemon/ingress/early.c
 *
 * A script is steps "WHO N LEN": N packets of LEN bytes from 192.0.2.WHO, each
 * with a number that counts up; "WHO" alone releases and prints "FIRST-LAST"
 * of what came out, in order.
 */
#include "daemon/ingress/early.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

static const struct row {
	const char *name, *script, *want;
	unsigned dropped;
} rows[] = {
	{ "nothing", "1", "", 0 },
	{ "in order", "1 5 100; 1", "0-4 ", 0 },
	{ "only theirs", "2 3 100; 1 5 100; 2 1 100; 1; 2", "3-7 ", 0 },
	{ "as many as are kept", "1 256 172; 1", "0-255 ", 0 },
	{ "one more", "1 257 172; 1", "1-256 ", 1 },
	{ "as many bytes as are kept", "1 64 1024; 1", "0-63 ", 0 },
	{ "a byte more", "1 64 1024; 1 1 1; 1", "1-64 ", 1 },
	{ "larger than all", "1 2 9; 1 1 65537; 1", "0-1 ", 1 },
	{ "empty ones", "1 2 0; 1", "0-1 ", 0 },
	{ "four addresses", "1 1 9; 2 2 9; 3 1 9; 4 2 9; 1", "0-0 ", 0 },
	{ "a fifth takes the smallest one's place",
	  "1 3 9; 2 2 9; 3 1 9; 4 2 9; 5 4 9; 3; ", "", 1 },
	{ "a fifth is kept", "1 3 9; 2 2 9; 3 1 9; 4 2 9; 5 4 9; 5", "8-11 ",
	  1 },
	{ "sprayed from everywhere", "1 20 9; 2 1 9; 3 1 9; 4 1 9; 5 1 9;"
	  "6 1 9; 7 1 9; 8 1 9; 9 1 9; 1 5 9; 1", "0-19 28-32 ", 5 },
	{ "a second time", "1 3 9; 1; 1 2 9; 1", "0-2 3-4 ", 0 },
};

static struct {
	struct buf out;
	unsigned first, last;
	bool any;
	struct early *e;
} t;

static unsigned number_in(const struct packet *p)
{
	/* its arrival is its number, and so is each of its bytes */
	for (size_t i = 0; i < p->len; i++)
		assert_int_equal(p->data[i], (uint8_t)p->at_us);
	return (unsigned)p->at_us;
}

static void flush_out(void)
{
	if (t.any)
		buf_printf(&t.out, "%u-%u ", t.first, t.last);
	t.any = false;
}

static void on_packet(const struct packet *p, void *arg)
{
	const unsigned n = number_in(p);

	assert_ptr_equal(arg, &t);
	assert_false(early_any(t.e));
	if (t.any && n != t.last + 1)
		flush_out();
	if (!t.any)
		t.first = n;
	t.last = n;
	t.any = true;
}

static void play(struct early *e, const char *script, unsigned *dropped)
{
	unsigned count = 0;

	for (const char *s = script; s; s = strchr(s, ';')) {
		char *end;
		s += *s == ';';
		const uint8_t ip[4] = { 192, 0, 2,
					(uint8_t)strtoul(s, &end, 10) };
		if (end == s)
			break;
		const unsigned long n = strtoul(end, &end, 10);
		const unsigned long len = strtoul(end, &end, 10);

		for (unsigned i = 0; i < n; i++, count++) {
			uint8_t *data = malloc(len ? len : 1);
			struct packet p = { .at_us = count, .data = data,
					    .len = len, .wire_len = len };

			assert_non_null(data);
			memset(data, (int)count, len);
			p.from = addr_v4(ip, (uint16_t)(1000 + i % 7));
			*dropped += early_keep(e, &p);
			free(data);
		}
		if (!n) {
			const struct addr from = addr_v4(ip, 0);

			early_release(e, &from, on_packet, &t);
			flush_out();
		}
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct early e = { 0 };
		unsigned dropped = 0;

		print_message("row: %s\n", rows[i].name);
		t.e = &e;
		play(&e, rows[i].script, &dropped);
		assert_string_equal(buf_str(&t.out), rows[i].want);
		assert_int_equal(dropped, rows[i].dropped);
		early_clear(&e);
		assert_false(early_any(&e));
		buf_free(&t.out);
		memset(&t, 0, sizeof(t));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
