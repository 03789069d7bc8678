/** @file test_decap.c  daemon/net/decap.c: one frame at a time */
#include "daemon/net/decap.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/net/copies.h"
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
#define INNER IP("0020", "11") UDP PAY
#define OUT(TOTAL, NEXT) "4500 " TOTAL " 0000 0000 40 " NEXT " 0000 " \
	"c6336401 c6336402 "
#define OUT6(LEN, NEXT) "60000000 " LEN " " NEXT " 40 " \
	"20010db8ffff00000000000000000001 20010db8ffff00000000000000000002 "
#define PAD "00000000000000000000000000000000 "
#define SLL "0000 0001 0006 020000000001 0000 "
#define SLL2 "0000 00000002 0001 00 06 0200000000010000 "

enum want { V4, V6, NONE, BAD, PORT /* V4 to another one, of anything */ };

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
	{ "sll2, a tag that is not told of", DLT_LINUX_SLL2,
	  "0800" SLL2 "0064 0800" IP("0020", "11") UDP PAY, V4, 0, 0, 0 },
	{ "sll, two tags that are not told of", DLT_LINUX_SLL,
	  SLL "86dd" "0064 86dd 0065 86dd" IP6("000c", "11") UDP PAY, BAD,
	  0, 0, 0 },
	{ "ethernet, a tag that is not told of", DLT_EN10MB,
	  MACS "0800 0065 0800" IP("0020", "11") UDP PAY, BAD, 0, 0, 0 },
	{ "sll, a tag and one that is not told of", DLT_LINUX_SLL,
	  SLL "88a8 0064 0800" "0065 0800" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "sll, a tag that is not told of, ipv6", DLT_LINUX_SLL,
	  SLL "86dd" "0065 86dd" IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
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

	{ "mpls", DLT_EN10MB, MACS "8847 00064140" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "mpls, three labels, ipv6", DLT_EN10MB,
	  MACS "8848 00064040 00065040 00066140" IP6("000c", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "mpls without end", DLT_EN10MB,
	  MACS "8847 00064040 00064040 00064040 00064040" IP("0020", "11") UDP
	  PAY, BAD, 0, 0, 0 },
	{ "mpls pseudowire", DLT_EN10MB, MACS "8847 00064140 00000000" PAD,
	  NONE, 0, 0, 0 },
	{ "vn-tag and vlan", DLT_EN10MB,
	  MACS "8926 80010002 8100 0064 0800" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },
	{ "vlan and mpls", DLT_EN10MB,
	  MACS "8100 0064 8847 00064140" IP("0020", "11") UDP PAY, V4,
	  0, 0, 0 },

	{ "ip in ip", DLT_RAW, OUT("0034", "04") INNER, V4, 0, 0, 0 },
	{ "ipv6 in ip", DLT_RAW,
	  OUT("0048", "29") IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "ip in ipv6", DLT_RAW, OUT6("0020", "04") INNER, V4, 0, 0, 0 },
	{ "ipv6 in ipv6", DLT_RAW,
	  OUT6("0034", "29") IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "ip in ip that holds nothing", DLT_RAW, OUT("0014", "04"), BAD,
	  0, 0, 0 },
	{ "gre", DLT_RAW, OUT("0038", "2f") "00000800" INNER, V4, 0, 0, 0 },
	{ "gre in ipv6", DLT_RAW, OUT6("0024", "2f") "00000800" INNER, V4,
	  0, 0, 0 },
	{ "gre, ipv6", DLT_RAW,
	  OUT("004c", "2f") "000086dd" IP6("000c", "11") UDP PAY, V6,
	  0, 0, 0 },
	{ "gre with a key", DLT_RAW,
	  OUT("003c", "2f") "20000800 00000007" INNER, V4, 0, 0, 0 },
	{ "gre with a sequence number", DLT_RAW,
	  OUT("003c", "2f") "10000800 00000007" INNER, V4, 0, 0, 0 },
	{ "gre with a checksum", DLT_RAW,
	  OUT("003c", "2f") "80000800 12340000" INNER, V4, 0, 0, 0 },
	{ "gre with all three", DLT_RAW,
	  OUT("0044", "2f") "b0000800 12340000 00000007 00000008" INNER, V4,
	  0, 0, 0 },
	{ "gre, ethernet", DLT_RAW,
	  OUT("0046", "2f") "00006558" ETH INNER, V4, 0, 0, 0 },
	{ "gre, ethernet, vlan", DLT_RAW,
	  OUT("004a", "2f") "00006558" MACS "8100 0064 0800" INNER, V4,
	  0, 0, 0 },
	{ "gre with the routes of 1994", DLT_RAW,
	  OUT("003c", "2f") "40000800 00000000" INNER, NONE, 0, 0, 0 },
	{ "gre of pptp", DLT_RAW,
	  OUT("0040", "2f") "3001880b 00240001 00000001" INNER, NONE, 0, 0, 0 },
	{ "gre, arp", DLT_RAW, OUT("0020", "2f") "00000806 0001080006040001",
	  NONE, 0, 0, 0 },
	{ "gre keepalive", DLT_RAW, OUT("0018", "2f") "00000000", NONE,
	  0, 0, 0 },
	{ "gre header cut", DLT_RAW, OUT("001b", "2f") "20000800 000000", BAD,
	  0, 0, 0 },
	{ "erspan I", DLT_RAW, OUT("0046", "2f") "000088be" ETH INNER, V4,
	  0, 0, 0 },
	{ "erspan II", DLT_RAW,
	  OUT("0052", "2f") "100088be 00000001 10640064 00000001" ETH INNER,
	  V4, 0, 0, 0 },
	{ "erspan II, vlan inside", DLT_RAW,
	  OUT("0056", "2f") "100088be 00000001 10641864 00000001"
	  MACS "8100 0064 0800" INNER, V4, 0, 0, 0 },
	{ "erspan II of another version", DLT_RAW,
	  OUT("0052", "2f") "100088be 00000001 20640064 00000001" ETH INNER,
	  BAD, 0, 0, 0 },
	{ "erspan II, cut off by the switch", DLT_RAW,
	  OUT("0052", "2f") "100088be 00000001 10640464 00000001" ETH
	  IP("00c8", "11") "0fa0 0fa2 00b4 0000" PAY, V4, 4, 172, 0 },
	{ "erspan III", DLT_RAW,
	  OUT("0056", "2f") "100022eb 00000001 20640064 00000001 00000000" ETH
	  INNER, V4, 0, 0, 0 },
	{ "erspan III, platform's own header", DLT_RAW,
	  OUT("005e", "2f") "100022eb 00000001 20640064 00000001 00000001"
	  "0102030405060708" ETH INNER, V4, 0, 0, 0 },
	{ "erspan III, an ip packet", DLT_RAW,
	  OUT("0048", "2f") "100022eb 00000001 20640064 00000001 00000800"
	  INNER, V4, 0, 0, 0 },
	{ "erspan III, another frame", DLT_RAW,
	  OUT("0056", "2f") "100022eb 00000001 20640064 00000001 00000400" ETH
	  INNER, NONE, 0, 0, 0 },
	{ "vxlan", DLT_RAW,
	  OUT("0052", "11") "c000 12b5 003e 0000 08000000 00006400" ETH INNER,
	  V4, 0, 0, 0 },
	{ "vxlan, ipv6", DLT_RAW,
	  OUT("0066", "11") "c000 12b5 0052 0000 08000000 00006400"
	  ETH6 IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "vxlan with a group policy", DLT_RAW,
	  OUT("0052", "11") "c000 12b5 003e 0000 88000001 00006400" ETH INNER,
	  V4, 0, 0, 0 },
	{ "rtp to vxlan's port", DLT_RAW,
	  IP("0028", "11") "0fa0 12b5 0014 0000 80000001 00000002 00000003",
	  PORT, 12, 0, 0 },
	{ "a datagram of four bytes to vxlan's port", DLT_RAW,
	  IP("0020", "11") "0fa0 12b5 000c 0000" PAY, PORT, 0, 0, 0 },
	{ "vxlan without a network", DLT_RAW,
	  OUT("0052", "11") "c000 12b5 003e 0000 00000000 00006400" ETH INNER,
	  PORT, 54, 0, 0 },
	{ "vxlan, arp", DLT_RAW,
	  OUT("0032", "11") "c000 12b5 001e 0000 08000000 00006400"
	  MACS "0806", NONE, 0, 0, 0 },
	{ "vxlan gpe, ipv4", DLT_RAW,
	  OUT("0044", "11") "c000 12b6 0030 0000 0c000001 00006400" INNER, V4,
	  0, 0, 0 },
	{ "vxlan gpe, ipv6", DLT_RAW,
	  OUT("0058", "11") "c000 12b6 0044 0000 0c000002 00006400"
	  IP6("000c", "11") UDP PAY, V6, 0, 0, 0 },
	{ "vxlan gpe, ethernet", DLT_RAW,
	  OUT("0052", "11") "c000 12b6 003e 0000 0c000003 00006400" ETH INNER,
	  V4, 0, 0, 0 },
	{ "vxlan gpe, nsh", DLT_RAW,
	  OUT("0044", "11") "c000 12b6 0030 0000 0c000004 00006400" INNER,
	  NONE, 0, 0, 0 },
	{ "four tunnels", DLT_RAW,
	  OUT("0070", "04") OUT("005c", "04") OUT("0048", "04")
	  OUT("0034", "04") INNER, V4, 0, 0, 0 },
	{ "five tunnels", DLT_RAW,
	  OUT("0084", "04") OUT("0070", "04") OUT("005c", "04")
	  OUT("0048", "04") OUT("0034", "04") INNER, BAD, 0, 0, 0 },
	{ "tunnel, icmp that quotes udp", DLT_RAW,
	  OUT("0050", "04") IP("003c", "01") "0303000000000000" INNER, NONE,
	  0, 0, 0 },

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

	if (r->want == PORT) {
		assert_int_equal(p->to.port, 4789);
		assert_int_equal(p->len, len);
		return;
	}
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
		if (r->want == V4 || r->want == V6 || r->want == PORT) {
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
		if (got == 1 && whole.len && whole.kind == DECAP_UDP &&
		    r->want != PORT)
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
				assert_true(p.wire_len <=
					    (p.indirect ? 65535 : len) &&
					    p.len <= p.wire_len && p.len < len);
			data[n / ARRAY_LEN(values)] = kept;
		}
		decap_free(d);
		free(data);
	}
}

