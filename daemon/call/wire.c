/** @file wire.c  8 kHz PCM to the bytes one connection gets */
#include "daemon/call/wire.h"

#include <errno.h>
#include <stdlib.h>

#include "codecs/codec.h"
#include "codecs/resample.h"
#include "daemon/base/must.h"

struct wire {
	const struct codec *codec; /* NULL: PCM */
	struct resample *resample; /* NULL: 8 kHz */
	int16_t *pcm;              /* resampled */
	uint8_t *bytes;
	size_t room;               /* input samples they are made for */
};

int wire_new(struct wire **out, const struct asr_wire *format)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	must(format->rate_hz == 8000 || format->rate_hz == 16000);
	if (format->encoding != ASR_PCM_S16LE)
		w->codec = codec_by_name(format->encoding == ASR_MULAW
						 ? "PCMU" : "PCMA");
	if (format->rate_hz == 16000 && resample_new(&w->resample)) {
		wire_free(w);
		return -ENOMEM;
	}
	*out = w;
	return 0;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	resample_free(w->resample);
	free(w->pcm);
	free(w->bytes);
	free(w);
}

/* Chunks are all alike: this allocates once. */
static int make_room(struct wire *w, size_t n)
{
	const size_t most = resample_room(n);

	if (n <= w->room)
		return 0;
	free(w->pcm);
	free(w->bytes);
	w->pcm = malloc(most * sizeof(*w->pcm));
	w->bytes = malloc(most * 2);
	w->room = w->pcm && w->bytes ? n : 0;
	return w->room ? 0 : -ENOMEM;
}

ptrdiff_t wire_encode(struct wire *w, const int16_t *pcm, size_t n, bool end,
		      const uint8_t **data)
{
	if (make_room(w, n))
		return -ENOMEM;
	*data = w->bytes;
	if (w->resample) {
		n = resample_feed(w->resample, w->pcm, pcm, n, end);
		pcm = w->pcm;
	}
	if (w->codec) {
		w->codec->encode(w->bytes, pcm, n);
		return (ptrdiff_t)n;
	}
	for (size_t i = 0; i < n; i++) {
		const uint16_t v = (uint16_t)pcm[i];

		w->bytes[2 * i] = (uint8_t)v;
		w->bytes[2 * i + 1] = (uint8_t)(v >> 8);
	}
	return (ptrdiff_t)(2 * n);
}

bool wire_holds(const struct wire *w)
{
	return w->resample != NULL;
}
