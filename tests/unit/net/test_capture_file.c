/** @file test_capture_file.c  daemon/net/capture_file.c */
#include "daemon/net/capture_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

static char path[] = "/tmp/test_capture_file.XXXXXX";

/* Numbers in the byte order of whoever wrote the file */
struct out {
	struct buf b;
	bool big;
};

static void put(struct out *o, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		const uint8_t byte =
			(uint8_t)(v >> 8 * (o->big ? bytes - 1 - i : i));

		buf_add(&o->b, &byte, 1);
	}
}

/* https://www.tcpdump.org/manpages/pcap-savefile.5.txt */
static void put_pcap_head(struct out *o, bool nano, uint32_t link_type)
{
	put(o, nano ? 0xa1b23c4d : 0xa1b2c3d4, 4);
	put(o, 2, 2);
	put(o, 4, 2);
	put(o, 0, 4);
	put(o, 0, 4);
	put(o, 262144, 4);
	put(o, link_type, 4);
}

static void put_record(struct out *o, uint32_t s, uint32_t fraction,
		       uint32_t len, uint32_t wire_len)
{
	put(o, s, 4);
	put(o, fraction, 4);
	put(o, len, 4);
	put(o, wire_len, 4);
	for (uint32_t i = 0; i < len; i++)
		put(o, i & 0xff, 1);
}

/* draft-ietf-opsawg-pcapng: section header, interface, enhanced packet */
static void put_section(struct out *o)
{
	put(o, 0x0a0d0d0a, 4);
	put(o, 28, 4);
	put(o, 0x1a2b3c4d, 4);
	put(o, 1, 2);
	put(o, 0, 2);
	put(o, UINT64_MAX, 8);
	put(o, 28, 4);
}

static void put_interface(struct out *o, uint32_t link_type, uint8_t tsresol)
{
	put(o, 1, 4);
	put(o, 32, 4);
	put(o, link_type, 2);
	put(o, 0, 2);
	put(o, 262144, 4);
	put(o, 9, 2);        /* if_tsresol */
	put(o, 1, 2);
	put(o, tsresol, 1);
	put(o, 0, 3);
	put(o, 0, 4);        /* End of options */
	put(o, 32, 4);
}

static void put_packet(struct out *o, uint32_t interface, uint64_t time,
		       uint32_t len)
{
	const uint32_t padded = (len + 3) & ~3u;

	put(o, 6, 4);
	put(o, 32 + padded, 4);
	put(o, interface, 4);
	put(o, time >> 32, 4);
	put(o, time & 0xffffffff, 4);
	put(o, len, 4);
	put(o, len, 4);
	for (uint32_t i = 0; i < padded; i++)
		put(o, i & 0xff, 1);
	put(o, 32 + padded, 4);
}

static void write_file(struct out *o, size_t cut)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(o->b.err, 0);
	assert_int_equal(fwrite(buf_str(&o->b), 1, o->b.len - cut, f),
			 o->b.len - cut);
	assert_int_equal(fclose(f), 0);
	buf_free(&o->b);
}

static void test_byte_orders_and_precisions(void **state)
{
	static const struct {
		const char *name;
		bool big, nano;
	} rows[] = {
		{ "little endian, us", false, false },
		{ "big endian, us", true, false },
		{ "little endian, ns", false, true },
		{ "big endian, ns", true, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = { .big = rows[i].big };
		struct capture_file *c;
		struct frame f;
		struct reason why = { 0 };

		print_message("row: %s\n", rows[i].name);
		put_pcap_head(&o, rows[i].nano, 1);
		put_record(&o, 1700000000, rows[i].nano ? 123456789 : 123456,
			   60, 60);
		put_record(&o, 1700000001, 5, 20, 1500);
		put_record(&o, 0xffffffff, 0, 0, 0);
		write_file(&o, 0);
		assert_int_equal(capture_file_open(&c, path, &why), 0);
		assert_int_equal(capture_file_next(c, &f, &why), 1);
		assert_int_equal(f.at_us, 1700000000123456);
		assert_int_equal(f.link_type, 1);
		assert_int_equal(f.len, 60);
		assert_int_equal(f.wire_len, 60);
		assert_int_equal(f.data[59], 59);
		assert_int_equal(capture_file_next(c, &f, &why), 1);
		assert_int_equal(f.at_us, 1700000001000000 +
						  (rows[i].nano ? 0 : 5));
		assert_int_equal(f.len, 20);
		assert_int_equal(f.wire_len, 1500);
		/* Seconds are unsigned: the year 2106 */
		assert_int_equal(capture_file_next(c, &f, &why), 1);
		assert_int_equal(f.at_us, 4294967295000000);
		assert_int_equal(f.len, 0);
		assert_int_equal(capture_file_next(c, &f, &why), 0);
		assert_int_equal(capture_file_next(c, &f, &why), 0);
		capture_file_close(c);
	}
}

static void test_pcapng_of_both_byte_orders(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++)
		for (int nano = 0; nano < 2; nano++) {
			struct out o = { .big = big };
			struct capture_file *c;
			struct frame f;
			struct reason why = { 0 };
			const uint64_t unit = nano ? 1000 : 1;

			print_message("row: big %d nano %d\n", big, nano);
			put_section(&o);
			put_interface(&o, 1, nano ? 9 : 6);
			put_interface(&o, 1, 6);
			put_packet(&o, 0, 1700000000123456 * unit, 61);
			put_packet(&o, 1, 1700000000123457, 62);
			write_file(&o, 0);
			assert_int_equal(capture_file_open(&c, path, &why), 0);
			assert_int_equal(capture_file_next(c, &f, &why), 1);
			assert_int_equal(f.at_us, 1700000000123456);
			assert_int_equal(f.len, 61);
			assert_int_equal(f.data[60], 60);
			assert_int_equal(capture_file_next(c, &f, &why), 1);
			assert_int_equal(f.at_us, 1700000000123457);
			assert_int_equal(f.len, 62);
			assert_int_equal(capture_file_next(c, &f, &why), 0);
			capture_file_close(c);
		}
}

