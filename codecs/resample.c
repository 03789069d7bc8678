/** @file resample.c  8 kHz to 16 kHz, by speexdsp */
#include "codecs/resample.h"

#include <errno.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>

enum {
	IN_HZ = 8000,
	OUT_HZ = 16000,
	QUALITY = 8,   /* 0..10; above 5 as the vendors' 16 kHz models want */
	HELD_MAX = 256,/* input samples the filter may hold back */
};

struct resample {
	SpeexResamplerState *speex;
	size_t held;   /* input samples behind the output */
};

int resample_new(struct resample **out)
{
	struct resample *r = calloc(1, sizeof(*r));
	int err = 0;

	if (!r)
		return -ENOMEM;
	r->speex = speex_resampler_init(1, IN_HZ, OUT_HZ, QUALITY, &err);
	if (!r->speex) {
		free(r);
		return -ENOMEM;
	}
	speex_resampler_skip_zeros(r->speex); /* the filter's delay */
	r->held = (size_t)speex_resampler_get_input_latency(r->speex);
	*out = r;
	return 0;
}

void resample_free(struct resample *r)
{
	if (!r)
		return;
	speex_resampler_destroy(r->speex);
	free(r);
}

size_t resample_room(size_t n)
{
	return 2 * (n + HELD_MAX);
}

static size_t run(struct resample *r, int16_t *out, size_t room,
		  const int16_t *pcm, size_t n)
{
	size_t got = 0;

	while (n) {
		spx_uint32_t in = (spx_uint32_t)n;
		spx_uint32_t put = (spx_uint32_t)(room - got);

		speex_resampler_process_int(r->speex, 0, pcm, &in, out + got,
					    &put);
		if (!in && !put)
			break;
		pcm += in;
		n -= in;
		got += put;
	}
	return got;
}

size_t resample_feed(struct resample *r, int16_t *out, const int16_t *pcm,
		     size_t n, bool end)
{
	static const int16_t zeros[HELD_MAX];
	const size_t room = resample_room(n);
	const size_t got = run(r, out, room, pcm, n);

	if (!end)
		return got;
	return got + run(r, out + got, room - got, zeros, r->held);
}
