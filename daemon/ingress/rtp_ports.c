/** @file rtp_ports.c  The UDP ports that live legs receive on */
#include "daemon/ingress/rtp_ports.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/base/must.h"
#include "daemon/net/random.h"

enum { REST_US = 30 * 1000 * 1000 };

struct rest {
	uint16_t pair;
	uint64_t until_us;
};

struct rtp_ports {
	struct timers *timers;
	uint16_t first;         /* even */
	unsigned n;             /* pairs there are */
	unsigned used;
	uint16_t *free;         /* pairs that can be taken, in no order */
	unsigned n_free;
	struct rest *resting;   /* a ring, the oldest first */
	unsigned oldest, n_resting;
	bool *taken;            /* by pair */
	struct rtp_totals totals;
};

int rtp_ports_new(struct rtp_ports **out, const struct addr *at, uint16_t first,
		  uint16_t last, struct timers *timers)
{
	const unsigned even = first + (first & 1u);

	if (!at->family || first == 0 || even + 1 > last)
		return -EINVAL;

	struct rtp_ports *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->timers = timers;
	p->first = (uint16_t)even;
	p->n = (last + 1u - even) / 2;
	p->free = calloc(p->n, sizeof(*p->free));
	p->resting = calloc(p->n, sizeof(*p->resting));
	p->taken = calloc(p->n, sizeof(*p->taken));
	if (!p->free || !p->resting || !p->taken) {
		rtp_ports_free(p);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < p->n; i++)
		p->free[i] = (uint16_t)i;
	p->n_free = p->n;
	*out = p;
	return 0;
}

void rtp_ports_free(struct rtp_ports *p)
{
	if (!p)
		return;
	free(p->free);
	free(p->resting);
	free(p->taken);
	free(p);
}

/* Those that rested long enough can be taken again. */
static void wake(struct rtp_ports *p)
{
	const uint64_t now_us = timers_now_us(p->timers);

	while (p->n_resting && p->resting[p->oldest].until_us <= now_us) {
		p->free[p->n_free++] = p->resting[p->oldest].pair;
		p->oldest = (p->oldest + 1) % p->n;
		p->n_resting--;
	}
}

int rtp_ports_take(struct rtp_ports *p, uint16_t *rtp)
{
	uint32_t chance;

	wake(p);
	if (!p->n_free)
		return -EADDRNOTAVAIL;
	random_bytes(&chance, sizeof(chance));
	const unsigned i = chance % p->n_free;
	const uint16_t pair = p->free[i];

	p->free[i] = p->free[--p->n_free];
	p->taken[pair] = true;
	p->used++;
	*rtp = (uint16_t)(p->first + 2 * pair);
	return 0;
}

bool rtp_ports_can(struct rtp_ports *p, unsigned pairs)
{
	wake(p);
	return pairs <= p->n_free;
}

void rtp_ports_give_back(struct rtp_ports *p, uint16_t rtp)
{
	const unsigned pair = (rtp - p->first) / 2u;

	must(rtp >= p->first && pair < p->n && p->taken[pair]);
	p->taken[pair] = false;
	p->used--;
	p->resting[(p->oldest + p->n_resting++) % p->n] = (struct rest){
		.pair = (uint16_t)pair,
		.until_us = timers_now_us(p->timers) + REST_US,
	};
}

unsigned rtp_ports_used(const struct rtp_ports *p)
{
	return p->used;
}

unsigned rtp_ports_limit(const struct rtp_ports *p)
{
	return p->n;
}

struct rtp_totals *rtp_ports_totals(struct rtp_ports *p)
{
	return &p->totals;
}
