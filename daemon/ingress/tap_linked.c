/** @file tap_linked.c  Two calls of a tap with a party in common */
#include "daemon/ingress/tap_linked.h"

#include "daemon/ingress/endpoints.h"

static bool shares_ip(const struct tap_call *a, unsigned side_a,
		      const struct tap_call *b, unsigned side_b)
{
	for (unsigned m = 0; m < a->n_media; m++) {
		const struct tap_side *x = tap_side_of(a, m, side_a);

		for (unsigned i = 0; i < x->n * b->n_media; i++) {
			const struct tap_side *y =
				tap_side_of(b, i / x->n, side_b);

			for (unsigned k = 0; k < y->n; k++)
				if (addr_same_ip(
					    &x->endpoints[i % x->n]->address->at,
					    &y->endpoints[k]->address->at))
					return true;
		}
	}
	return false;
}

static bool has_said(const struct tap_call *c, unsigned side)
{
	for (unsigned m = 0; m < c->n_media; m++)
		if (tap_side_of(c, m, side)->n)
			return true;
	return false;
}

/* Is one of those between whom the call is that nobody announced a party of
 * the announced one, at another port?  (At the same port it is its media.) */
static bool says_end(const struct tap_call *announced,
		     const struct tap_call *other)
{
	bool found = false;

	for (unsigned m = 0; m < announced->n_media * SIDES; m++) {
		const struct tap_side *s =
			tap_side_of(announced, m / SIDES, m % SIDES);

		for (unsigned i = 0; i < s->n * SIDES; i++) {
			const struct addr *a =
				&s->endpoints[i / SIDES]->address->at;
			const struct addr *b = &other->ends[i % SIDES];

			if (addr_equal(a, b))
				return false;
			found |= addr_same_ip(a, b);
		}
	}
	return found;
}

bool tap_are_linked(const struct tap_call *earlier, const struct tap_call *c)
{
	if (!earlier->announced || !c->announced)
		return earlier->announced ? says_end(earlier, c)
					  : says_end(c, earlier);
	return shares_ip(earlier, SIDE_CALLEE, c, SIDE_CALLER) ||
	       shares_ip(earlier, SIDE_CALLER, c, SIDE_CALLEE);
}

bool tap_may_be_linked(const struct tap_call *earlier, const struct tap_call *c)
{
	return tap_are_linked(earlier, c) ||
	       (earlier->announced && has_said(earlier, SIDE_CALLER) &&
		!has_said(earlier, SIDE_CALLEE));
}
