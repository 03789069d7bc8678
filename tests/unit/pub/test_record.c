/** @file test_record.c  daemon/pub/record.c; the known bytes are Python's */
#include "daemon/pub/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* struct.pack(">II", len(body), zlib.crc32(body)) + body, where body =
   struct.pack(">QQBBH", 5, 1700000000000001, 6, 2, 0) + b'c1\0{"a":1}\n' */
#define ONE \
	"\x00\x00\x00\x1f\x24\xe6\x57\x25\x00\x00\x00\x00\x00\x00\x00\x05" \
	"\x00\x06\x0a\x24\x18\x1e\x40\x01\x06\x02\x00\x00\x63\x31\x00\x7b" \
	"\x22\x61\x22\x3a\x31\x7d\x0a"
/* b"TSJRNL1\n" + struct.pack(">QQQ", 0xab, 7, 1700000000000000) +
   bytes(range(16)) + struct.pack(">QQI", 1600000000000000, 8388608, 1) and
   zlib.crc32 of all that */
#define HEAD \
	"\x54\x53\x4a\x52\x4e\x4c\x31\x0a\x00\x00\x00\x00\x00\x00\x00\xab" \
	"\x00\x00\x00\x00\x00\x00\x00\x07\x00\x06\x0a\x24\x18\x1e\x40\x00" \
	"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f" \
	"\x00\x05\xaf\x31\x07\xa4\x00\x00\x00\x00\x00\x00\x00\x80\x00\x00" \
	"\x00\x00\x00\x01\x79\x8f\xf1\x70"

static const struct record one = {
	.seq = 5, .at_us = 1700000000000001, .kind = 6, .key = "c1",
	.line = "{\"a\":1}\n", .len = 8,
};

/* In a block of its own, so that a read behind it is seen. */
static uint8_t *exact(const void *data, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	assert_non_null(p);
	memcpy(p, data, n);
	return p;
}

static void test_known_bytes(void **state)
{
	uint8_t out[128];
	struct record r;

	(void)state;
	assert_int_equal(record_size(&one), sizeof(ONE) - 1);
	assert_int_equal(record_put(out, &one), sizeof(ONE) - 1);
	assert_memory_equal(out, ONE, sizeof(ONE) - 1);

	uint8_t *p = exact(ONE, sizeof(ONE) - 1);
	assert_int_equal(record_get(&r, p, sizeof(ONE) - 1), sizeof(ONE) - 1);
	assert_int_equal(r.seq, 5);
	assert_int_equal(r.at_us, 1700000000000001);
	assert_int_equal(r.kind, 6);
	assert_string_equal(r.key, "c1");
	assert_int_equal(r.len, 8);
	assert_memory_equal(r.line, one.line, 8);
	free(p);
}

static void test_every_prefix_asks_for_more(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(ONE) - 1; n++) {
		struct record r = { .seq = 77 };
		uint8_t *p = exact(ONE, n);

		assert_int_equal(record_get(&r, p, n), 0);
		assert_int_equal(r.seq, 77);
		free(p);
	}
}

static void test_no_flipped_bit_is_believed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8 * (sizeof(ONE) - 1); i++) {
		struct record r = { .seq = 77 };
		uint8_t *p = exact(ONE, sizeof(ONE) - 1);

		p[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_true(record_get(&r, p, sizeof(ONE) - 1) <= 0);
		assert_int_equal(r.seq, 77);
		free(p);
	}
}

