/** @file audio.c  Audio in, results out */
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"
#include "tools/asr-sim/conn_impl.h"

void conn_audio_is(struct conn *c, enum asr_encoding encoding, uint32_t rate_hz,
		   uint32_t pause_ms)
{
	c->audio_known = true;
	c->encoding = encoding;
	c->sample_bytes = encoding == ASR_PCM_S16LE ? 2 : 1;
	segmenter_init(&c->seg, rate_hz,
		       pause_ms ? pause_ms : SEGMENTER_PAUSE_MS);
}

bool conn_audio_known(const struct conn *c)
{
	return c->audio_known;
}

void conn_audio(struct conn *c, const uint8_t *data, size_t len)
{
	audio_message(c, data, len);
}

void conn_without_partials(struct conn *c)
{
	c->no_partials = true;
}

uint64_t conn_position(const struct conn *c)
{
	return c->seg.position;
}

double conn_seconds(struct conn *c, uint64_t samples)
{
	static const double wild[] = { -1, 1e12, 0, 172801, -1e300, 1e300 };

	if (c->wild)
		return wild[c->wild_turn++ % ARRAY_LEN(wild)];
	return (double)samples / (c->seg.rate_hz ? c->seg.rate_hz : 8000);
}

/* -- results ------------------------------------------------------------------ */

static bool paused(const struct segmenter *s)
{
	return s->loud > 0 && s->quiet >= s->pause;
}

static void tell(struct conn *c, bool final, bool last)
{
	const struct segmenter *s = &c->seg;

	filler_write(&c->filler, s, c->sim->words, final);
	const struct sim_result r = {
		.number = c->number, .first = s->first, .end = s->position,
		.final = final, .last = last, .pause = final && paused(s),
		.text = buf_str(&c->filler.text),
		.words = c->filler.words, .n_words = c->filler.n_words,
		.confidence = (800 + s->crc % 180) / 1000.0,
	};

	for (int n = final && c->twice ? 2 : 1; n > 0; n--)
		c->sim->dialect->result(c, &r);
	c->number += final;
	c->finals += final;
	c->partials += !final;
}

static void end_segment(struct conn *c)
{
	c->final_due = false;
	tell(c, true, false);
	segmenter_next(&c->seg);
}

void conn_flush(struct conn *c)
{
	if (c->sim->dialect->tells_nothing || c->seg.position > c->seg.first)
		end_segment(c);
	if (c->sim->dialect->told)
		c->sim->dialect->told(c);
}

void conn_repeat(struct conn *c, bool final)
{
	const uint64_t number = c->number;

	tell(c, final, false);
	c->number = number;
}

/* Speech may go on over the end of a segment. */
static void follow_speech(struct conn *c)
{
	const struct segmenter *s = &c->seg;
	const struct dialect *d = c->sim->dialect;

	if (!c->speaking && s->loud > 0 && s->loud_from >= c->spoken) {
		c->speaking = true;
		if (d->speech)
			d->speech(c, true, s->loud_from);
	}
	if (c->speaking && s->quiet >= SEGMENTER_PAUSE_MS / 10) {
		c->speaking = false;
		c->spoken = s->loud_end;
		if (d->speech)
			d->speech(c, false, s->loud_end);
	}
}

/* -- chunks ------------------------------------------------------------------- */

static double ms_of(const struct conn *c, size_t len)
{
	return 1000.0 * (double)(len / c->sample_bytes) / c->seg.rate_hz;
}

/*
 * A chunk that is short, or smaller than the others, is allowed as the last
 * one; whether it was is known when another comes.
 */
static void check_chunk(struct conn *c, size_t len)
{
	const struct dialect *d = c->sim->dialect;
	const double ms = ms_of(c, len);

	if (*c->odd)
		conn_violation(c, "chunk", "%s, and was not the last", c->odd);
	c->odd[0] = '\0';
	c->is_short = d->chunk_min_ms && ms < d->chunk_min_ms;
	if (len % c->sample_bytes)
		conn_violation(c, "samples", "%zu bytes are no whole samples",
			       len);
	if (d->chunk_max_ms && ms > d->chunk_max_ms)
		conn_violation(c, "chunk", "a chunk had %g ms, more than %u",
			       ms, (unsigned)d->chunk_max_ms);
	else if (c->is_short)
		snprintf(c->odd, sizeof(c->odd), "a chunk had %g ms, less "
			 "than %u", ms, (unsigned)d->chunk_min_ms);
	else if (d->chunk_fixed && c->chunk && len > c->chunk)
		conn_violation(c, "chunk", "a chunk had %g ms, the first one "
			       "had %g", ms, ms_of(c, c->chunk));
	else if (d->chunk_fixed && c->chunk && len < c->chunk)
		snprintf(c->odd, sizeof(c->odd), "a chunk had %g ms, the first "
			 "one %g", ms, ms_of(c, c->chunk));
	if (!c->chunk)
		c->chunk = len;
}