/* -- packets seen again --------------------------------------------------- */

#define ETH_B "020000000003 020000000004 0800 "
#define IP_OF(ID, TTL, SUM) "4500 0020 " ID " 0000 " TTL " 11 0000 " V4ADDR \
	"0fa0 0fa2 000c " SUM
#define TAGGED MACS "8100 0064 0800 "
#define HOPS6(HOPS) "60000000 000c 11 " HOPS \
	" 20010db8000000000000000000000001 20010db8000000000000000000000002 "

static const struct again {
	const char *name, *first, *second;
	uint64_t after_us;
	int got;           /* of the second */
} agains[] = {
	{ "the very same", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH IP_OF("0007", "40", "1234") PAY, 10, 0 },
	{ "sent twice", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH IP_OF("0008", "40", "1234") PAY, 10, 1 },
	{ "one router further", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH_B IP_OF("0007", "3f", "1234") PAY, 3000, 0 },
	{ "on both sides of a vlan", ETH IP_OF("0007", "40", "1234") PAY,
	  TAGGED IP_OF("0007", "40", "1234") PAY, 10, 0 },
	{ "before the card made its checksum",
	  ETH IP_OF("0007", "40", "0000") PAY,
	  ETH IP_OF("0007", "40", "1234") PAY, 10, 0 },
	{ "another payload", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH IP_OF("0007", "40", "1234") "a1a2a3a5", 10, 1 },
	{ "inside the window", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH IP_OF("0007", "40", "1234") PAY, COPIES_WINDOW_US, 0 },
	{ "behind the window", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH IP_OF("0007", "40", "1234") PAY, COPIES_WINDOW_US + 1, 1 },
	{ "without a number, the same way",
	  ETH IP_OF("0000", "40", "1234") PAY,
	  ETH IP_OF("0000", "40", "1234") PAY, 10, 1 },
	{ "without a number, one router further",
	  ETH IP_OF("0000", "40", "1234") PAY,
	  ETH IP_OF("0000", "3f", "1234") PAY, 10, 0 },
	{ "without a number, another vlan",
	  ETH IP_OF("0000", "40", "1234") PAY,
	  TAGGED IP_OF("0000", "40", "1234") PAY, 10, 0 },
	{ "ipv6, the same way", ETH6 HOPS6("40") UDP PAY,
	  ETH6 HOPS6("40") UDP PAY, 10, 1 },
	{ "ipv6, one router further", ETH6 HOPS6("40") UDP PAY,
	  ETH6 HOPS6("3f") UDP PAY, 10, 0 },
	{ "ipv6, another vlan", ETH6 HOPS6("40") UDP PAY,
	  MACS "8100 0064 86dd" HOPS6("40") UDP PAY, 10, 0 },
	{ "in another tunnel's packet",
	  ETH "4500 0038 0001 0000 402f0000 c6336401 c6336402 00000800"
	  IP_OF("0007", "40", "1234") PAY,
	  ETH "4500 0038 0002 0000 402f0000 c6336401 c6336402 00000800"
	  IP_OF("0007", "40", "1234") PAY, 10, 0 },
	{ "in a tunnel and beside it", ETH IP_OF("0007", "40", "1234") PAY,
	  ETH "4500 0038 0002 0000 402f0000 c6336401 c6336402 00000800"
	  IP_OF("0007", "40", "1234") PAY, 10, 0 },
	{ "the first fragment again",
	  ETH "4500 001c 0007 2000 4011 0000" V4ADDR "0fa0 0fa2 000c 0000",
	  TAGGED "4500 001c 0007 2000 4011 0000" V4ADDR "0fa0 0fa2 000c 0000",
	  10, 0 },
};

