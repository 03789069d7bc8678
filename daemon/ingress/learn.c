/** @file learn.c  Who of several senders is the one */
#include "daemon/ingress/learn.h"

#include <stdlib.h>

enum {
	WITHIN_US = 3 * 1000 * 1000,
	STALE_US = 1000 * 1000,      /* it has stopped */
};

static void clear(struct learn_sender *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->held[i]);
	*s = (struct learn_sender){0};
}

void learn_clear(struct learn *l)
{
	for (unsigned i = 0; i < LEARN_SENDERS; i++)
		clear(&l->sender[i]);
}

static const struct held *last(const struct learn_sender *s)
{
	return s->held[s->n - 1];
}

static bool may_go(const struct learn_sender *s, uint64_t at_us)
{
	return s->n < 2 || at_us - last(s)->at_us >= STALE_US;
}

/* Its place, or one for it: free, or of who was silent longest. */
static struct learn_sender *place_of(struct learn *l, const struct addr *from,
				     uint32_t ssrc, uint64_t at_us)
{
	struct learn_sender *place = NULL;

	for (unsigned i = 0; i < LEARN_SENDERS; i++) {
		struct learn_sender *s = &l->sender[i];

		if (s->n && addr_equal(&s->from, from) &&
		    s->held[0]->h.ssrc == ssrc)
			return s;
		if (!s->n || (may_go(s, at_us) &&
			      (!place || (place->n && last(s)->at_us <
							      last(place)->at_us))))
			place = s;
	}
	if (place)
		clear(place);
	return place;
}

const struct learn_sender *learn_feed(struct learn *l, const struct addr *from,
				      const struct rtp *h, uint64_t at_us)
{
	struct learn_sender *s = place_of(l, from, h->ssrc, at_us);

	if (!s)
		return NULL;
	if (s->n) {
		const int step = rtp_seq_diff(h->seq, last(s)->h.seq);

		if (step == 0)
			return NULL; /* the same one again */
		if (step != 1 || at_us - s->held[0]->at_us > WITHIN_US)
			clear(s);
	}
	s->from = *from;
	s->held[s->n] = held_new(h, at_us);
	if (!s->held[s->n]) {
		clear(s);
		return NULL;
	}
	return ++s->n == LEARN_PACKETS ? s : NULL;
}