/* No service here documents a limit, so faster is only noted. */
static void check_pace(struct conn *c)
{
	const uint64_t now_ms = uv_now(c->sim->loop);
	const uint64_t audio_ms = c->seg.position * 1000 / c->seg.rate_hz;

	if (c->sim->dialect->any_pace)
		return;
	if (!c->paced_from_ms)
		c->paced_from_ms = now_ms;
	if (audio_ms > (now_ms - c->paced_from_ms) * 5 / 4 + 2000)
		conn_note(c, "pace", "audio came faster than 1.25 times real "
			  "time and 2 s");
}

static const uint8_t *decode(struct conn *c, const uint8_t *data, size_t n)
{
	if (c->encoding == ASR_PCM_S16LE)
		return data;

	const struct codec *codec = codec_by_pt(c->encoding == ASR_MULAW ? 0 : 8);

	buf_clear(&c->pcm);
	uint8_t *out = buf_room(&c->pcm, 2 * n);

	for (size_t i = 0; out && i < n;) {
		int16_t pcm[512];
		const size_t part = MIN(n - i, ARRAY_LEN(pcm));

		codec->decode(pcm, data + i, part);
		for (size_t k = 0; k < part; k++, i++) {
			out[2 * i] = (uint8_t)(pcm[k] & 0xff);
			out[2 * i + 1] = (uint8_t)((uint16_t)pcm[k] >> 8);
		}
	}
	return out;
}

static void feed(struct conn *c, const uint8_t *pcm, size_t n)
{
	c->crc = (uint32_t)crc32(c->crc, pcm, (unsigned)(2 * n));
	if (c->dump && fwrite(pcm, 2, n, c->dump) != n)
		conn_note(c, "dump", "the audio could not be written");
	while (n > 0 && conn_live(c)) {
		bool ended;
		/* speech is told to the block, whatever the chunks */
		const size_t most = c->sim->dialect->speech
					    ? c->seg.block - c->seg.filled : n;
		const size_t used = segmenter_feed(&c->seg, pcm, MIN(n, most),
						   &ended);

		follow_speech(c);
		if (ended && c->sim->dialect->lock_step)
			c->final_due = true;
		else if (ended)
			end_segment(c);
		pcm += 2 * used;
		n -= used;
	}
}

/* G.711 loses nothing here but which zero it was. */
static void keep_raw(struct conn *c, const uint8_t *data, size_t len)
{
	struct buf path = {0};

	if (!c->dump || c->encoding == ASR_PCM_S16LE)
		return;
	if (!c->raw) {
		buf_printf(&path, "%s/%" PRIu64 ".%s", c->sim->dump, c->id,
			   asr_encoding_name(c->encoding));
		c->raw = fopen(buf_str(&path), "wb");
		buf_free(&path);
	}
	if (!c->raw || fwrite(data, 1, len, c->raw) != len)
		conn_note(c, "dump", "the audio could not be written");
}

static void take(struct conn *c, const uint8_t *data, size_t len)
{
	size_t n = len / c->sample_bytes;
	const uint8_t *pcm = decode(c, data, n);

	while (pcm && n > 0 && conn_live(c)) {
		const uint64_t at = c->seg.position;
		const uint64_t next = faults_next_sample(c);
		const size_t part = next > at ? (size_t)MIN(next - at, n) : 0;

		feed(c, pcm, part);
		pcm += 2 * part;
		n -= part;
		faults_samples(c, c->seg.position);
	}
}

/* What the service says to one message, beside the finals within it. */
static void answer(struct conn *c)
{
	const bool open = c->seg.position > c->seg.first;

	if (c->final_due)
		end_segment(c);
	else if (c->sim->dialect->lock_step || (open && !c->no_partials))
		tell(c, false, false);
}

void audio_message(struct conn *c, const uint8_t *data, size_t len)
{
	c->chunks++;
	c->bytes += len;
	if (len == 0)
		conn_violation(c, "empty", "an empty binary message");
	else if (c->audio_known)
		check_chunk(c, len);
	if (!c->audio_known || (len == 0 && !c->sim->dialect->lock_step))
		return;
	keep_raw(c, data, len);
	take(c, data, len);
	if (conn_live(c)) {
		if (len > 0)
			check_pace(c);
		answer(c);
	}
	if (c->sim->dialect->told)
		c->sim->dialect->told(c);
}

void audio_end(struct conn *c)
{
	if (*c->odd && c->is_short)
		conn_note(c, "last chunk", "%s", c->odd);
	c->odd[0] = '\0';
	if (c->sim->dialect->tells_nothing || c->seg.position > c->seg.first)
		tell(c, true, true);
	segmenter_next(&c->seg);
	if (c->sim->dialect->told)
		c->sim->dialect->told(c);
}
