/** @file latest.c  The latest partial of each leg */
#include "daemon/pub/latest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"

struct entry {
	struct list in;         /* Oldest first */
	uint64_t hash;
	uint64_t version;
	enum event_type type;
	uint64_t segment;
	char leg[EVENT_ID];
	char call[EVENT_ID];
	size_t len;
	char text[];
};

struct latest {
	struct map map;
	struct list entries;
	uint64_t version;
	size_t bytes, max;
};

struct key {
	const char *leg;
	enum event_type type;
};

int latest_new(struct latest **out, size_t max)
{
	struct latest *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->max = max;
	list_init(&t->entries);
	*out = t;
	return 0;
}

static void drop(struct latest *t, struct entry *e)
{
	map_remove(&t->map, e->hash, e);
	list_remove(&e->in);
	t->bytes -= sizeof(*e) + e->len;
	free(e);
}

void latest_clear(struct latest *t)
{
	list_each(&t->entries, item)
		drop(t, list_item(item, struct entry, in));
}

void latest_free(struct latest *t)
{
	if (!t)
		return;
	latest_clear(t);
	map_free(&t->map);
	free(t);
}

static uint64_t hash_of(const struct key *k)
{
	return hash_mix(hash_bytes(k->leg, strlen(k->leg)), k->type);
}

static bool same(const void *value, const void *key)
{
	const struct entry *e = value;
	const struct key *k = key;

	return e->type == k->type && !strcmp(e->leg, k->leg);
}

static struct entry *find(const struct latest *t, const char *leg,
			  enum event_type type)
{
	const struct key k = { leg, type };

	return map_find(&t->map, hash_of(&k), same, &k);
}

static void supersede(struct latest *t, const struct event *e)
{
	struct entry *p = find(t, e->leg, EVENT_SEGMENT);

	if (p && (e->type == EVENT_LEG_END ||
		  (e->type == EVENT_SEGMENT &&
		   p->segment == e->segment.segment)))
		drop(t, p);
	if (e->type != EVENT_LEG_END)
		return;
	p = find(t, e->leg, EVENT_SPEECH);
	if (p)
		drop(t, p);
}

void latest_put(struct latest *t, const struct journal_line *l,
		const struct event *e)
{
	if (!e->leg)
		return;
	if (l->seq) {
		supersede(t, e);
		return;
	}
	struct entry *old = find(t, e->leg, e->type);
	if (old)
		drop(t, old);

	const struct key k = { e->leg, e->type };
	struct entry *n = malloc(sizeof(*n) + l->len);
	if (!n)
		return;
	*n = (struct entry){ .hash = hash_of(&k), .type = e->type,
			     .version = ++t->version, .len = l->len };
	if (e->type == EVENT_SEGMENT)
		n->segment = e->segment.segment;
	snprintf(n->leg, sizeof(n->leg), "%s", e->leg);
	snprintf(n->call, sizeof(n->call), "%s", l->key);
	memcpy(n->text, l->text, l->len);
	if (map_put(&t->map, n->hash, n)) {
		free(n);
		return;
	}
	list_add(&t->entries, &n->in);
	t->bytes += sizeof(*n) + n->len;
	while (t->bytes > t->max)
		drop(t, list_item(t->entries.next, struct entry, in));
}

uint64_t latest_version(const struct latest *t)
{
	return t->version;
}

uint64_t latest_each(const struct latest *t, uint64_t version,
		     bool (*tell)(const struct journal_line *l, void *arg),
		     void *arg)
{
	const struct list *at = &t->entries;

	/* from the newest back: readers at the tail have seen nearly all */
	while (at->prev != &t->entries &&
	       list_item(at->prev, struct entry, in)->version > version)
		at = at->prev;
	for (; at != &t->entries; at = at->next) {
		const struct entry *e = list_item(at, struct entry, in);
		const struct journal_line l = { .type = e->type, .key = e->call,
						.text = e->text,
						.len = e->len };
		if (!tell(&l, arg))
			break;
		version = e->version;
	}
	return version;
}