/* What stands in the reason, and what has come until then */
static void expect_damage(const char *part, unsigned frames)
{
	struct capture_file *c;
	struct frame f;
	struct reason why = { 0 };
	int got;
	unsigned n = 0;

	assert_int_equal(capture_file_open(&c, path, &why), 0);
	while ((got = capture_file_next(c, &f, &why)) == 1)
		n++;
	assert_int_equal(got, -EBADMSG);
	assert_int_equal(n, frames);
	if (!strstr(why.text, part))
		print_message("  said: %s\n", why.text);
	assert_non_null(strstr(why.text, part));
	/* And again */
	why = (struct reason){ 0 };
	assert_int_equal(capture_file_next(c, &f, &why), -EBADMSG);
	assert_non_null(strstr(why.text, part));
	capture_file_close(c);
}

static void test_cut_off_anywhere(void **state)
{
	(void)state;
	/* The last of three records: 16 bytes of head, 60 of data */
	for (size_t cut = 1; cut < 76; cut++) {
		struct out o = { 0 };

		put_pcap_head(&o, false, 1);
		for (int i = 0; i < 3; i++)
			put_record(&o, 1, 1, 60, 60);
		write_file(&o, cut);
		expect_damage("the 2 whole frames were used; copy the file "
			      "again", 2);
	}
	for (size_t cut = 1; cut < 92; cut++) {
		struct out o = { 0 };

		put_section(&o);
		put_interface(&o, 1, 6);
		for (int i = 0; i < 3; i++)
			put_packet(&o, 0, 1, 60);
		write_file(&o, cut);
		expect_damage("the 2 whole frames were used", 2);
	}
}

