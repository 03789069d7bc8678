/** @file positions.c  A connection's audio against the leg's timeline */
#include "daemon/call/positions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECES_MAX = 4096, /* then the oldest half is forgotten: hours ago */
};

struct piece {
	uint64_t at;   /* on the connection */
	uint64_t leg;
	uint64_t len;
	bool inserted;
};

struct positions {
	struct piece *pieces;
	size_t n, size;
	uint64_t total;
	uint64_t leg;  /* where the next sample of the leg is expected */
};

int positions_new(struct positions **out, uint64_t leg)
{
	struct positions *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->leg = leg;
	*out = p;
	return 0;
}

void positions_free(struct positions *p)
{
	if (!p)
		return;
	free(p->pieces);
	free(p);
}

static int add(struct positions *p, uint64_t leg, uint64_t n, bool inserted)
{
	struct piece *last = p->n ? &p->pieces[p->n - 1] : NULL;

	if (!n)
		return 0;
	if (last && last->inserted == inserted &&
	    (inserted ? last->leg == leg : last->leg + last->len == leg)) {
		last->len += n;
		p->total += n;
		return 0;
	}
	if (p->n == PIECES_MAX) {
		memmove(p->pieces, p->pieces + PIECES_MAX / 2,
			PIECES_MAX / 2 * sizeof(*p->pieces));
		p->n = PIECES_MAX / 2;
	}
	if (p->n == p->size) {
		const size_t size = p->size ? p->size * 2 : 8;
		struct piece *pieces =
			realloc(p->pieces, size * sizeof(*pieces));

		if (!pieces)
			return -ENOMEM;
		p->pieces = pieces;
		p->size = size;
	}
	p->pieces[p->n++] = (struct piece){ p->total, leg, n, inserted };
	p->total += n;
	return 0;
}

int positions_sent(struct positions *p, uint64_t leg, uint64_t n)
{
	const int err = add(p, leg, n, false);

	if (!err)
		p->leg = leg + n;
	return err;
}

int positions_inserted(struct positions *p, uint64_t n)
{
	return add(p, p->leg, n, true);
}

uint64_t positions_total(const struct positions *p)
{
	return p->total;
}

/* Last piece that begins at or before `at` (strictly before, if `strict`). */
static const struct piece *find(const struct positions *p, uint64_t at,
				bool strict)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (strict ? p->pieces[mid].at < at : p->pieces[mid].at <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &p->pieces[low - 1] : NULL;
}

static uint64_t within(const struct positions *p, const struct piece *x,
		       uint64_t at)
{
	if (!x)
		return p->n ? p->pieces[0].leg : p->leg;
	if (x->inserted)
		return x->leg;
	return x->leg + (at - x->at < x->len ? at - x->at : x->len);
}

uint64_t positions_start(const struct positions *p, uint64_t at)
{
	return within(p, find(p, at, false), at);
}

uint64_t positions_end(const struct positions *p, uint64_t at)
{
	return within(p, find(p, at, true), at);
}

int positions_inserted_at(const struct positions *p, size_t i, uint64_t *leg,
			  uint64_t *samples)
{
	for (size_t k = 0; k < p->n; k++) {
		if (!p->pieces[k].inserted || i--)
			continue;
		*leg = p->pieces[k].leg;
		*samples = p->pieces[k].len;
		return 1;
	}
	return 0;
}
