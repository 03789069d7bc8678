/** @file buf.c  Growable byte string */
#include "daemon/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `n` more bytes and the NUL behind them. */
static int reserve(struct buf *b, size_t n)
{
	if (b->err)
		return b->err;
	if (n > SIZE_MAX / 4 - b->len)
		return b->err = -ENOMEM;
	if (b->data && b->size - b->len > n)
		return 0;

	const size_t size = (b->len + n) * 2 + 64;
	uint8_t *data = realloc(b->data, size);
	if (!data)
		return b->err = -ENOMEM;

	b->data = data;
	b->size = size;
	b->data[b->len] = 0;
	return 0;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	if (n == 0 || reserve(b, n))
		return;

	memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = 0;
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0 && !reserve(b, (size_t)n)) {
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? NULL : b->data + b->len;
}

void buf_shift(struct buf *b, size_t n)
{
	if (!b->data || n == 0)
		return;
	if (n > b->len)
		n = b->len;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->err = 0;
	if (b->data)
		b->data[0] = 0;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}
