/** @file tap_match.c  The calls a tap knows: who speaks on a flow */
#include "daemon/ingress/endpoints.h"

enum { LIVE = 10 }; /* rank of a call that is not over */

/* How well does `from` fit what the other side announced? */
static int fit(const struct tap_side *s, const struct addr *from)
{
	int best = s->n ? 0 : 1;

	for (unsigned i = 0; i < s->n; i++) {
		const struct addr *at = &s->endpoints[i]->address->at;

		if (addr_equal(at, from))
			return 3;
		if (addr_same_ip(at, from))
			best = 2;
	}
	return best;
}

/* The call that receives at `at` and whose other party fits `from` best. */
static int best_at(const struct tap *t, const struct addr *at,
		   const struct addr *other, bool receives,
		   struct tap_match *out)
{
	const struct endpoint_address *a = endpoints_find(t, at);
	int best = -1;

	if (!a)
		return -1;
	list_each(&a->endpoints, x) {
		const struct endpoint *e = list_item(x, struct endpoint, same);
		const struct tap_side *s =
			tap_side_of(e->call, e->media, e->side ^ 1u);
		const int rank = fit(s, other) + (e->call->over ? 0 : LIVE);

		if (rank < best)
			continue; /* of equal ones the newest */
		best = rank;
		*out = (struct tap_match){
			.call = e->call, .media = e->media,
			.side = receives ? e->side ^ 1u : e->side,
			.over = e->call->over,
		};
	}
	return best;
}

struct tap_match tap_match(const struct tap *t, const struct addr *from,
			   const struct addr *to)
{
	struct tap_match m = {0}, by_source = {0};
	const int there = best_at(t, to, from, true, &m);

	if (there >= LIVE)
		return m;
	/* not announced yet (early media): who sends from where it receives */
	const int here = best_at(t, from, to, false, &by_source);
	if (here > LIVE)
		return by_source;
	/* stragglers of a call that is over, but not just any stranger's */
	if (there > 0)
		return m;
	return here > 0 && here < LIVE ? by_source : (struct tap_match){0};
}
