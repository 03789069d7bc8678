/**
 * @file test_capture_filter.c  daemon/net/capture_filter.c: what passes the
 *                              kernel, and what is wanted of it
 *
 * libpcap runs the programs on frames as they lie in a file; with a live
 * interface the outer tag is no part of them.
 */
#include "daemon/net/capture_filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/net/hex.h"

#define MACS "020000000001 020000000002 "
#define ETH MACS "0800 "
#define UDP "0fa0 0fa2 000c 0000 "
#define PAY "a1a2a3a4 "
/* 192.0.2.1:4000 -> 192.0.2.2:4002 */
#define INNER "4500 0020 0001 0000 40 11 0000 c0000201 c0000202 " UDP PAY
#define INNER6 "60000000 000c 11 40 20010db8000000000000000000000001 " \
	"20010db8000000000000000000000002 " UDP PAY
/* 198.51.100.1 -> .2 */
#define OUT(TOTAL, NEXT) "4500 " TOTAL " 0000 0000 40 " NEXT " 0000 " \
	"c6336401 c6336402 "
#define GRE ETH OUT("0038", "2f") "00000800 " INNER
#define FRAGMENT "4500 001c 0007 0001 4011 0000 c0000201 c0000202 " PAY PAY
#define FIRST "4500 001c 0007 2000 4011 0000 c0000201 c0000202 " UDP

static const struct row {
	const char *name, *filter;
	const char *frames[2];    /* the last one makes the packet */
	int link_type;
	bool passes, wanted;
} rows[] = {
	{ "no filter", "", { ETH INNER }, DLT_EN10MB, true, true },
	{ "a plain one", "udp port 4002", { ETH INNER }, DLT_EN10MB,
	  true, true },
	{ "a plain one that is not wanted", "udp port 4003", { ETH INNER },
	  DLT_EN10MB, false, true },
	{ "behind a tag", "udp port 4002", { MACS "8100 0064 0800" INNER },
	  DLT_EN10MB, true, true },
	{ "behind two", "udp port 4002",
	  { MACS "88a8 0064 8100 0065 0800" INNER }, DLT_EN10MB, true, true },
	{ "behind two, not wanted", "udp port 4003",
	  { MACS "88a8 0064 8100 0065 0800" INNER }, DLT_EN10MB, false,
	  false },
	{ "gre", "udp port 4002", { GRE }, DLT_EN10MB, true, true },
	{ "gre, not wanted", "udp port 4003", { GRE }, DLT_EN10MB, true,
	  false },
	{ "gre by its own end", "host 198.51.100.2", { GRE }, DLT_EN10MB,
	  true, true },
	{ "gre by host inside", "host 192.0.2.1", { GRE }, DLT_EN10MB, true,
	  true },
	{ "gre behind a tag", "udp port 4002",
	  { MACS "8100 0064 0800" OUT("0038", "2f") "00000800" INNER },
	  DLT_EN10MB, true, true },
	{ "ipv6 in ip", "ip6 and udp port 4002",
	  { ETH OUT("0048", "29") INNER6 }, DLT_EN10MB, true, true },
	{ "ipv6 in ip, not wanted", "ip6 and udp port 4003",
	  { ETH OUT("0048", "29") INNER6 }, DLT_EN10MB, true, false },
	{ "vxlan", "src host 192.0.2.1 and udp",
	  { ETH OUT("0052", "11") "c000 12b5 003e 0000 08000000 00006400"
	    ETH INNER }, DLT_EN10MB, true, true },
	{ "mpls", "udp port 4002", { MACS "8847 00064140" INNER }, DLT_EN10MB,
	  true, true },
	{ "mpls, not wanted", "udp port 4003", { MACS "8847 00064140" INNER },
	  DLT_EN10MB, true, false },
	{ "the last fragment", "udp port 4002", { ETH FIRST, ETH FRAGMENT },
	  DLT_EN10MB, true, true },
	{ "... of another port", "udp port 4003", { ETH FIRST, ETH FRAGMENT },
	  DLT_EN10MB, true, false },
	{ "... behind a tag", "udp port 4002",
	  { MACS "8100 0064 0800" FIRST, MACS "8100 0064 0800" FRAGMENT },
	  DLT_EN10MB, true, true },
	{ "about its payload", "udp[8:4] = 0xa1a2a3a4", { GRE }, DLT_EN10MB,
	  true, true },
	{ "about its payload, not wanted", "udp[8:4] = 0xa1a2a3a5", { GRE },
	  DLT_EN10MB, true, false },
	{ "about the link: what cannot be judged", "ether host 2:0:0:0:0:9",
	  { GRE }, DLT_EN10MB, true, true },
	{ "a tag in the filter", "vlan 100 and udp port 4002",
	  { MACS "8100 0064 0800" INNER }, DLT_EN10MB, true, true },
	{ "another tag in the filter", "vlan 101 and udp port 4002",
	  { MACS "8100 0064 0800" INNER }, DLT_EN10MB, false, true },
	{ "cooked", "udp port 4002",
	  { "0000 0001 0006 020000000001 0000 0800" OUT("0038", "2f")
	    "00000800" INNER }, DLT_LINUX_SLL, true, true },
	{ "cooked, behind a tag", "udp port 4002",
	  { "0000 0001 0006 020000000001 0000 8100 0064 0800" INNER },
	  DLT_LINUX_SLL, true, true },
	{ "cooked, behind a tag, not wanted", "udp port 4003",
	  { "0000 0001 0006 020000000001 0000 8100 0064 0800" INNER },
	  DLT_LINUX_SLL, true, false },
	{ "behind a tag, by the tag", "vlan 100 and udp port 4002",
	  { MACS "8100 0064 0800" INNER }, DLT_EN10MB, true, true },
	{ "raw ip", "udp port 4003", { OUT("0038", "2f") "00000800" INNER },
	  DLT_RAW, true, false },
};

