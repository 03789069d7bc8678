/** @file map.c  Hash map from 64-bit hashes to pointers the caller owns */
#include "daemon/base/map.h"

#include <errno.h>
#include <stdlib.h>

static char grave; /* its address marks a slot whose value was removed */

static void place(struct map_slot *slots, size_t size, uint64_t hash,
		  void *value)
{
	size_t i = (size_t)hash & (size - 1);

	while (slots[i].value && slots[i].value != &grave)
		i = (i + 1) & (size - 1);
	slots[i] = (struct map_slot){ hash, value };
}

/* Twice as many slots when half are in use; else only the graves go. */
static int grow(struct map *m)
{
	const size_t size = !m->size		     ? 16
			    : m->count * 2 >= m->size ? m->size * 2
						      : m->size;
	struct map_slot *slots = calloc(size, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++)
		if (m->slots[i].value && m->slots[i].value != &grave)
			place(slots, size, m->slots[i].hash, m->slots[i].value);
	free(m->slots);
	m->slots = slots;
	m->size = size;
	m->used = m->count;
	return 0;
}

int map_put(struct map *m, uint64_t hash, void *value)
{
	if (m->used * 4 >= m->size * 3 && grow(m))
		return -ENOMEM;
	place(m->slots, m->size, hash, value);
	m->used++;
	m->count++;
	return 0;
}

void *map_find(const struct map *m, uint64_t hash, map_same_fn *same,
	       const void *key)
{
	if (!m->size)
		return NULL;
	for (size_t i = (size_t)hash & (m->size - 1); m->slots[i].value;
	     i = (i + 1) & (m->size - 1)) {
		const struct map_slot *s = &m->slots[i];

		if (s->hash == hash && s->value != &grave &&
		    same(s->value, key))
			return s->value;
	}
	return NULL;
}

void map_remove(struct map *m, uint64_t hash, const void *value)
{
	if (!m->size)
		return;
	for (size_t i = (size_t)hash & (m->size - 1); m->slots[i].value;
	     i = (i + 1) & (m->size - 1)) {
		if (m->slots[i].hash != hash || m->slots[i].value != value)
			continue;
		m->slots[i].value = &grave;
		m->count--;
		return;
	}
}

void map_free(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}