static void test_odd_records(void **state)
{
	static char line[RECORD_LINE_MAX];
	static uint8_t out[RECORD_MAX];
	struct record r = { .seq = 1, .kind = RECORD_OPEN_END };
	struct record got;
	size_t n;

	(void)state;
	assert_int_equal(record_get(&got, (const uint8_t *)"\0\0\0\0\0\0\0\0",
				    8), -ENODATA);
	n = record_put(out, &r); /* nothing in it */
	assert_int_equal(record_get(&got, out, n), n);
	assert_string_equal(got.key, "");
	assert_int_equal(got.len, 0);

	memset(line, 'x', sizeof(line)); /* the longest */
	char key[256];
	memset(key, 'k', 255);
	key[255] = 0;
	r = (struct record){ .seq = UINT64_MAX, .at_us = UINT64_MAX, .key = key,
			     .line = line, .len = sizeof(line) };
	n = record_put(out, &r);
	assert_int_equal(n, RECORD_MAX);
	assert_int_equal(record_get(&got, out, n), n);
	assert_string_equal(got.key, key);
	assert_int_equal(got.len, sizeof(line));

	static const struct { const char *name; struct record r; } bad[] = {
		{ "no number", { .seq = 0 } },
		{ "no such kind", { .seq = 1, .kind = RECORD_KINDS } },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		n = record_put(out, &bad[i].r);
		if (record_get(&got, out, n) != -EBADMSG)
			fail_msg("%s", bad[i].name);
	}
}

/* -- segments -------------------------------------------------------------- */

enum { N = 40, ROOM = 16 * 1024 };

struct file {
	uint8_t data[ROOM];
	size_t len;
	size_t at[N + 1];   /* Where record i begins; the last: the end */
};

static void fill(struct file *f)
{
	char line[300];

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < N; i++) {
		const size_t len = 1 + i * 7;
		memset(line, 'a' + (int)(i % 26), len);
		f->at[i] = f->len;
		f->len += record_put(f->data + f->len, &(struct record){
			.seq = 100 + i, .at_us = i, .key = "c", .line = line,
			.len = len });
	}
	f->at[N] = f->len;
}

/* Whatever comes out must be one that was put in. */
static void check(const struct record *r)
{
	assert_in_range(r->seq, 100, 100 + N - 1);
	const size_t i = r->seq - 100;
	assert_int_equal(r->at_us, i);
	assert_string_equal(r->key, "c");
	assert_int_equal(r->len, 1 + i * 7);
	for (size_t k = 0; k < r->len; k++)
		assert_int_equal(r->line[k], 'a' + i % 26);
}

static size_t scan_all(struct record_scan *s, uint64_t *skipped)
{
	struct record r;
	uint64_t next = s->next;
	size_t n = 0;

	*skipped = 0;
	while (record_scan(s, &r)) {
		check(&r);
		assert_true(r.seq >= next);
		*skipped += r.seq - next;
		next = r.seq + 1;
		n++;
	}
	return n;
}

static void test_a_segment_cut_anywhere(void **state)
{
	static struct file f;
	uint64_t skipped;

	(void)state;
	fill(&f);
	for (size_t cut = 0; cut <= f.len; cut++) {
		uint8_t *p = exact(f.data, cut);
		struct record_scan s = { .data = p, .len = cut, .next = 100,
					 .end = INT64_MAX };
		size_t whole = 0;

		while (whole < N && f.at[whole + 1] <= cut)
			whole++;
		assert_int_equal(scan_all(&s, &skipped), whole);
		assert_int_equal(skipped, 0);
		assert_int_equal(s.at, f.at[whole]);
		assert_int_equal(s.next, 100 + whole);
		/* a length begins with zeros: they might be free space */
		bool any = false;
		for (size_t i = f.at[whole]; i < cut; i++)
			any |= f.data[i] != 0;
		assert_int_equal(s.damaged, any);
		free(p);
	}
	/* the same with zeros behind it, as it is in a file */
	struct record_scan s = { .data = f.data, .len = ROOM, .next = 100,
				 .end = INT64_MAX };
	assert_int_equal(scan_all(&s, &skipped), N);
	assert_false(s.damaged);
	assert_int_equal(s.at, f.len);
}

static void test_a_flipped_bit_costs_one_record(void **state)
{
	static struct file f;
	uint64_t skipped;

	(void)state;
	fill(&f);
	for (size_t bit = 0; bit < 8 * f.len; bit += 3) {
		uint8_t *p = exact(f.data, f.len);
		struct record_scan s = { .data = p, .len = f.len, .next = 100,
					 .end = INT64_MAX };
		const bool last = bit / 8 >= f.at[N - 1];

		p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(scan_all(&s, &skipped), N - 1);
		assert_int_equal(skipped, !last);
		assert_true(s.damaged);
		free(p);
	}
}

