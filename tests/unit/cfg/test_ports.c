/** @file test_ports.c  Ranges of ports, and what is said of them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/ports.h"

static void test_ranges(void **state)
{
	static const struct {
		const char *text;
		int want;
		unsigned first, last;
	} rows[] = {
		{ "24000-27999", 0, 24000, 27999 }, { "1-65535", 0, 1, 65535 },
		{ "24000-24001", 0, 24000, 24001 }, { "24001-24003", 0, 24001,
						      24003 },
		{ "24001-24002", -EBADMSG, 0, 0 }, { "0-9", -EBADMSG, 0, 0 },
		{ "9-8", -EBADMSG, 0, 0 }, { "9-9", -EBADMSG, 0, 0 },
		{ "1-65536", -EBADMSG, 0, 0 }, { "24000", -EBADMSG, 0, 0 },
		{ "", -EBADMSG, 0, 0 }, { "-", -EBADMSG, 0, 0 },
		{ "1-", -EBADMSG, 0, 0 }, { "-9", -EBADMSG, 0, 0 },
		{ "1-9-9", -EBADMSG, 0, 0 }, { "1 -9", -EBADMSG, 0, 0 },
		{ "+1-9", -EBADMSG, 0, 0 }, { "65535-65536", -EBADMSG, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ports p = {0};
		const int err = ports_parse(&p, rows[i].text);

		if (err != rows[i].want || p.first != rows[i].first ||
		    p.last != rows[i].last)
			fail_msg("%s: %d, %u-%u", rows[i].text, err, p.first,
				 p.last);
	}
}

static void test_warnings(void **state)
{
	static const struct {
		struct ports p, kernels;
		unsigned legs;
		const char *words[2];
	} rows[] = {
		{ { 24000, 27999 }, { 32768, 60999 }, 2000, { NULL, NULL } },
		{ { 24000, 27999 }, { 0, 0 }, 0, { NULL, NULL } },
		{ { 24000, 27999 }, { 32768, 60999 }, 2001,
		  { "2000 legs, sip max-calls is 2001", NULL } },
		{ { 24000, 32767 }, { 32768, 60999 }, 0, { NULL, NULL } },
		{ { 24000, 32768 }, { 32768, 60999 }, 0, { "overlap", NULL } },
		{ { 60999, 65535 }, { 32768, 60999 }, 0, { "overlap", NULL } },
		{ { 61000, 65535 }, { 32768, 60999 }, 0, { NULL, NULL } },
		{ { 24000, 24063 }, { 32768, 60999 }, 0, { NULL, NULL } },
		{ { 24001, 24063 }, { 32768, 60999 }, 0,
		  { "for 31 legs only", NULL } },
		{ { 40000, 40009 }, { 32768, 60999 }, 100,
		  { "overlap", "5 legs, sip max-calls is 100" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		size_t lines = 0, want = 0;

		ports_warn(&out, &rows[i].p, &rows[i].kernels, rows[i].legs);
		for (size_t n = 0; n < out.len; n++)
			lines += out.data[n] == '\n';
		for (; want < 2 && rows[i].words[want]; want++)
			if (!strstr(buf_str(&out), rows[i].words[want]))
				fail_msg("row %zu: %s", i, buf_str(&out));
		if (lines != want)
			fail_msg("row %zu: %s", i, buf_str(&out));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
