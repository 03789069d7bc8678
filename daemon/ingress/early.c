/** @file early.c  What arrives before it is known who is to be believed */
#include "daemon/ingress/early.h"

#include <stdlib.h>
#include <string.h>

struct early_packet {
	struct early_packet *next;
	struct packet p;
	uint8_t data[];
};

static void drop_first(struct early_sender *s)
{
	struct early_packet *x = s->first;

	s->first = x->next;
	if (!s->first)
		s->last = NULL;
	s->n--;
	s->bytes -= x->p.len;
	free(x);
}

static unsigned drop_all(struct early_sender *s)
{
	const unsigned n = (unsigned)s->n;

	while (s->n)
		drop_first(s);
	return n;
}

static struct early_sender *place_for(struct early *e, const struct addr *from,
				      unsigned *dropped)
{
	struct early_sender *least = &e->sender[0];

	for (unsigned i = 0; i < EARLY_SENDERS; i++) {
		struct early_sender *s = &e->sender[i];

		if (s->n && addr_same_ip(&s->from, from))
			return s;
		if (s->n < least->n)
			least = s;
	}
	*dropped += drop_all(least);
	least->from = *from;
	return least;
}

unsigned early_keep(struct early *e, const struct packet *p)
{
	struct early_packet *x = p->len <= EARLY_BYTES
					 ? malloc(sizeof(*x) + p->len)
					 : NULL;
	unsigned dropped = 0;

	if (!x)
		return 1;
	x->next = NULL;
	x->p = *p;
	memcpy(x->data, p->data, p->len);
	x->p.data = x->data;

	struct early_sender *s = place_for(e, &p->from, &dropped);
	while (s->n &&
	       (s->n == EARLY_PACKETS || s->bytes + p->len > EARLY_BYTES)) {
		drop_first(s);
		dropped++;
	}
	if (s->last)
		s->last->next = x;
	else
		s->first = x;
	s->last = x;
	s->n++;
	s->bytes += p->len;
	return dropped;
}

bool early_any(const struct early *e)
{
	for (unsigned i = 0; i < EARLY_SENDERS; i++)
		if (e->sender[i].n)
			return true;
	return false;
}

void early_release(struct early *e, const struct addr *from,
		   void (*fn)(const struct packet *p, void *arg), void *arg)
{
	struct early all = *e;

	*e = (struct early){ 0 };
	for (unsigned i = 0; i < EARLY_SENDERS; i++) {
		struct early_sender *s = &all.sender[i];

		if (s->n && addr_same_ip(&s->from, from))
			for (; s->n; drop_first(s))
				fn(&s->first->p, arg);
	}
	early_clear(&all);
}

void early_clear(struct early *e)
{
	for (unsigned i = 0; i < EARLY_SENDERS; i++)
		drop_all(&e->sender[i]);
}
