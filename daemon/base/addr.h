/**
 * @file addr.h  An IP address with a port, as a value
 *
 * Comparable byte by byte: unused bytes are zero, and an IPv4-mapped IPv6
 * address is stored as IPv4.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDR_TEXT = 64 }; /**< Bytes that any printed address fits in */

struct addr {
	uint8_t ip[16];  /**< Network order; IPv4 in the first four bytes */
	uint16_t port;   /**< Host order; 0: none */
	uint8_t family;  /**< 4, 6, or 0: no address */
};

struct addr addr_v4(const uint8_t ip[4], uint16_t port);
struct addr addr_v6(const uint8_t ip[16], uint16_t port);

/** Same address and same port? */
bool addr_equal(const struct addr *a, const struct addr *b);
/** Same address, whatever the ports? */
bool addr_same_ip(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
/** 0.0.0.0 or :: (hold in old SDP, RFC 3264 section 8.4). */
bool addr_is_any(const struct addr *a);
uint64_t addr_hash(const struct addr *a);

/**
 * "192.0.2.1:4000" or "[2001:db8::1]:4000"; without the port when it is 0.
 *
 * @return `out`
 */
const char *addr_print(char out[ADDR_TEXT], const struct addr *a);

/**
 * Read an address without a port: "192.0.2.1", "2001:db8::1".  No names.
 *
 * @return 0 or -EBADMSG, `out` untouched
 */
int addr_parse(struct addr *out, const char *text, size_t len);

/** @return 0 or -EBADMSG for a family we do not know */
int addr_from_sockaddr(struct addr *out, const struct sockaddr *sa);
/** @return length of what was written [bytes] */
socklen_t addr_to_sockaddr(struct sockaddr_storage *out, const struct addr *a);
