/** @file anchors.c  Places in a stream of audio by which it is known again */
#include "daemon/ingress/anchors.h"

#include "daemon/base/hash.h"

static const uint64_t FACTOR = 0x9e3779b97f4a7c15u;

/* FACTOR to the power of the window: what the oldest byte has become */
static uint64_t oldest_factor(void)
{
	uint64_t x = 1;

	for (int i = 0; i < ANCHORS_WINDOW; i++)
		x *= FACTOR;
	return x;
}

void anchors_feed(struct anchors *a, const struct rtp *h, anchors_fn *found,
		  void *arg)
{
	const uint64_t oldest = oldest_factor();
	const int step = a->begun ? rtp_seq_diff(h->seq, a->seq) : 1;

	if (step == 0)
		return;
	if (step != 1)
		*a = (struct anchors){0};
	a->begun = true;
	a->seq = h->seq;
	for (size_t i = 0; i < h->len; i++) {
		const uint8_t byte = h->payload[i];

		a->hash = a->hash * FACTOR + byte + 1;
		if (a->n == ANCHORS_WINDOW)
			a->hash -= oldest * (a->window[a->at] + 1u);
		else
			a->n++;
		a->window[a->at] = byte;
		a->at = (a->at + 1) % ANCHORS_WINDOW;
		if (a->n == ANCHORS_WINDOW && a->hash >> 58 == 0)
			found(hash_mix(1, a->hash), arg);
	}
}
