/**
 * @file conceal.c  Concealment of short losses, by spandsp's PLC
 *
 * spandsp 0.0.6 (plc.c) is handled with care.  Shown a past frame by frame, it
 * has to turn its ring of PLC_HISTORY_LEN samples, and does so by a memcpy()
 * onto itself; so the past is kept here, and shown at once when a loss begins.
 * Asked for fewer samples than PLC_PITCH_OVERLAP_MAX, it writes these all the
 * same; and asked again for more of a loss, it starts with a step in loudness.
 * So it is asked once for all that can be heard, and what is not wanted yet is
 * kept.
 */
#include <errno.h>
#include <spandsp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/conceal.h"
#include "daemon/base/array.h"

enum {
	PAST = PLC_HISTORY_LEN, /* samples that spandsp looks back */
	AUDIBLE = 480,          /* it fades over 400 samples after the overlap */
};

_Static_assert(AUDIBLE >= PLC_PITCH_OVERLAP_MAX + 400, "cut off");

struct conceal {
	plc_state_t *plc;
	bool filling;       /* the last that happened was a loss */
	int16_t past[PAST]; /* the newest is the last; filled ones as well */
	int16_t fill[AUDIBLE];
	size_t filled; /* how much of it has been had */
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

static void remember(struct conceal *c, const int16_t *pcm, size_t n)
{
	if (n > PAST) {
		pcm += n - PAST;
		n = PAST;
	}
	memmove(c->past, c->past + n, (PAST - n) * sizeof *pcm);
	memcpy(c->past + PAST - n, pcm, n * sizeof *pcm);
}

void conceal_good(struct conceal *c, const int16_t *pcm, size_t n)
{
	if (n == 0)
		return;
	remember(c, pcm, n);
	c->filling = false;
}

/* From a copy: spandsp may write into what it is shown. */
static void make_fill(struct conceal *c)
{
	int16_t copy[PAST];

	memcpy(copy, c->past, sizeof copy);
	plc_init(c->plc);
	plc_rx(c->plc, copy, PAST);
	plc_fillin(c->plc, c->fill, AUDIBLE);
	c->filled = 0;
	c->filling = true;
}

void conceal_fill(struct conceal *c, int16_t *pcm, size_t n)
{
	if (n == 0)
		return;
	if (!c->filling)
		make_fill(c);

	const size_t len = MIN(n, AUDIBLE - c->filled);

	memcpy(pcm, c->fill + c->filled, len * sizeof *pcm);
	memset(pcm + len, 0, (n - len) * sizeof *pcm);
	c->filled += len;
	remember(c, pcm, n);
}

void conceal_silence(struct conceal *c)
{
	memset(c->past, 0, sizeof c->past);
	c->filling = false;
}
