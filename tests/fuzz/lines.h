/**
 * @file lines.h  A mutator for text in lines: it moves, doubles, drops and
 *                changes lines, values and numbers, so that what comes out is
 *                still nearly a message
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/base/buf.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

struct lines_words {
	const char *const *lines;   /**< Whole ones, without line end */
	size_t n_lines;
	const char *const *values;  /**< What may stand behind ':' or '=' */
	size_t n_values;
};

enum { LINES_MAX = 600 };

struct lines {
	const uint8_t *at[LINES_MAX];
	size_t len[LINES_MAX];      /**< With the line end */
	size_t n;
};

static unsigned lines_chance;

static inline unsigned lines_roll(size_t n)
{
	lines_chance = lines_chance * 1664525u + 1013904223u;
	return (unsigned)((lines_chance >> 8) % n);
}

static inline void lines_split(struct lines *l, const uint8_t *data, size_t len)
{
	l->n = 0;
	while (len && l->n < LINES_MAX) {
		const uint8_t *lf = memchr(data, '\n', len);
		const size_t n = lf && l->n < LINES_MAX - 1
					 ? (size_t)(lf - data) + 1 : len;

		l->at[l->n] = data;
		l->len[l->n++] = n;
		data += n;
		len -= n;
	}
}

static inline void lines_put_number(struct buf *b, const uint8_t *line,
				    size_t len)
{
	static const char *const odd[] = {
		"0", "1", "9", "19", "20", "255", "256", "4000", "65535",
		"65536", "2147483647", "2147483648", "4294967296", "00", "-1",
		"18446744073709551616", "127", "128", "100", "699", "8000",
	};
	size_t digits[64], n = 0;

	for (size_t i = 0; i < len && n < 64; i++)
		if (line[i] >= '0' && line[i] <= '9' &&
		    (i == 0 || line[i - 1] < '0' || line[i - 1] > '9'))
			digits[n++] = i;
	if (!n) {
		buf_add(b, line, len);
		return;
	}
	size_t i = digits[lines_roll(n)];

	buf_add(b, line, i);
	buf_puts(b, odd[lines_roll(sizeof(odd) / sizeof(odd[0]))]);
	while (i < len && line[i] >= '0' && line[i] <= '9')
		i++;
	buf_add(b, line + i, len - i);
}

static inline void lines_put_value(struct buf *b, const uint8_t *line,
				   size_t len, const struct lines_words *w)
{
	static const char marks[] = ":=;, /<>@";
	const char mark = marks[lines_roll(sizeof(marks) - 1)];
	const uint8_t *at = memchr(line, mark, len);
	size_t end = len, keep = at ? (size_t)(at - line) + 1 : 0;

	while (end && (line[end - 1] == '\n' || line[end - 1] == '\r'))
		end--;
	if (keep > end)
		keep = end;
	buf_add(b, line, keep);
	buf_puts(b, w->values[lines_roll(w->n_values)]);
	if (lines_roll(2)) /* In front of what was there, or instead */
		buf_add(b, line + keep, end - keep);
	buf_add(b, line + end, len - end);
}

static inline void lines_put_bytes(struct buf *b, const uint8_t *line,
				   size_t len)
{
	uint8_t some[512];
	const size_t n = len < 256 ? len : 256;

	memcpy(some, line, n);
	const size_t m = LLVMFuzzerMutate(some, n, sizeof(some));

	buf_add(b, some, m);
	buf_add(b, line + n, len - n);
}

static inline void lines_put_ended(struct buf *b, const uint8_t *line,
				   size_t len)
{
	static const char *const ends[] = { "\n", "\r\n", "\r\n ", "\n\t", "",
					    "\r", "\r\n\r\n", " \r\n" };

	while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	buf_add(b, line, len);
	buf_puts(b, ends[lines_roll(sizeof(ends) / sizeof(ends[0]))]);
}

/** One change at one place. */
static inline void lines_change(struct buf *b, const uint8_t *data, size_t len,
				const struct lines_words *w)
{
	static struct lines l;

	lines_split(&l, data, len);
	const size_t at = l.n ? lines_roll(l.n) : 0;
	const size_t other = l.n ? lines_roll(l.n) : 0;
	const unsigned what = lines_roll(10);

	for (size_t i = 0; i < l.n; i++) {
		if (i != at || what > 7) {
			buf_add(b, l.at[i], l.len[i]);
			if (i == at && what == 8)
				return; /* Cut off here */
			if (i == at) {
				buf_puts(b, w->lines[lines_roll(w->n_lines)]);
				buf_puts(b, "\r\n");
			}
			continue;
		}
		switch (what) {
		case 0:
			break;
		case 1: /* Another one here too */
			buf_add(b, l.at[other], l.len[other]);
			buf_add(b, l.at[i], l.len[i]);
			break;
		case 2: /* Another one instead */
			buf_add(b, l.at[other], l.len[other]);
			break;
		case 3:
		case 4:
			lines_put_value(b, l.at[i], l.len[i], w);
			break;
		case 5:
			lines_put_number(b, l.at[i], l.len[i]);
			break;
		case 6:
			lines_put_bytes(b, l.at[i], l.len[i]);
			break;
		default:
			lines_put_ended(b, l.at[i], l.len[i]);
			break;
		}
	}
}

/** As LLVMFuzzerCustomMutator(); `repair`, if any, mends the result. */
static inline size_t lines_mutate(uint8_t *data, size_t size, size_t max,
				  unsigned seed, const struct lines_words *w,
				  void (*repair)(struct buf *b))
{
	struct buf a = { 0 }, b = { 0 };

	lines_chance = seed;
	if (lines_roll(12) == 0)
		return LLVMFuzzerMutate(data, size, max);
	buf_add(&a, data, size);
	for (unsigned n = 1 + lines_roll(3); n > 0; n--) {
		buf_clear(&b);
		lines_change(&b, a.data ? a.data : data, a.len, w);
		const struct buf swap = a;

		a = b;
		b = swap;
	}
	if (repair && lines_roll(8))
		repair(&a);
	const size_t len = a.len < max ? a.len : max;

	if (!a.err && len)
		memcpy(data, a.data, len);
	buf_free(&a);
	buf_free(&b);
	return len;
}
