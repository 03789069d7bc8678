/** @file store.c  Where the journal keeps its lines: in memory */
#include "daemon/pub/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SIZE_MIN = 4 * 1024,
	SIZE_MAX_ = 1 << 30,
	LINE_SMALL = 128,  /* No event's line is shorter: places needed */
	KEY_MAX = 255,
};

struct place {
	uint64_t at_us;
	uint32_t at;       /* Offset of key, NUL, line */
	uint32_t len;      /* Of the line */
	uint8_t key_len;
	uint8_t type;
};

/* Records lie whole, one behind the other; the one that does not fit before
   the end of the ring goes to its beginning. */
struct store {
	uint64_t first, next;
	size_t end;        /* Behind the newest record */
	size_t size;
	uint8_t *bytes;
	struct place *places; /* Of number n: places[n % n_places] */
	size_t n_places;
};

int store_new(struct store **out, size_t size)
{
	if (size < SIZE_MIN || size > SIZE_MAX_)
		return -EINVAL;

	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->first = s->next = 1;
	s->size = size;
	s->n_places = size / LINE_SMALL;
	/* not zeroed: the kernel gives each page when it is first written */
	s->bytes = malloc(size);
	s->places = malloc(s->n_places * sizeof(*s->places));
	if (!s->bytes || !s->places) {
		store_free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	free(s->bytes);
	free(s->places);
	free(s);
}

void store_begin(struct store *s, uint64_t seq)
{
	s->first = s->next = seq;
}

void store_drop(struct store *s, uint64_t seq)
{
	if (seq > s->first)
		s->first = seq < s->next ? seq : s->next;
}

static struct place *place_of(const struct store *s, uint64_t seq)
{
	return &s->places[seq % s->n_places];
}

/* Find `n` contiguous bytes, dropping the oldest as needed; n <= size. */
static size_t make_room(struct store *s, size_t n)
{
	for (;;) {
		if (s->first == s->next)
			return 0;

		const size_t oldest = place_of(s, s->first)->at;
		if (s->next - s->first < s->n_places) {
			/* end == oldest is a full ring, never an empty one */
			if (s->end > oldest) {
				if (s->size - s->end >= n)
					return s->end;
				if (oldest >= n)
					return 0;
			} else if (oldest - s->end >= n) {
				return s->end;
			}
		}
		s->first++;
	}
}

uint64_t store_put(struct store *s, const struct store_record *r)
{
	const size_t key_len = r->key ? strnlen(r->key, KEY_MAX) : 0;
	const size_t n = key_len + 1 + r->len;

	if (n > s->size) {
		s->first = s->next + 1;
		s->end = 0;
		return s->next++;
	}

	const size_t at = make_room(s, n);
	struct place *p = place_of(s, s->next);
	*p = (struct place){ .at_us = r->at_us, .at = (uint32_t)at,
			     .len = (uint32_t)r->len, .key_len = (uint8_t)key_len,
			     .type = r->type };
	memcpy(s->bytes + at, r->key ? r->key : "", key_len);
	s->bytes[at + key_len] = 0;
	if (r->len)
		memcpy(s->bytes + at + key_len + 1, r->line, r->len);
	s->end = at + n;
	return s->next++;
}

uint64_t store_first(const struct store *s)
{
	return s->first;
}

uint64_t store_next(const struct store *s)
{
	return s->next;
}

int store_get(const struct store *s, uint64_t seq, struct store_record *out)
{
	if (seq < s->first || seq >= s->next)
		return -ENOENT;

	const struct place *p = place_of(s, seq);
	if (p->len == 0)
		return -ENOENT;
	const char *bytes = (const char *)s->bytes + p->at;
	*out = (struct store_record){ .type = p->type, .at_us = p->at_us,
				      .key = bytes,
				      .line = bytes + p->key_len + 1,
				      .len = p->len };
	return 0;
}