static int feed_hex(struct decap *d, const char *hex, uint64_t at_us)
{
	struct decap_packet p;
	size_t len;
	uint8_t *data = hex_bytes(hex, &len);
	const int got = decap_feed(d, DLT_EN10MB, at_us, data, len, len, &p);

	free(data);
	return got;
}

static void test_seen_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(agains); i++) {
		const struct again *a = &agains[i];
		const bool fragment = strstr(a->name, "fragment");
		struct decap_stats s;
		struct decap *d;

		print_message("row: %s\n", a->name);
		assert_int_equal(decap_new(&d), 0);
		assert_int_equal(feed_hex(d, a->first, 1000000), !fragment);
		assert_int_equal(feed_hex(d, a->second, 1000000 + a->after_us),
				 a->got);
		decap_stats(d, &s);
		assert_int_equal(s.copies, !a->got);
		assert_int_equal(s.other + s.malformed, 0);
		assert_int_equal(s.fragments, fragment);
		decap_free(d);
	}
}

/* -- tunnels and fragments ------------------------------------------------------ */

static void test_tunnels_are_counted(void **state)
{
	struct decap_stats s;
	struct decap *d;

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	assert_int_equal(feed_hex(d, ETH INNER, 1), 1);
	assert_int_equal(feed_hex(d, ETH OUT("0048", "04") OUT("0034", "04")
				  IP_OF("0007", "40", "0000") PAY, 1), 1);
	assert_int_equal(feed_hex(d, ETH OUT("0084", "04") OUT("0070", "04")
				  OUT("005c", "04") OUT("0048", "04")
				  OUT("0034", "04") INNER, 1), -EBADMSG);
	decap_stats(d, &s);
	assert_int_equal(s.tunnelled, 2);
	assert_int_equal(s.nested, 1);
	assert_int_equal(s.malformed, 1);
	decap_free(d);
}

