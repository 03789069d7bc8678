/**
 * @file buf.h  Growable byte string; the first failure sticks in `err`
 *
 * Owned by whoever holds the struct; `{0}` is empty and needs no buf_free().
 * The bytes are always followed by a NUL that `len` does not count, so
 * buf_str() can be printed.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t len;   /**< [bytes] */
	size_t size;  /**< [bytes] taken from the heap */
	int err;      /**< 0 or -ENOMEM; later writes do nothing */
};

/** Append `n` bytes. */
void buf_add(struct buf *b, const void *data, size_t n);
/** Append a NUL-terminated string, without its NUL. */
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/** Make room for `n` more bytes and return where they go, or NULL. */
uint8_t *buf_room(struct buf *b, size_t n);
/** Drop the first `n` bytes (at most all). */
void buf_shift(struct buf *b, size_t n);
/** Forget the content and the error, keep the memory. */
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

/** The content as a string; "" when nothing was written. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}
