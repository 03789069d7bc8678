/**
 * @file fragments.h  IP fragments put together (RFC 791, RFC 8200 section 4.5)
 *
 * 64 datagrams at a time, 64 KiB each, 5 s from the first fragment; a 65th
 * pushes the oldest out.  Overlaps spoil a datagram (RFC 5722); an exact
 * repetition does no harm.  Buffers are taken when first needed and kept.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fragments;

/** What the fragments of one datagram have in common. */
struct fragment_key {
	uint8_t from[16], to[16]; /**< Unused bytes zero */
	uint32_t id;
	uint8_t family;           /**< 4 or 6 */
	uint8_t protocol;         /**< IPv4's; 0 for IPv6 */
};

struct fragment {
	struct fragment_key key;
	const uint8_t *data;
	size_t len;
	size_t offset;            /**< [bytes], a multiple of 8 */
	bool more;
	uint8_t next;             /**< What the datagram holds; the fragment at
				       offset 0 decides */
};

/** Borrowed until the next fragments_feed(). */
struct datagram {
	const uint8_t *data;
	size_t len;
	uint8_t next;
};

int fragments_new(struct fragments **out);
void fragments_free(struct fragments *f);

/**
 * @return 1: `out` is whole; 0: others are missing; -EBADMSG: makes no sense
 *         (nothing in it, length no multiple of 8, over 64 KiB, overlap) and
 *         its datagram is given up; -ENOMEM
 */
int fragments_feed(struct fragments *f, const struct fragment *in,
		   uint64_t at_us, struct datagram *out);

/** A fragment of this datagram is known to be lost. */
void fragments_spoil(struct fragments *f, const struct fragment_key *key,
		     uint64_t at_us);

/** Datagrams given up so far. */
uint64_t fragments_lost(const struct fragments *f);
