/**
 * @file resample.c  8 kHz to 16 kHz as the daemon does it
 *
 *	resample N      samples (16 bits, this machine's order) from stdin to
 *	                stdout, in parts of N; 0: in parts of 1, 2, 3 ...
 */
#include "codecs/resample.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/buf.h"

static int read_all(struct buf *in)
{
	char part[65536];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), stdin)) > 0)
		buf_add(in, part, n);
	return ferror(stdin) ? -1 : in->err;
}

static int convert(struct resample *r, const int16_t *pcm, size_t n,
		   size_t step)
{
	const size_t rising = step ? 0 : 1;
	size_t part = step ? step : 1;

	for (size_t at = 0; at < n; at += part, part += rising) {
		const size_t now = n - at < part ? n - at : part;
		int16_t *out = calloc(resample_room(now), sizeof(*out));

		if (!out)
			return -1;
		const size_t got = resample_feed(r, out, pcm + at, now,
						 at + now == n);
		const size_t written = fwrite(out, sizeof(*out), got, stdout);

		free(out);
		if (written != got)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct buf in = {0};
	struct resample *r;
	int err = -1;

	if (argc == 2 && !read_all(&in) && !resample_new(&r)) {
		err = convert(r, (const int16_t *)(const void *)in.data,
			      in.len / 2, (size_t)strtoul(argv[1], NULL, 10));
		resample_free(r);
	}
	buf_free(&in);
	return err ? 1 : 0;
}
