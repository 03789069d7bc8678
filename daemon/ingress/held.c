/** @file held.c  Packets that wait for the next one to decide */
#include "daemon/ingress/held.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/media/receiver.h"

struct held *held_new(const struct rtp *h, uint64_t at_us)
{
	struct held *x = h->len <= RTP_PAYLOAD_MAX
				 ? malloc(sizeof(*x) + h->len)
				 : NULL;

	if (!x)
		return NULL;
	x->h = *h;
	x->at_us = at_us;
	if (h->len)
		memcpy(x->payload, h->payload, h->len);
	x->h.payload = x->payload;
	return x;
}

struct held *held_take(struct held_set *s, uint32_t ssrc)
{
	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++) {
		struct held *x = s->at[i];

		if (!x || x->h.ssrc != ssrc)
			continue;
		s->at[i] = NULL;
		return x;
	}
	return NULL;
}

void held_keep(struct held_set *s, const struct rtp *h, uint64_t at_us)
{
	unsigned place = 0;

	free(held_take(s, h->ssrc));
	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++) {
		if (!s->at[i]) {
			place = i;
			break;
		}
		if (s->at[i]->at_us < s->at[place]->at_us)
			place = i;
	}
	free(s->at[place]);
	s->at[place] = held_new(h, at_us);
}

void held_clear(struct held_set *s)
{
	for (unsigned i = 0; i < SOURCE_CANDIDATES; i++)
		free(s->at[i]);
	*s = (struct held_set){0};
}
