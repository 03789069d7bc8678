/** @file conceal.c  Concealment of short losses, by spandsp's PLC */
#include <errno.h>
#include <spandsp.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/conceal.h"

/* The largest frame in one piece: what an Ethernet packet holds of G.711. */
enum { PIECE_MAX = 1500 };

struct conceal {
	plc_state_t *plc;
};

int conceal_new(struct conceal **out)
{
	struct conceal *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->plc = plc_init(NULL);
	if (!c->plc) {
		free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

void conceal_free(struct conceal *c)
{
	if (!c)
		return;
	plc_free(c->plc);
	free(c);
}

static size_t piece(size_t n)
{
	return n < PIECE_MAX ? n : PIECE_MAX;
}

void conceal_good(struct conceal *c, const int16_t *pcm, size_t n)
{
	int16_t copy[PIECE_MAX]; /* spandsp writes into what it is shown */

	for (size_t len; n; pcm += len, n -= len) {
		len = piece(n);
		memcpy(copy, pcm, len * sizeof *pcm);
		plc_rx(c->plc, copy, (int)len);
	}
}

void conceal_fill(struct conceal *c, int16_t *pcm, size_t n)
{
	for (size_t len; n; pcm += len, n -= len) {
		len = piece(n);
		plc_fillin(c->plc, pcm, (int)len);
	}
}

void conceal_silence(struct conceal *c)
{
	plc_init(c->plc);
}