static bool passes(const struct capture_filter *f, const struct row *r,
		   const uint8_t *data, size_t len)
{
	const struct pcap_pkthdr h = { .caplen = (bpf_u_int32)len,
				       .len = (bpf_u_int32)len };
	pcap_t *dead = pcap_open_dead(r->link_type, 65535);
	struct bpf_program p;

	assert_non_null(dead);
	if (pcap_compile(dead, &p, capture_filter_wide(f), 1,
			 PCAP_NETMASK_UNKNOWN))
		fail_msg("%s: %s", capture_filter_wide(f), pcap_geterr(dead));
	const bool yes = pcap_offline_filter(&p, &h, data);

	pcap_freecode(&p);
	pcap_close(dead);
	return yes;
}

static void run(const struct row *r)
{
	struct capture_filter *f;
	struct decap_packet p;
	struct reason why;
	struct decap *d;
	int got = 0;

	assert_int_equal(decap_new(&d), 0);
	assert_int_equal(capture_filter_new(&f, r->link_type, r->filter, &why),
			 0);
	for (size_t i = 0; i < 2 && r->frames[i]; i++) {
		size_t len;
		uint8_t *data = hex_bytes(r->frames[i], &len);
		const struct frame frame = { .data = data, .len = len,
					     .wire_len = len };

		/* of fragments the last */
		if (i || !r->frames[1])
			assert_int_equal(passes(f, r, data, len), r->passes);
		got = decap_feed(d, r->link_type, 1000, data, len, len, &p);
		if (got == 1)
			assert_int_equal(capture_filter_wants(f, &frame, &p),
					 r->wanted);
		free(data);
	}
	assert_int_equal(got, 1);
	capture_filter_free(f);
	decap_free(d);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("row: %s\n", rows[i].name);
		run(&rows[i]);
	}
}

static void test_a_wrong_filter(void **state)
{
	struct capture_filter *f = NULL;
	struct reason why;

	(void)state;
	assert_int_equal(capture_filter_new(&f, DLT_EN10MB, "udp prt 5", &why),
			 -EINVAL);
	assert_null(f);
	assert_non_null(strstr(why.text, "udp prt 5"));
	assert_non_null(strstr(why.text, "man pcap-filter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_wrong_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
