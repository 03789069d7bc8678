/** @file frames.c  pcap, Ethernet, IP, UDP */
#include "tools/callgen/frames.h"

#include <string.h>

enum { ETHERNET = 14, UDP = 8, MOST = 14 + 40 + 8 };

/* 2023-11-14T22:13:20Z: the same capture each time */
static const uint64_t epoch_us = 1700000000u * (uint64_t)1000000;

static void be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* RFC 1071, of so many bytes that stand in pieces of even length but the last */
static uint32_t add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_u32(FILE *f, uint64_t v)
{
	const uint32_t word = (uint32_t)v;

	fwrite(&word, sizeof(word), 1, f);
}

void frames_begin(FILE *f)
{
	put_u32(f, 0xa1b2c3d4); /* this machine's byte order */
	put_u32(f, 2 | 4u << 16);
	put_u32(f, 0);
	put_u32(f, 0);
	put_u32(f, 262144);
	put_u32(f, 1);
}

/* @return bytes of the header at `p` */
static size_t ip_header(uint8_t *p, const struct addr *from,
			const struct addr *to, size_t udp_len)
{
	if (from->family == 6) {
		p[0] = 0x60;
		be16(p + 4, udp_len);
		p[6] = 17;
		p[7] = 64;
		memcpy(p + 8, from->ip, 16);
		memcpy(p + 24, to->ip, 16);
		return 40;
	}
	p[0] = 0x45;
	be16(p + 2, 20 + udp_len);
	p[8] = 64;
	p[9] = 17;
	memcpy(p + 12, from->ip, 4);
	memcpy(p + 16, to->ip, 4);
	be16(p + 10, fold(add(0, p, 20)));
	return 20;
}

void frames_put(FILE *f, uint64_t at_us, const struct addr *from,
		const struct addr *to, const uint8_t *head, size_t len,
		const uint8_t *payload, size_t payload_len)
{
	uint8_t p[MOST] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	const size_t udp_len = UDP + len + payload_len;
	const size_t ip = ip_header(p + ETHERNET, from, to, udp_len);
	const size_t ip_len = from->family == 6 ? 16 : 4;
	uint8_t *udp = p + ETHERNET + ip;

	be16(p + 12, from->family == 6 ? 0x86dd : 0x0800);
	be16(udp, from->port);
	be16(udp + 2, to->port);
	be16(udp + 4, udp_len);
	uint32_t sum = add(17 + (uint32_t)udp_len, from->ip, ip_len);

	sum = add(add(sum, to->ip, ip_len), udp, UDP);
	const uint16_t check = fold(add(add(sum, head, len), payload,
					payload_len));

	be16(udp + 6, check ? check : 0xffff);

	const size_t before = ETHERNET + ip + UDP, all = before + len + payload_len;

	put_u32(f, (epoch_us + at_us) / 1000000);
	put_u32(f, (epoch_us + at_us) % 1000000);
	put_u32(f, all);
	put_u32(f, all);
	fwrite(p, 1, before, f);
	fwrite(head, 1, len, f);
	fwrite(payload, 1, payload_len, f);
}
