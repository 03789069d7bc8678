/** @file test_decap.c  daemon/net/decap.c: one frame at a time */
#include "daemon/net/decap.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/net/hex.h"

#define MACS "020000000001 020000000002 "
#define ETH MACS "0800 "
#define ETH6 MACS "86dd "
/* 192.0.2.1 -> 192.0.2.2, 2001:db8::1 -> ::2; TOTAL and NEXT are hex */
#define V4ADDR "c0000201 c0000202 "
#define IP(TOTAL, NEXT) "4500 " TOTAL " 0001 0000 40 " NEXT " 0000 " V4ADDR
#define IP6(LEN, NEXT) "60000000 " LEN " " NEXT " 40 " \
	"20010db8000000000000000000000001 20010db8000000000000000000000002 "
/* 4000 -> 4002 */
#define UDP "0fa0 0fa2 000c 0000 "
#define PAY "a1a2a3a4 "
#define TCP "0fa0 0fa2 01020304 05060708 5018 ffff 0000 0000 "
#define PAD "00000000000000000000000000000000 "
#define SLL "0000 0001 0006 020000000001 0000 "
#define SLL2 "0000 00000002 0001 00 06 0200000000010000 "

enum want { V4, V6, NONE, BAD };

static const struct row {
	const char *name;
	int link_type;
	const char *hex;
	enum want want;
	size_t len;        /* Of the payload, when not 4 */
	size_t wire_len;
	size_t more;       /* Bytes there were behind what is here */
} rows[] = {
	{ "ethernet", DLT_EN10MB, ETH IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "ethernet padding is not payload", DLT_EN10MB,
	  ETH IP("0020", "11") UDP PAY PAD, V4, 0, 0, 0 },
	{ "ethernet ipv6", DLT_EN10MB, ETH6 IP6("000c", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "ethernet ipv6 padding", DLT_EN10MB,
	  ETH6 IP6("000c", "11") UDP PAY PAD, V6, 0, 0, 0 },
	{ "vlan", DLT_EN10MB, MACS "8100 0064 0800" IP("0020", "11") UDP PAY,
	  V4, 0, 0, 0 },
	{ "qinq", DLT_EN10MB,
	  MACS "88a8 000a 8100 0064 86dd" IP6("000c", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "old qinq", DLT_EN10MB,
	  MACS "9100 000a 9200 0064 0800" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "four tags", DLT_EN10MB,
	  MACS "8100 0001 8100 0002 8100 0003 8100 0004 0800"
	  IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "five tags", DLT_EN10MB,
	  MACS "8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800"
	  IP("0020", "11") UDP PAY, BAD, 0, 0, 0 },
	{ "arp", DLT_EN10MB, MACS "0806 0001080006040001", NONE, 0, 0, 0 },
	{ "802.3 with a length", DLT_EN10MB, MACS "0026 424203" PAD, NONE,
	  0, 0, 0 },
	{ "sll", DLT_LINUX_SLL, SLL "0800" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "sll vlan", DLT_LINUX_SLL,
	  SLL "8100 0064 0800" IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "sll ipv6", DLT_LINUX_SLL, SLL "86dd" IP6("000c", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "sll netlink", DLT_LINUX_SLL,
	  "0000 0338 0000 0000000000000000 0800" IP("0020", "11") UDP PAY,
	  NONE, 0, 0, 0 },
	{ "sll2", DLT_LINUX_SLL2, "0800" SLL2 IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "sll2 ipv6", DLT_LINUX_SLL2, "86dd" SLL2 IP6("000c", "11") UDP PAY,
	  V6, 0, 0, 0 },
	{ "sll2 netlink", DLT_LINUX_SLL2,
	  "0800 0000 00000002 0338 00 06 0200000000010000"
	  IP("0020", "11") UDP PAY, NONE, 0, 0, 0 },
	{ "raw", DLT_RAW, IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "raw ipv6", DLT_RAW, IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "raw version 5", DLT_RAW, "55000020", BAD, 0, 0, 0 },
	{ "raw empty", DLT_RAW, "", BAD, 0, 0, 0 },
	{ "ipv4", DLT_IPV4, IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "ipv4 that is ipv6", DLT_IPV4, IP6("000c", "11") UDP PAY, BAD,
	  0, 0, 0 },
	{ "ipv6", DLT_IPV6, IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "null little endian", DLT_NULL, "02000000" IP("0020", "11") UDP PAY,
	  V4, 0, 0, 0 },
	{ "null big endian", DLT_NULL, "00000002" IP("0020", "11") UDP PAY,
	  V4, 0, 0, 0 },
	{ "null linux ipv6", DLT_NULL, "0a000000" IP6("000c", "11") UDP PAY,
	  V6, 0, 0, 0 },
	{ "null netbsd ipv6", DLT_NULL, "18000000" IP6("000c", "11") UDP PAY,
	  V6, 0, 0, 0 },
	{ "null freebsd ipv6", DLT_NULL, "1c000000" IP6("000c", "11") UDP PAY,
	  V6, 0, 0, 0 },
	{ "null macos ipv6", DLT_NULL, "1e000000" IP6("000c", "11") UDP PAY,
	  V6, 0, 0, 0 },
	{ "null other", DLT_NULL, "07000000" IP("0020", "11") UDP PAY, NONE,
	  0, 0, 0 },
	{ "loop", DLT_LOOP, "00000002" IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "a link type nobody knows", DLT_IEEE802_11, IP("0020", "11") UDP PAY,
	  NONE, 0, 0, 0 },

	{ "ipv4 options", DLT_RAW,
	  "4600 0024 0001 0000 40 11 0000 " V4ADDR "01010100" UDP PAY, V4,
	  0, 0, 0 },
	{ "ipv4 header of 16 bytes", DLT_RAW,
	  "4400 0020 0001 0000 40 11 0000 " V4ADDR UDP PAY, BAD, 0, 0, 0 },
	{ "ipv4 options that are not there", DLT_RAW,
	  "4f00 0020 0001 0000 40 11 0000 " V4ADDR UDP PAY, BAD, 0, 0, 0 },
	{ "ipv4 total shorter than its header", DLT_RAW,
	  IP("0013", "11") UDP PAY, BAD, 0, 0, 0 },
	{ "ipv4 total 0 (offload)", DLT_RAW, IP("0000", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "ipv4 total longer than the frame", DLT_RAW,
	  IP("ffff", "11") UDP PAY, V4, 0, 0, 0 },
	{ "ipv4 reserved flag", DLT_RAW,
	  "4500 0020 0001 8000 40 11 0000 " V4ADDR UDP PAY, V4, 0, 0, 0 },
	{ "ipv4 dont fragment", DLT_RAW,
	  "4500 0020 0001 4000 40 11 0000 " V4ADDR UDP PAY, V4, 0, 0, 0 },
	{ "icmp that quotes udp", DLT_RAW,
	  IP("003c", "01") "0303000000000000" IP("0020", "11") UDP PAY, NONE,
	  0, 0, 0 },
	{ "icmpv6 that quotes udp", DLT_RAW,
	  IP6("003c", "3a") "0104000000000000" IP6("000c", "11") UDP PAY, NONE,
	  0, 0, 0 },
	{ "gre", DLT_RAW, IP("0038", "2f") "00000800" IP("0020", "11") UDP PAY,
	  NONE, 0, 0, 0 },

	{ "ipv6 hop by hop", DLT_RAW,
	  IP6("0014", "00") "1100050200000000" UDP PAY, V6, 0, 0, 0 },
	{ "ipv6 four extensions", DLT_RAW,
	  IP6("0034", "00") "2b00010400000000" "3c01010400000000"
	  "0000000000000000" "3300010400000000" "1100010400000000" UDP PAY,
	  V6, 0, 0, 0 },
	{ "ipv6 authentication header of 24 bytes", DLT_RAW,
	  IP6("0024", "33") "11040000" "00000001" "00000002"
	  "000000000000000000000000" UDP PAY, V6, 0, 0, 0 },
	{ "ipv6 atomic fragment", DLT_RAW,
	  IP6("0014", "2c") "1100000012345678" UDP PAY, V6, 0, 0, 0 },
	{ "ipv6 extension longer than the packet", DLT_RAW,
	  IP6("0014", "00") "11ff010400000000" UDP PAY, BAD, 0, 0, 0 },
	{ "ipv6 eight extensions", DLT_RAW,
	  IP6("004c", "00") "0000010400000000" "0000010400000000"
	  "0000010400000000" "0000010400000000" "0000010400000000"
	  "0000010400000000" "0000010400000000" "1100010400000000" UDP PAY,
	  V6, 0, 0, 0 },
	{ "ipv6 nine extensions", DLT_RAW,
	  IP6("0054", "00") "0000010400000000" "0000010400000000"
	  "0000010400000000" "0000010400000000" "0000010400000000"
	  "0000010400000000" "0000010400000000" "0000010400000000"
	  "1100010400000000" UDP PAY, BAD, 0, 0, 0 },
	{ "ipv6 no next header", DLT_RAW, IP6("000c", "3b") UDP PAY, NONE,
	  0, 0, 0 },
	{ "ipv6 length 0 (offload)", DLT_RAW, IP6("0000", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "ipv6 length longer than the frame", DLT_RAW,
	  IP6("ffff", "11") UDP PAY, V6, 0, 0, 0 },

	{ "udp cut by snaplen", DLT_RAW,
	  IP("00c8", "11") "0fa0 0fa2 00b4 0000" PAY, V4, 4, 172, 168 },
	{ "udp empty", DLT_RAW, IP("001c", "11") "0fa0 0fa2 0008 0000", V4,
	  SIZE_MAX, 0, 0 },
	{ "udp length 7", DLT_RAW, IP("0020", "11") "0fa0 0fa2 0007 0000" PAY,
	  BAD, 0, 0, 0 },
	{ "udp length 0", DLT_RAW, IP("0020", "11") "0fa0 0fa2 0000 0000" PAY,
	  V4, 0, 0, 0 },
	{ "udp length beyond the ip packet", DLT_RAW,
	  IP("0020", "11") "0fa0 0fa2 ffff 0000" PAY PAD, V4, 0, 0, 0 },
	{ "udp length shorter than the ip packet", DLT_RAW,
	  IP("0020", "11") "0fa0 0fa2 000a 0000" PAY, V4, 2, 2, 0 },
	{ "udp header cut", DLT_RAW, IP("0020", "11") "0fa0 0fa2 000c", BAD,
	  0, 0, 6 },

	{ "tcp", DLT_RAW, IP("002c", "06") TCP PAY, V4, 0, 0, 0 },
	{ "tcp ipv6", DLT_RAW, IP6("0018", "06") TCP PAY, V6, 0, 0, 0 },
	{ "tcp options", DLT_RAW,
	  IP("0030", "06") "0fa0 0fa2 01020304 05060708 6018 ffff 0000 0000"
	  "01010101" PAY, V4, 0, 0, 0 },
	{ "tcp without payload, padded", DLT_EN10MB,
	  ETH IP("0028", "06") TCP "000000000000", V4, SIZE_MAX, 0, 0 },
	{ "tcp header of 16 bytes", DLT_RAW,
	  IP("002c", "06") "0fa0 0fa2 01020304 05060708 4018 ffff 0000 0000"
	  PAY, BAD, 0, 0, 0 },
	{ "tcp header beyond the packet", DLT_RAW,
	  IP("002c", "06") "0fa0 0fa2 01020304 05060708 f018 ffff 0000 0000"
	  PAY, BAD, 0, 0, 0 },
	{ "tcp cut in its options", DLT_RAW,
	  IP("0034", "06") "0fa0 0fa2 01020304 05060708 7018 ffff 0000 0000"
	  "0101", V4, SIZE_MAX, 4, 10 },
};

static int feed(struct decap *d, const struct row *r, const uint8_t *data,
		size_t len, size_t wire_len, struct decap_packet *out)
{
	uint8_t *exact = exact_copy(data, len);

	assert_non_null(exact);
	const int got = decap_feed(d, r->link_type, 1000, exact, len, wire_len,
				   out);

	if (got == 1) {
		assert_true(out->data >= exact);
		assert_true(out->data + out->len <= exact + len);
		out->data = data + (out->data - exact);
	}
	free(exact);
	return got;
}

static void check(const struct row *r, const struct decap_packet *p)
{
	char from[ADDR_TEXT], to[ADDR_TEXT];
	const size_t len = r->len == SIZE_MAX ? 0 : r->len ? r->len : 4;

	assert_string_equal(addr_print(from, &p->from),
			    r->want == V4 ? "192.0.2.1:4000"
					  : "[2001:db8::1]:4000");
	assert_string_equal(addr_print(to, &p->to),
			    r->want == V4 ? "192.0.2.2:4002"
					  : "[2001:db8::2]:4002");
	assert_int_equal(p->len, len);
	assert_int_equal(p->wire_len, r->wire_len ? r->wire_len : len);
	assert_memory_equal(p->data, "\xa1\xa2\xa3\xa4", MIN(len, 4));
	if (p->kind == DECAP_TCP) {
		assert_int_equal(p->tcp_seq, 0x01020304);
		assert_int_equal(p->tcp_ack, 0x05060708);
		assert_int_equal(p->tcp_flags, DECAP_ACK | 8);
	}
}

static void test_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct decap_packet p = { .len = 77 };
		struct decap_stats s;
		struct decap *d;
		size_t len;
		uint8_t *data = hex_bytes(r->hex, &len);

		print_message("row: %s\n", r->name);
		assert_int_equal(decap_new(&d), 0);
		const int got = feed(d, r, data, len, len + r->more, &p);

		decap_stats(d, &s);
		assert_int_equal(s.frames, 1);
		assert_int_equal(s.udp + s.tcp, got == 1);
		assert_int_equal(s.other, got == 0);
		assert_int_equal(s.malformed, got == -EBADMSG);
		if (r->want == V4 || r->want == V6) {
			assert_int_equal(got, 1);
			check(r, &p);
		} else {
			assert_int_equal(got, r->want == BAD ? -EBADMSG : 0);
			assert_int_equal(p.len, 77);
		}
		decap_free(d);
		free(data);
	}
}

/* A capture may cut a frame anywhere: never read on, never claim more */
static void test_frames_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct decap_packet whole, cut;
		struct decap *d;
		size_t len, came = 0;
		uint8_t *data = hex_bytes(r->hex, &len);

		assert_int_equal(decap_new(&d), 0);
		const int got = feed(d, r, data, len, len + r->more, &whole);

		print_message("row: %s\n", r->name);
		for (size_t n = 0; n < len; n++) {
			if (feed(d, r, data, n, len + r->more, &cut) != 1)
				continue;
			assert_int_equal(got, 1);
			came++;
			assert_int_equal(cut.wire_len, whole.wire_len);
			const size_t from = (size_t)(whole.data - data);

			assert_int_equal(cut.len, n < from ? 0
					 : MIN(n - from, whole.len));
		}
		/* Without its payload it is still a packet */
		if (got == 1 && whole.len && whole.kind == DECAP_UDP)
			assert_true(came >= whole.len);
		decap_free(d);
		free(data);
	}
}

/* No byte's value may make it read on or claim what is not there */
static void test_every_byte_changed(void **state)
{
	static const uint8_t values[] = { 0, 1, 5, 0x0f, 0x2c, 0x45, 0x60,
					  0x7f, 0x80, 0xff };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct decap_packet p;
		struct decap *d;
		size_t len;
		uint8_t *data = hex_bytes(r->hex, &len);

		assert_int_equal(decap_new(&d), 0);
		for (size_t n = 0; n < len * ARRAY_LEN(values); n++) {
			const uint8_t kept = data[n / ARRAY_LEN(values)];

			data[n / ARRAY_LEN(values)] =
				values[n % ARRAY_LEN(values)];
			if (feed(d, r, data, len, len, &p) == 1)
				assert_true(p.wire_len <= len &&
					    p.len <= p.wire_len);
			data[n / ARRAY_LEN(values)] = kept;
		}
		decap_free(d);
		free(data);
	}
}

static void test_known_link_types(void **state)
{
	static const int known[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
				     DLT_RAW, DLT_NULL, DLT_LOOP, DLT_IPV4,
				     DLT_IPV6 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_true(decap_knows(known[i]));
	assert_false(decap_knows(DLT_IEEE802_11));
	assert_false(decap_knows(DLT_USB_LINUX));
	assert_false(decap_knows(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frames_cut_anywhere),
		cmocka_unit_test(test_every_byte_changed),
		cmocka_unit_test(test_known_link_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
