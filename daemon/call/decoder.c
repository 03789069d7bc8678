/** @file decoder.c  Spans in timeline order to PCM, losses concealed */
#include "daemon/call/decoder.h"

#include <errno.h>
#include <stdlib.h>

#include "codecs/codec.h"
#include "codecs/conceal.h"
#include "daemon/base/must.h"

struct decoder {
	struct conceal *conceal;
	const struct codec *codecs[3]; /* by span_kind */
	int16_t pcm[DECODER_MAX];
};

int decoder_new(struct decoder **out)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	if (conceal_new(&d->conceal)) {
		free(d);
		return -ENOMEM;
	}
	d->codecs[SPAN_PCMU] = codec_by_name("PCMU");
	d->codecs[SPAN_PCMA] = codec_by_name("PCMA");
	d->codecs[SPAN_L16] = codec_by_name("L16");
	must(d->codecs[SPAN_PCMU] && d->codecs[SPAN_PCMA] &&
	     d->codecs[SPAN_L16]);
	*out = d;
	return 0;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	conceal_free(d->conceal);
	free(d);
}

bool decoder_conceals(const struct span *s)
{
	return s->kind == SPAN_LOSS && s->len <= DECODER_CONCEAL;
}

const int16_t *decoder_span(struct decoder *d, const struct span *s)
{
	if (span_is_audio(s)) {
		must(s->len <= DECODER_MAX);
		d->codecs[s->kind]->decode(d->pcm, s->data, (size_t)s->len);
		conceal_good(d->conceal, d->pcm, (size_t)s->len);
		return d->pcm;
	}
	if (decoder_conceals(s)) {
		conceal_fill(d->conceal, d->pcm, (size_t)s->len);
		return d->pcm;
	}
	conceal_silence(d->conceal);
	return NULL;
}
