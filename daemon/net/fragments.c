#include "daemon/net/fragments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONTEXTS = 64,
	DATAGRAM_MAX = 65535,
	UNIT = 8,                            /* Offsets count these */
	UNITS = (DATAGRAM_MAX + UNIT) / UNIT,
	WAIT_US = 5 * 1000 * 1000,
};

struct context {
	struct fragment_key key;
	uint64_t since_us;
	bool used;
	bool spoilt;        /* What still comes of it is dropped */
	uint8_t next;
	size_t total;       /* 0: the last fragment has not come */
	size_t end;         /* Of what has come */
	size_t units;       /* Received */
	uint8_t seen[(UNITS + 7) / 8];
	uint8_t *data;      /* DATAGRAM_MAX bytes, kept for the next */
};

struct fragments {
	uint64_t lost;
	struct context contexts[CONTEXTS];
};

int fragments_new(struct fragments **out)
{
	struct fragments *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	*out = f;
	return 0;
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < CONTEXTS; i++)
		free(f->contexts[i].data);
	free(f);
}

static bool same_key(const struct fragment_key *a, const struct fragment_key *b)
{
	return a->id == b->id && a->family == b->family &&
	       a->protocol == b->protocol &&
	       memcmp(a->from, b->from, sizeof(a->from)) == 0 &&
	       memcmp(a->to, b->to, sizeof(a->to)) == 0;
}

static void drop(struct fragments *f, struct context *c)
{
	f->lost += !c->spoilt; /* A spoilt one is counted already */
	c->used = false;
}

static void spoil(struct fragments *f, struct context *c)
{
	f->lost += !c->spoilt;
	c->spoilt = true;
}

/* The clock of a capture may step back: such a context is young */
static bool overdue(const struct context *c, uint64_t at_us)
{
	return at_us > c->since_us && at_us - c->since_us > WAIT_US;
}

static struct context *find_or_begin(struct fragments *f,
				     const struct fragment_key *key,
				     uint64_t at_us)
{
	struct context *c = NULL, *oldest = &f->contexts[0];

	for (size_t i = 0; i < CONTEXTS; i++) {
		struct context *at = &f->contexts[i];

		if (at->used && overdue(at, at_us))
			drop(f, at);
		if (at->used && same_key(&at->key, key))
			return at;
		if (!at->used && !c)
			c = at;
		if (at->since_us < oldest->since_us)
			oldest = at;
	}
	if (!c) {
		c = oldest;
		drop(f, c);
	}
	uint8_t *const data = c->data;

	memset(c, 0, sizeof(*c));
	c->data = data;
	c->key = *key;
	c->since_us = at_us;
	c->used = true;
	return c;
}

static bool seen(const struct context *c, size_t unit)
{
	return c->seen[unit / 8] >> (unit % 8) & 1;
}

/* How many of these units have come before */
static size_t count_seen(const struct context *c, size_t first, size_t end)
{
	size_t n = 0;

	for (size_t u = first; u < end; u++)
		n += seen(c, u);
	return n;
}

static void mark_seen(struct context *c, size_t first, size_t end)
{
	for (size_t u = first; u < end; u++)
		c->seen[u / 8] |= (uint8_t)(1u << (u % 8));
	c->units += end - first;
}

/* Does it contradict what is known of the datagram's end? */
static bool ends_agree(const struct context *c, const struct fragment *in)
{
	const size_t end = in->offset + in->len;

	if (!in->more)
		return (!c->total || c->total == end) && end >= c->end;
	return !c->total || end < c->total;
}

static int put(struct context *c, const struct fragment *in)
{
	const size_t first = in->offset / UNIT;
	const size_t end = (in->offset + in->len + UNIT - 1) / UNIT;
	const size_t before = count_seen(c, first, end);

	if (!ends_agree(c, in))
		return -EBADMSG;
	if (before == end - first &&
	    (in->more || c->total) &&
	    memcmp(c->data + in->offset, in->data, in->len) == 0)
		return 0;
	if (before)
		return -EBADMSG;
	memcpy(c->data + in->offset, in->data, in->len);
	mark_seen(c, first, end);
	if (in->offset == 0)
		c->next = in->next;
	if (!in->more)
		c->total = in->offset + in->len;
	if (in->offset + in->len > c->end)
		c->end = in->offset + in->len;
	return 0;
}

int fragments_feed(struct fragments *f, const struct fragment *in,
		   uint64_t at_us, struct datagram *out)
{
	struct context *c = find_or_begin(f, &in->key, at_us);

	if (c->spoilt)
		return 0;
	if (!c->data)
		c->data = malloc(DATAGRAM_MAX);
	if (!c->data) {
		spoil(f, c);
		return -ENOMEM;
	}
	if (in->len == 0 || (in->more && in->len % UNIT) ||
	    in->offset % UNIT || in->offset > DATAGRAM_MAX ||
	    in->len > DATAGRAM_MAX - in->offset || put(c, in) < 0) {
		spoil(f, c);
		return -EBADMSG;
	}
	if (!c->total || c->units != (c->total + UNIT - 1) / UNIT)
		return 0;
	c->used = false;
	*out = (struct datagram){
		.data = c->data,
		.len = c->total,
		.next = c->next,
	};
	return 1;
}

void fragments_spoil(struct fragments *f, const struct fragment_key *key,
		     uint64_t at_us)
{
	spoil(f, find_or_begin(f, key, at_us));
}

uint64_t fragments_lost(const struct fragments *f)
{
	return f->lost;
}
