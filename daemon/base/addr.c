/** @file addr.c  An IP address with a port, as a value */
#include "daemon/base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/hash.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct addr addr_v4(const uint8_t ip[4], uint16_t port)
{
	struct addr a;

	memset(&a, 0, sizeof(a));
	memcpy(a.ip, ip, 4);
	a.port = port;
	a.family = 4;
	return a;
}

struct addr addr_v6(const uint8_t ip[16], uint16_t port)
{
	struct addr a;

	if (!memcmp(ip, mapped, sizeof(mapped)))
		return addr_v4(ip + 12, port);

	memset(&a, 0, sizeof(a));
	memcpy(a.ip, ip, 16);
	a.port = port;
	a.family = 6;
	return a;
}

bool addr_same_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && addr_same_ip(a, b);
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == 4 ? a->ip[0] == 127
			      : a->family == 6 && !memcmp(a->ip, one, 16);
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return a->family && !memcmp(a->ip, zero, sizeof(zero));
}

uint64_t addr_hash(const struct addr *a)
{
	uint64_t half[2]; /* two words at once: this runs for every packet */

	memcpy(half, a->ip, sizeof(half));
	return hash_mix(hash_mix(half[0], half[1]),
			(uint64_t)a->port << 8 | a->family);
}

const char *addr_print(char out[ADDR_TEXT], const struct addr *a)
{
	char ip[INET6_ADDRSTRLEN] = "";

	if (a->family == 4)
		inet_ntop(AF_INET, a->ip, ip, sizeof(ip));
	else if (a->family == 6)
		inet_ntop(AF_INET6, a->ip, ip, sizeof(ip));
	if (!a->port)
		snprintf(out, ADDR_TEXT, "%s", ip);
	else if (a->family == 6)
		snprintf(out, ADDR_TEXT, "[%s]:%u", ip, a->port);
	else
		snprintf(out, ADDR_TEXT, "%s:%u", ip, a->port);
	return out;
}

int addr_parse(struct addr *out, const char *text, size_t len)
{
	char s[INET6_ADDRSTRLEN];
	uint8_t ip[16];

	if (len == 0 || len >= sizeof(s) || memchr(text, 0, len))
		return -EBADMSG;
	memcpy(s, text, len);
	s[len] = '\0';
	if (inet_pton(AF_INET, s, ip) == 1)
		*out = addr_v4(ip, 0);
	else if (inet_pton(AF_INET6, s, ip) == 1)
		*out = addr_v6(ip, 0);
	else
		return -EBADMSG;
	return 0;
}

int addr_from_sockaddr(struct addr *out, const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		*out = addr_v4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		*out = addr_v6(in6.sin6_addr.s6_addr, ntohs(in6.sin6_port));
		return 0;
	}
	return -EBADMSG;
}

socklen_t addr_to_sockaddr(struct sockaddr_storage *out, const struct addr *a)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		memcpy(&in6->sin6_addr, a->ip, 16);
		return sizeof(*in6);
	}

	struct sockaddr_in *in = (struct sockaddr_in *)out;
	in->sin_family = AF_INET;
	in->sin_port = htons(a->port);
	memcpy(&in->sin_addr, a->ip, 4);
	return sizeof(*in);
}