static void test_mixed_link_types(void **state)
{
	static const struct {
		uint32_t link_type;
		const char *cure;
	} rows[] = {
		{ 1, "tshark -r FILE -Y frame.encap_type==1 -w - | editcap "
		     "-F nsecpcap -T ether - ether.pcap" },
		{ 113, "frame.encap_type==25 -w - | editcap -F nsecpcap -T "
		       "linux-sll - linux-sll.pcap" },
		{ 276, "frame.encap_type==210 -w - | editcap -F nsecpcap -T "
		       "linux-sll2 - linux-sll2.pcap" },
		{ 101, "frame.encap_type==7 -w - | editcap -F nsecpcap -T "
		       "rawip - rawip.pcap" },
		{ 0, "frame.encap_type==15 -w - | editcap -F nsecpcap -T "
		     "null - null.pcap" },
		{ 108, "frame.encap_type==174 -w - | editcap -F nsecpcap -T "
		       "loop - loop.pcap" },
		{ 229, "tshark -Y and editcap -T" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = { 0 };

		print_message("row: %u\n", rows[i].link_type);
		put_section(&o);
		put_interface(&o, rows[i].link_type, 6);
		put_packet(&o, 0, 1, 60);
		put_interface(&o, 228, 6);
		put_packet(&o, 1, 1, 60);
		write_file(&o, 0);
		expect_damage(rows[i].cure, 1);
	}
}

static void expect_refusal(const char *file, int err, const char *part)
{
	struct capture_file *c = NULL;
	struct reason why = { 0 };

	assert_int_equal(capture_file_open(&c, file, &why), err);
	if (!strstr(why.text, part))
		print_message("  said: %s\n", why.text);
	assert_non_null(strstr(why.text, part));
	assert_null(c);
}

static void test_what_is_no_capture(void **state)
{
	static const struct {
		const char *name;
		const char *content;
		size_t len;
		const char *part;
	} rows[] = {
		{ "empty", "", 0, "empty" },
		{ "gzip", "\x1f\x8b\x08\0\0\0\0\0", 8, "gunzip it first" },
		{ "zstd", "\x28\xb5\x2f\xfd", 4, "unzstd it first" },
		{ "xz", "\xfd\x37zXZ", 5, "unxz it first" },
		{ "bzip2", "BZh9", 4, "bunzip2 it first" },
		{ "text", "hello, capture", 14, "not a capture" },
		{ "snoop", "snoop\0\0\0\0\0\0\2\0\0\0\4", 16,
		  "editcap -F pcapng" },
		{ "one byte", "\xd4", 1, "not a capture" },
		{ "header cut off", "\xd4\xc3\xb2\xa1\2\0\4\0", 8,
		  "not a capture" },
		{ "version 9", "\xd4\xc3\xb2\xa1\x09\0\x09\0\0\0\0\0\0\0\0\0"
		  "\0\0\4\0\1\0\0\0", 24, "not a capture" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = { 0 };

		print_message("row: %s\n", rows[i].name);
		buf_add(&o.b, rows[i].content, rows[i].len);
		write_file(&o, 0);
		expect_refusal(path, -EBADMSG, rows[i].part);
	}
}

static void test_files_that_cannot_be_opened(void **state)
{
	(void)state;
	expect_refusal("/nonexistent/x.pcap", -ENOENT,
		       "No such file or directory: check the path");
	expect_refusal("/tmp", -EBADMSG, "is a directory");
	if (geteuid() == 0) {
		print_message("  root may read everything: no row for EACCES\n");
		return;
	}
	assert_int_equal(chmod(path, 0), 0);
	expect_refusal(path, -EACCES, "no permission");
	assert_int_equal(chmod(path, 0600), 0);
}

static void test_link_types_nobody_can_read(void **state)
{
	struct out o = { 0 };

	(void)state;
	put_pcap_head(&o, false, 105);
	write_file(&o, 0);
	expect_refusal(path, -ENOTSUP, "IEEE802_11 (105)");
}

/* libpcap takes longer records for damage; nothing of that size is kept */
static void test_records_longer_than_256_kib(void **state)
{
	static const uint32_t lens[] = { 262145, 300000, 0x7fffffff,
					 0xffffffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		struct out o = { 0 };

		print_message("row: %u\n", lens[i]);
		put_pcap_head(&o, false, 1);
		put_record(&o, 1, 1, 60, 60);
		put(&o, 1, 4);
		put(&o, 1, 4);
		put(&o, lens[i], 4);
		put(&o, lens[i], 4);
		for (int k = 0; k < 100; k++)
			put(&o, 0, 4);
		write_file(&o, 0);
		expect_damage("damaged after 1 frames", 1);
	}
}

static void test_a_pipe_will_do(void **state)
{
	struct out o = { 0 };
	struct capture_file *c;
	struct frame f;
	struct reason why = { 0 };
	char name[32];
	int fds[2];

	(void)state;
	put_pcap_head(&o, false, 1);
	put_record(&o, 7, 8, 60, 60);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], o.b.data, o.b.len), o.b.len);
	close(fds[1]);
	buf_free(&o.b);
	snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
	assert_int_equal(capture_file_open(&c, name, &why), 0);
	assert_int_equal(capture_file_next(c, &f, &why), 1);
	assert_int_equal(f.at_us, 7000008);
	assert_int_equal(capture_file_next(c, &f, &why), 0);
	capture_file_close(c);
	close(fds[0]);
}

static int make_file(void **state)
{
	(void)state;
	const int fd = mkstemp(path);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_byte_orders_and_precisions),
		cmocka_unit_test(test_pcapng_of_both_byte_orders),
		cmocka_unit_test(test_cut_off_anywhere),
		cmocka_unit_test(test_mixed_link_types),
		cmocka_unit_test(test_what_is_no_capture),
		cmocka_unit_test(test_files_that_cannot_be_opened),
		cmocka_unit_test(test_link_types_nobody_can_read),
		cmocka_unit_test(test_records_longer_than_256_kib),
		cmocka_unit_test(test_a_pipe_will_do),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
