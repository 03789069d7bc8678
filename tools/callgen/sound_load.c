/** @file sound_load.c  Samples out of WAV files and captures */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"
#include "daemon/media/rtp.h"
#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"
#include "tools/callgen/sound.h"

enum { STREAMS = 256 };

static const size_t bytes_max = (size_t)2 * SOUND_SECONDS_MAX * SOUND_HZ;

/* -- WAV ---------------------------------------------------------------------- */

static uint32_t le(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | p[n];
	return v;
}

static int read_all(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t part[65536];
	size_t n;

	if (!f)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), f)) > 0 &&
	       out->len < bytes_max + 65536)
		buf_add(out, part, n);
	const int err = ferror(f) ? -EIO : out->err;

	fclose(f);
	return err;
}

/* RIFF: chunks of a name, a length and so many bytes, made even. */
static int find_wav(const uint8_t *d, size_t len, const uint8_t **data,
		    size_t *n)
{
	bool good = false;

	for (size_t at = 12; len >= 8 && at <= len - 8;) {
		const size_t size = le(d + at + 4, 4);
		const uint8_t *body = d + at + 8;
		const size_t there = MIN(size, len - at - 8);

		if (!memcmp(d + at, "fmt ", 4) && there >= 16)
			good = le(body, 2) == 1 && le(body + 2, 2) == 1 &&
			       le(body + 4, 4) == SOUND_HZ &&
			       le(body + 14, 2) == 16;
		if (!memcmp(d + at, "data", 4)) {
			*data = body;
			*n = there;
			return good ? 0 : -EBADMSG;
		}
		at += 8 + there + (there & 1);
	}
	return -EBADMSG;
}

static int load_wav(struct buf *pcm, const struct buf *file)
{
	const uint8_t *data;
	size_t n;
	const int err = find_wav(file->data, file->len, &data, &n);

	if (err)
		return err;
	for (size_t i = 0; i + 1 < MIN(n, bytes_max); i += 2) {
		const int16_t sample = (int16_t)(uint16_t)le(data + i, 2);

		buf_add(pcm, &sample, sizeof(sample));
	}
	return pcm->err;
}

/* -- captures ----------------------------------------------------------------- */

struct stream {
	struct addr from, to;
	uint32_t ssrc;
	uint64_t packets;
};

struct streams {
	struct stream all[STREAMS];
	size_t n;
	const struct stream *chosen;  /* NULL: counting */
	struct buf *pcm;
	bool started;
	uint16_t seq;
};

static void take(struct streams *s, const struct rtp *h)
{
	const struct codec *codec = codec_by_pt(h->pt);
	int16_t pcm[SOUND_FRAME_MAX];

	if (s->started && rtp_seq_diff(h->seq, s->seq) <= 0)
		return;
	s->started = true;
	s->seq = h->seq;
	for (size_t i = 0; i < h->len && s->pcm->len < bytes_max;) {
		const size_t n = MIN(h->len - i, ARRAY_LEN(pcm));

		codec->decode(pcm, h->payload + i, n);
		buf_add(s->pcm, pcm, n * sizeof(*pcm));
		i += n;
	}
}

static void on_rtp(struct streams *s, const struct decap_packet *p,
		   const struct rtp *h)
{
	struct stream *it = s->all;

	while (it < s->all + s->n &&
	       (it->ssrc != h->ssrc || !addr_equal(&it->from, &p->from) ||
		!addr_equal(&it->to, &p->to)))
		it++;
	if (s->chosen) {
		if (it == s->chosen)
			take(s, h);
		return;
	}
	if (it == s->all + s->n) {
		if (s->n == STREAMS)
			return;
		*it = (struct stream){ .from = p->from, .to = p->to,
				       .ssrc = h->ssrc };
		s->n++;
	}
	it->packets++;
}

/* What of a damaged file was whole is used. */
static int walk(struct streams *s, const char *path, struct buf *why)
{
	struct capture_file *f = NULL;
	struct decap *d = NULL;
	struct decap_packet p;
	struct reason r = {0};
	struct frame frame;
	struct rtp h;
	int err = capture_file_open(&f, path, &r);

	if (err) {
		buf_printf(why, "%s: %s", path, r.text);
		return err;
	}
	err = decap_new(&d);
	while (!err && capture_file_next(f, &frame, &r) == 1)
		if (decap_feed(d, frame.link_type, frame.at_us, frame.data,
			       frame.len, frame.wire_len, &p) == 1 &&
		    p.kind == DECAP_UDP &&
		    !rtp_parse(&h, p.data, p.len, p.wire_len) &&
		    (h.pt == 0 || h.pt == 8) && h.len > 0)
			on_rtp(s, &p, &h);
	decap_free(d);
	capture_file_close(f);
	return err;
}

static int load_capture(struct buf *pcm, const char *path, struct buf *why)
{
	struct streams *s = calloc(1, sizeof(*s));
	int err = s ? walk(s, path, why) : -ENOMEM;

	if (!err && s->n == 0) {
		buf_printf(why, "%s: no PCMU or PCMA in RTP in it", path);
		err = -EBADMSG;
	} else if (!err) {
		const struct stream *most = s->all;

		for (size_t i = 1; i < s->n; i++)
			if (s->all[i].packets > most->packets)
				most = &s->all[i];
		s->chosen = most;
		s->pcm = pcm;
		err = walk(s, path, why);
	}
	free(s);
	return err ? err : pcm->err;
}

int sound_load(struct sound *s, const char *path, struct buf *why)
{
	struct buf file = {0}, pcm = {0};
	int err = read_all(&file, path);

	if (err) {
		buf_printf(why, "%s: %s", path, strerror(-err));
	} else if (file.len >= 12 && !memcmp(file.data, "RIFF", 4) &&
		   !memcmp(file.data + 8, "WAVE", 4)) {
		err = load_wav(&pcm, &file);
		if (err)
			buf_printf(why, "%s: not 8 kHz, mono, 16 bit; make it so: "
				   "sox IN.wav -r 8000 -c 1 -b 16 OUT.wav", path);
	} else {
		buf_free(&file);
		err = load_capture(&pcm, path, why);
	}
	if (!err) {
		err = sound_set(s, (const int16_t *)(void *)pcm.data,
				pcm.len / sizeof(int16_t));
		if (err)
			buf_printf(why, "%s: %s", path, err == -EINVAL ?
				   "less than 60 ms of audio" : strerror(-err));
	}
	buf_free(&file);
	buf_free(&pcm);
	return err;
}
