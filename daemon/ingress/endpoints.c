/** @file endpoints.c  Which calls announced an address */
#include "daemon/ingress/endpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool same_address(const void *value, const void *key)
{
	const struct endpoint_address *a = value;

	return addr_equal(&a->at, key);
}

const struct endpoint_address *endpoints_find(const struct tap *t,
					      const struct addr *at)
{
	return map_find(&t->by_address, addr_hash(at), same_address, at);
}

static struct endpoint_address *address_for(struct tap *t,
					    const struct addr *at)
{
	const uint64_t hash = addr_hash(at);
	struct endpoint_address *a =
		map_find(&t->by_address, hash, same_address, at);

	if (a)
		return a;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->at = *at;
	list_init(&a->endpoints);
	if (map_put(&t->by_address, hash, a)) {
		free(a);
		return NULL;
	}
	return a;
}

static void remove_endpoint(struct tap *t, struct endpoint *e)
{
	struct endpoint_address *a = e->address;

	list_remove(&e->same);
	free(e);
	if (!list_empty(&a->endpoints))
		return;
	map_remove(&t->by_address, addr_hash(&a->at), a);
	free(a);
}

static void make_newest(struct tap_side *s, unsigned i)
{
	struct endpoint *e = s->endpoints[i];

	for (; i + 1 < s->n; i++)
		s->endpoints[i] = s->endpoints[i + 1];
	s->endpoints[i] = e;
}

int endpoints_add(struct tap_call *c, unsigned media, unsigned side,
		  const struct addr *at)
{
	struct tap_side *s = c->media[media].side[side];

	for (unsigned i = 0; i < s->n; i++)
		if (addr_equal(&s->endpoints[i]->address->at, at)) {
			make_newest(s, i);
			return 0;
		}

	struct endpoint *e = calloc(1, sizeof(*e));
	struct endpoint_address *a = e ? address_for(c->tap, at) : NULL;

	if (!a) {
		free(e);
		return -ENOMEM;
	}
	if (s->n == ENDPOINTS_MAX) {
		remove_endpoint(c->tap, s->endpoints[0]);
		memmove(s->endpoints, s->endpoints + 1,
			--s->n * sizeof(s->endpoints[0]));
	}
	e->address = a;
	e->call = c;
	e->media = media;
	e->side = side;
	list_add(&a->endpoints, &e->same);
	s->endpoints[s->n++] = e;
	return 1;
}

void endpoints_remove(struct tap_call *c)
{
	for (unsigned m = 0; m < c->n_media; m++)
		for (unsigned i = 0; i < SIDES; i++) {
			struct tap_side *s = c->media[m].side[i];

			while (s && s->n)
				remove_endpoint(c->tap, s->endpoints[--s->n]);
		}
}
