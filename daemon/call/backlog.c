/** @file backlog.c  A leg's audio, as it came, until a transcript settled it */
#include "daemon/call/backlog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPANS_FIRST = 64,        /* ring sizes at the start, powers of two */
	BYTES_FIRST = 16 * 1024,
	SPANS_MAX = 32 * 1024,   /* holes are no audio, but take memory */
};

/* A span whose bytes stand at `offset`, counted from the beginning of time. */
struct entry {
	uint64_t pos, len, at_us, offset;
	enum span_kind kind;
};

struct backlog {
	uint64_t limit;      /* audio [samples] */
	uint64_t held;       /* audio kept [samples] */
	uint64_t end;

	struct entry *spans; /* ring by number */
	size_t n_spans;
	uint64_t first, next;

	uint8_t *bytes;      /* ring by offset; a span never wraps */
	size_t n_bytes;
	uint64_t head, tail; /* offsets of the oldest byte, of the next one */
};

int backlog_new(struct backlog **out, uint64_t limit)
{
	struct backlog *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->limit = limit;
	*out = b;
	return 0;
}

void backlog_free(struct backlog *b)
{
	if (!b)
		return;
	free(b->spans);
	free(b->bytes);
	free(b);
}

static struct entry *entry(const struct backlog *b, uint64_t n)
{
	return &b->spans[n & (b->n_spans - 1)];
}

static size_t entry_bytes(const struct entry *e)
{
	const struct span s = { .len = e->len, .kind = e->kind };

	return span_bytes(&s);
}

static int grow_spans(struct backlog *b)
{
	const size_t n = b->n_spans ? b->n_spans * 2 : SPANS_FIRST;
	struct entry *spans = malloc(n * sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	for (uint64_t i = b->first; i < b->next; i++)
		spans[i & (n - 1)] = *entry(b, i);
	free(b->spans);
	b->spans = spans;
	b->n_spans = n;
	return 0;
}

/* Where `n` bytes that must not wrap would begin in a ring of `size`. */
static uint64_t unwrapped(uint64_t tail, size_t n, size_t size)
{
	const size_t at = (size_t)(tail & (size - 1));

	return at + n > size ? tail + (size - at) : tail;
}

/* Copy everything kept into a larger ring, close together. */
static int grow_bytes(struct backlog *b, size_t n)
{
	size_t size = b->n_bytes ? b->n_bytes * 2 : BYTES_FIRST;
	uint64_t tail = 0;

	while (size < (size_t)(b->tail - b->head) * 2 + n * 2)
		size *= 2;

	uint8_t *bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	for (uint64_t i = b->first; i < b->next; i++) {
		struct entry *e = entry(b, i);
		const size_t len = entry_bytes(e);

		tail = unwrapped(tail, len, size);
		if (len)
			memcpy(bytes + (tail & (size - 1)),
			       b->bytes + (e->offset & (b->n_bytes - 1)), len);
		e->offset = tail;
		tail += len;
	}
	free(b->bytes);
	b->bytes = bytes;
	b->n_bytes = size;
	b->head = 0;
	b->tail = tail;
	return 0;
}

int backlog_put(struct backlog *b, const struct span *s)
{
	const size_t n = span_bytes(s);

	if (b->next - b->first == b->n_spans && grow_spans(b))
		return -ENOMEM;
	if (b->first == b->next)
		b->head = b->tail;
	if (n && (!b->n_bytes ||
		  unwrapped(b->tail, n, b->n_bytes) + n - b->head >
			  b->n_bytes) && grow_bytes(b, n))
		return -ENOMEM;
	if (n) {
		b->tail = unwrapped(b->tail, n, b->n_bytes);
		memcpy(b->bytes + (b->tail & (b->n_bytes - 1)), s->data, n);
	}
	*entry(b, b->next++) = (struct entry){
		.pos = s->pos, .len = s->len, .at_us = s->at_us,
		.offset = b->tail, .kind = s->kind,
	};
	b->tail += n;
	b->end = s->pos + s->len;
	b->held += span_is_audio(s) ? s->len : 0;
	return 0;
}

int backlog_over(const struct backlog *b)
{
	return b->held > b->limit || b->next - b->first > SPANS_MAX;
}

int backlog_span(const struct backlog *b, uint64_t n, struct span *out)
{
	if (n < b->first || n >= b->next)
		return 0;

	const struct entry *e = entry(b, n);
	*out = (struct span){
		.pos = e->pos, .len = e->len, .at_us = e->at_us,
		.kind = e->kind,
	};
	if (span_is_audio(out))
		out->data = b->bytes + (e->offset & (b->n_bytes - 1));
	return 1;
}

int backlog_drop(struct backlog *b, struct span *out)
{
	if (!backlog_span(b, b->first, out))
		return 0;

	b->first++;
	b->held -= span_is_audio(out) ? out->len : 0;
	b->head = b->first < b->next ? entry(b, b->first)->offset : b->tail;
	return 1;
}

uint64_t backlog_first(const struct backlog *b)
{
	return b->first;
}

uint64_t backlog_next(const struct backlog *b)
{
	return b->next;
}

uint64_t backlog_find(const struct backlog *b, uint64_t pos)
{
	uint64_t low = b->first, high = b->next;

	while (low < high) {
		const uint64_t mid = low + (high - low) / 2;
		const struct entry *e = entry(b, mid);

		if (e->pos + e->len <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void backlog_forget(struct backlog *b, uint64_t pos)
{
	struct span s;

	while (backlog_span(b, b->first, &s) && s.pos + s.len <= pos)
		backlog_drop(b, &s);
}

uint64_t backlog_end(const struct backlog *b)
{
	return b->end;
}
