/** @file wav.c  One WAV file for each leg */
#include "daemon/pub/wav.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"

enum { RATE = 8000, HEADER = 44, PATH_BYTES = 4096, STEP = 4096 };

struct wav {
	FILE *file;
	uint64_t samples;
	int err;
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

/* "WAVE form" of RIFF (Multimedia Programming Interface 1.0, 1991): PCM */
static void write_header(struct wav *w)
{
	uint8_t h[HEADER] = "RIFF....WAVEfmt ";
	const uint32_t bytes = (uint32_t)w->samples * 2;

	put32(h + 4, bytes + HEADER - 8);
	put32(h + 16, 16);
	put16(h + 20, 1);        /* PCM */
	put16(h + 22, 1);        /* mono */
	put32(h + 24, RATE);
	put32(h + 28, RATE * 2); /* bytes a second */
	put16(h + 32, 2);        /* bytes a sample */
	put16(h + 34, 16);       /* bits a sample */
	memcpy(h + 36, "data", 4);
	put32(h + 40, bytes);
	if (fwrite(h, 1, sizeof(h), w->file) != sizeof(h) && !w->err)
		w->err = -errno;
}

int wav_open(struct wav **out, const char *dir, const char *leg)
{
	char path[PATH_BYTES];
	const int n = snprintf(path, sizeof(path), "%s/%s.wav", dir, leg);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;

	struct wav *w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->file = fopen(path, "wbe");
	if (!w->file) {
		const int err = -errno;

		free(w);
		return err;
	}
	write_header(w);
	*out = w;
	return 0;
}

static void write_samples(struct wav *w, const int16_t *pcm, size_t n)
{
	uint8_t bytes[STEP * 2];

	for (size_t i = 0; i < n; i++)
		put16(bytes + 2 * i, (uint16_t)(pcm ? pcm[i] : 0));
	if (fwrite(bytes, 2, n, w->file) != n && !w->err)
		w->err = -errno;
	w->samples += n;
}

/* Long silence becomes a hole in the file: it costs neither time nor disk. */
static void skip(struct wav *w, uint64_t n)
{
	if (fseeko(w->file, (off_t)(n * 2), SEEK_CUR) && !w->err)
		w->err = -errno;
	w->samples += n;
}

void wav_samples(struct wav *w, const int16_t *pcm, uint64_t n)
{
	if (n > (UINT32_MAX - HEADER) / 2 - w->samples)
		w->err = w->err ? w->err : -EFBIG;
	if (!pcm && n > STEP && !w->err) {
		skip(w, n - STEP); /* the last of it is written: the file's end */
		n = STEP;
	}
	while (n && !w->err) {
		const size_t part = (size_t)MIN(n, (uint64_t)STEP);

		write_samples(w, pcm, part);
		pcm = pcm ? pcm + part : NULL;
		n -= part;
	}
}

int wav_close(struct wav *w)
{
	if (fseek(w->file, 0, SEEK_SET) && !w->err)
		w->err = -errno;
	write_header(w);
	if (fclose(w->file) && !w->err)
		w->err = -errno;

	const int err = w->err;
	free(w);
	return err;
}