/* A tunnel's packet in two fragments, and what it holds is a fragment, too:
 * what has been put together outside is not written over inside. */
static void test_fragments_in_fragments(void **state)
{
	/* IP in IP; inside: a datagram of 12 bytes but for its last 4 */
	static const char *const frames[2] = {
		ETH "4500 002c 0101 2000 40 04 0000 c6336401 c6336402"
		"4500 0024 0007 2000 40 11 0000 " V4ADDR "0fa0 0fa2",
		ETH "4500 0020 0101 0003 40 04 0000 c6336401 c6336402"
		"0014 0000 a1a2a3a4a5a6a7a8",
	};
	const uint8_t want[] = { 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
				 0xa8, 0xb1, 0xb2, 0xb3, 0xb4 };
	struct decap_packet p;
	struct decap *d;
	size_t len;

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	assert_int_equal(feed_hex(d, frames[0], 1), 0);
	assert_int_equal(feed_hex(d, frames[1], 1), 0);
	/* the last one is whole outside */
	uint8_t *data = hex_bytes(ETH
		"4500 002c 0102 0000 40 04 0000 c6336401 c6336402"
		"4500 0018 0007 0002 40 11 0000 " V4ADDR "b1b2b3b4", &len);

	assert_int_equal(decap_feed(d, DLT_EN10MB, 1, data, len, len, &p), 1);
	assert_int_equal(p.len, sizeof(want));
	assert_memory_equal(p.data, want, sizeof(want));
	assert_int_equal(p.from.port, 4000);
	assert_true(p.indirect);
	free(data);
	decap_free(d);
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
		cmocka_unit_test(test_seen_again),
		cmocka_unit_test(test_tunnels_are_counted),
		cmocka_unit_test(test_fragments_in_fragments),
		cmocka_unit_test(test_known_link_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