static void test_numbers_out_of_order_do_not_count(void **state)
{
	static struct file f;
	struct record_scan s;
	uint64_t skipped;

	(void)state;
	fill(&f);
	s = (struct record_scan){ .data = f.data, .len = f.len, .next = 110,
				  .end = INT64_MAX };
	assert_int_equal(scan_all(&s, &skipped), N - 10);
	assert_true(s.damaged);
	s = (struct record_scan){ .data = f.data, .len = f.len, .next = 100,
				  .end = 120 };
	assert_int_equal(scan_all(&s, &skipped), 20);
	assert_true(s.damaged);
	/* one twice: the second is not there */
	memmove(f.data + f.at[3], f.data + f.at[2], f.at[3] - f.at[2]);
	s = (struct record_scan){ .data = f.data, .len = f.len, .next = 100,
				  .end = INT64_MAX };
	scan_all(&s, &skipped);
	assert_true(s.damaged);
	assert_int_equal(skipped, 1);
}

static void test_head(void **state)
{
	struct segment_head h = { .epoch = 0xab, .first = 7,
				  .created_us = 1700000000000000,
				  .booted_us = 1600000000000000,
				  .size = 8388608, .flags = SEGMENT_LEFT };
	struct segment_head got = { .epoch = 1 };
	uint8_t out[SEGMENT_HEAD];

	(void)state;
	for (size_t i = 0; i < SEGMENT_BOOT; i++)
		h.boot[i] = (uint8_t)i;
	assert_int_equal(sizeof(HEAD) - 1, SEGMENT_HEAD);
	segment_head_put(out, &h);
	assert_memory_equal(out, HEAD, SEGMENT_HEAD);
	for (size_t n = 0; n < SEGMENT_HEAD; n++) {
		uint8_t *p = exact(HEAD, n);
		assert_int_equal(segment_head_get(&got, p, n), -EBADMSG);
		free(p);
	}
	for (size_t i = 0; i < 8 * SEGMENT_HEAD; i++) {
		memcpy(out, HEAD, SEGMENT_HEAD);
		out[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(segment_head_get(&got, out, sizeof(out)),
				 -EBADMSG);
	}
	assert_int_equal(got.epoch, 1);
	memcpy(out, HEAD, SEGMENT_HEAD);
	assert_int_equal(segment_head_get(&got, out, sizeof(out)), 0);
	assert_int_equal(got.epoch, h.epoch);
	assert_int_equal(got.first, h.first);
	assert_int_equal(got.created_us, h.created_us);
	assert_int_equal(got.booted_us, h.booted_us);
	assert_int_equal(got.size, h.size);
	assert_int_equal(got.flags, h.flags);
	assert_memory_equal(got.boot, h.boot, SEGMENT_BOOT);
}

static void test_names(void **state)
{
	static const struct { const char *name; uint64_t first; } rows[] = {
		{ "00000000000000000001.log", 1 },
		{ "09223372036854775807.log", INT64_MAX },
		{ "00000000000000000000.log", 0 },
		{ "09223372036854775808.log", 0 },
		{ "99999999999999999999.log", 0 },
		{ "0000000000000000001.log", 0 },
		{ "00000000000000000001.lo", 0 },
		{ "0000000000000000000x.log", 0 },
		{ "+0000000000000000001.log", 0 },
		{ "spare.new", 0 }, { "", 0 }, { ".", 0 },
	};
	char name[SEGMENT_NAME];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t first = 0;
		const int err = segment_name_parse(&first, rows[i].name);
		if (err != (rows[i].first ? 0 : -EBADMSG) ||
		    first != rows[i].first)
			fail_msg("%s", rows[i].name);
		if (err)
			continue;
		segment_name(name, first);
		assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_every_prefix_asks_for_more),
		cmocka_unit_test(test_no_flipped_bit_is_believed),
		cmocka_unit_test(test_odd_records),
		cmocka_unit_test(test_a_segment_cut_anywhere),
		cmocka_unit_test(test_a_flipped_bit_costs_one_record),
		cmocka_unit_test(test_numbers_out_of_order_do_not_count),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
