/**
 * @file rd.h  Bounded big-endian reader over bytes the caller owns
 *
 * A read past the end yields 0 (or NULL) and makes the reader bad for good, so
 * a parser reads a whole header first and looks at `bad` once.  Nothing is
 * copied.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

static inline struct rd rd_of(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct rd){ .p = p, .end = p ? p + len : p };
}

/** Bytes not yet read. */
static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/** Take `n` bytes, or NULL (and a bad reader) if fewer are left. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *at = r->p;

	if (r->bad || rd_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return at;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *b = rd_take(r, 1);

	return b ? b[0] : 0;
}

static inline uint16_t rd_u16(struct rd *r)
{
	const uint8_t *b = rd_take(r, 2);

	if (!b)
		return 0;
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t rd_u32(struct rd *r)
{
	const uint8_t *b = rd_take(r, 4);

	if (!b)
		return 0;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t rd_u64(struct rd *r)
{
	struct rd half = *r;

	if (!rd_take(r, 8))
		return 0;
	const uint64_t hi = rd_u32(&half);

	return hi << 32 | rd_u32(&half);
}

/** A reader over the next `n` bytes, which `r` then has behind it. */
static inline struct rd rd_sub(struct rd *r, size_t n)
{
	const uint8_t *at = rd_take(r, n);

	return (struct rd){ .p = at, .end = at ? at + n : at, .bad = !at };
}
