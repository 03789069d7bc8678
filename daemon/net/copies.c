/** @file copies.c  The same IP packet seen twice: mirrored, not sent twice */
#include "daemon/net/copies.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* 100 ms of 160,000 packets a second: 1,600 calls */
enum { BUCKETS = 2048, WAYS = 8 };

struct entry {
	uint64_t key, path;
	uint64_t at_us;     /* 0: free */
};

struct copies {
	struct entry entries[BUCKETS][WAYS];
};

int copies_new(struct copies **out)
{
	struct copies *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*out = c;
	return 0;
}

void copies_free(struct copies *c)
{
	free(c);
}

/* A capture's clock may step back a little; by more it is another time */
static bool is_recent(const struct entry *e, uint64_t at_us)
{
	const uint64_t apart = at_us > e->at_us ? at_us - e->at_us
						: e->at_us - at_us;

	return e->at_us && apart <= COPIES_WINDOW_US;
}

bool copies_seen(struct copies *c, const struct copies_packet *p,
		 uint64_t at_us)
{
	struct entry *bucket = c->entries[p->key % BUCKETS];
	struct entry *oldest = &bucket[0];
	bool same_way = false;

	for (size_t i = 0; i < WAYS; i++) {
		struct entry *e = &bucket[i];

		if (e->key == p->key && is_recent(e, at_us)) {
			if (p->numbered || e->path != p->path)
				return true;
			same_way = true;
		}
		if (e->at_us < oldest->at_us)
			oldest = e;
	}
	if (!same_way)
		*oldest = (struct entry){ p->key, p->path, at_us };
	return false;
}
