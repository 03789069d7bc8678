/** @file sound.c  Samples, both laws, and what is heard of them */
#include "tools/callgen/sound.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "tools/callgen/chance.h"

const char *law_name(enum law law)
{
	return law == LAW_PCMU ? "PCMU" : "PCMA";
}

uint8_t law_payload_type(enum law law)
{
	return law == LAW_PCMU ? 0 : 8; /* RFC 3551 table 4 */
}

void sound_free(struct sound *s)
{
	for (int law = 0; law < LAWS; law++) {
		free(s->code[law]);
		free(s->heard[law]);
	}
	*s = (struct sound){0};
}

static int set_law(struct sound *s, enum law law, const int16_t *pcm)
{
	const struct codec *codec = codec_by_name(law_name(law));
	const size_t all = s->n + SOUND_FRAME_MAX;
	uint8_t *code = s->code[law] = malloc(all);
	uint8_t *heard = s->heard[law] = malloc(2 * all);

	if (!code || !heard)
		return -ENOMEM;
	codec->encode(code, pcm, s->n);
	for (size_t i = s->n; i < all; i++)
		code[i] = code[i - s->n];
	for (size_t i = 0; i < all; i++) {
		int16_t sample;

		codec->decode(&sample, code + i, 1);
		heard[2 * i] = (uint8_t)((uint16_t)sample & 0xff);
		heard[2 * i + 1] = (uint8_t)((uint16_t)sample >> 8);
	}
	return 0;
}

int sound_set(struct sound *s, const int16_t *pcm, size_t n)
{
	struct sound made = { .n = n };
	int err = n < SOUND_FRAME_MAX ? -EINVAL : 0;

	for (int law = 0; law < LAWS && !err; law++)
		err = set_law(&made, (enum law)law, pcm);
	if (err)
		sound_free(&made);
	else
		*s = made;
	return err;
}

/* Tones of 60 to 240 ms, some noise, a pause now and then: an ASR stand-in
 * finds its segments, and no second is like another. */
int sound_make(struct sound *s)
{
	enum { N = 60 * SOUND_HZ };
	int16_t *pcm = malloc(N * sizeof(*pcm));
	struct chance c = chance_of(8000, 0);
	double phase = 0, step = 0, loud = 0;
	size_t left = 0;

	if (!pcm)
		return -ENOMEM;
	for (size_t i = 0; i < N; i++) {
		if (left-- == 0) {
			const bool pause = chance_below(&c, 12) == 0;

			left = 480 + (size_t)chance_below(&c, 1440);
			left += pause ? 2400 : 0;
			loud = pause ? 0 : 3000 + (double)chance_below(&c, 5000);
			step = 2 * M_PI *
			       (double)(120 + chance_below(&c, 600)) / SOUND_HZ;
		}
		phase += step;
		pcm[i] = (int16_t)(loud * sin(phase) +
				   (double)chance_below(&c, 121) - 60);
	}
	const int err = sound_set(s, pcm, N);

	free(pcm);
	return err;
}
