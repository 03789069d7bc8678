/** @file feeder.c  From the backlog to the chunks one connection gets */
#include "daemon/call/feeder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/call/decoder.h"

enum { CREDITS = 8 };

struct feeder {
	const struct backlog *backlog;
	struct decoder *decoder;
	struct positions *map;
	uint64_t next;        /* number of the span to open next */
	uint64_t sent;        /* leg position sent before */
	uint64_t available;
	uint64_t insert;      /* silence to put in ... */
	uint64_t insert_at;   /* ... in front of this span */
	struct credit {       /* silence put in before a span still to come */
		uint64_t span, samples;
	} credits[CREDITS];
	size_t n_credits;
	const struct codec *codec; /* of the law; NULL: PCM alone */
	enum span_kind law;
	uint8_t codes[FEEDER_CODES_MAX];

	/* the span being read */
	bool open;
	bool audio, conceals;
	bool paused;          /* skipped, and told of by whoever paused */
	const int16_t *pcm;   /* NULL: silence */
	uint64_t pos;         /* leg position of its next sample */
	uint64_t left;        /* samples of it still to send ... */
	uint64_t cut;         /* ... and behind them, to skip */
	uint64_t at_us;
	size_t offset;
};

/* How much of the span numbered `n` goes to the service: of a hole what
 * keep-alive silence has not told before. */
static uint64_t worth(const struct feeder *f, uint64_t n, const struct span *s)
{
	uint64_t most = FEEDER_HOLE_MAX;

	if (span_is_audio(s))
		return s->len;
	if (s->kind == SPAN_PAUSED)
		return 0;
	for (size_t i = 0; i < f->n_credits; i++)
		if (f->credits[i].span == n)
			most -= MIN(f->credits[i].samples,
				    (uint64_t)FEEDER_HOLE_MAX -
					    FEEDER_HOLE_LEAST);
	return MIN(s->len, most);
}

/* Silence goes in right before a span that has not come yet: its worth must not
 * change any more once it is there. */
static void credit(struct feeder *f, uint64_t samples)
{
	const uint64_t next = backlog_next(f->backlog);
	struct credit *last =
		f->n_credits ? &f->credits[f->n_credits - 1] : NULL;

	if (f->insert_at != next)
		return; /* it joins some further in front */
	if (last && last->span == next)
		last->samples += samples;
	else if (f->n_credits < CREDITS)
		f->credits[f->n_credits++] = (struct credit){ next, samples };
}

static void forget_credits(struct feeder *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n_credits; i++)
		if (f->credits[i].span >= f->next)
			f->credits[kept++] = f->credits[i];
	f->n_credits = kept;
}

static int open_next(struct feeder *f)
{
	struct span s;

	if (!backlog_span(f->backlog, f->next, &s))
		return 0;
	f->left = worth(f, f->next, &s);
	f->next++;
	forget_credits(f);
	f->open = true;
	f->audio = span_is_audio(&s);
	f->conceals = decoder_conceals(&s);
	f->paused = s.kind == SPAN_PAUSED;
	f->pcm = decoder_span(f->decoder, &s);
	f->pos = s.pos;
	f->cut = s.len - f->left;
	f->at_us = s.at_us;
	f->offset = 0;
	return 1;
}

/* Begin inside a span: what lies before `from` is passed over. */
static void pass(struct feeder *f, uint64_t from)
{
	const uint64_t n = MIN(from - f->pos, f->left);

	f->pos += n;
	f->left -= n;
	f->offset += (size_t)n;
}

static void count_available(struct feeder *f)
{
	struct span s;

	f->available = f->insert + (f->open ? f->left : 0);
	for (uint64_t n = f->next; backlog_span(f->backlog, n, &s); n++)
		f->available += worth(f, n, &s);
}

int feeder_new(struct feeder **out, const struct backlog *b, uint64_t from,
	       uint64_t sent)
{
	struct feeder *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->backlog = b;
	f->sent = sent;
	f->pos = from;
	f->next = backlog_find(b, from);
	if (decoder_new(&f->decoder)) {
		feeder_free(f);
		return -ENOMEM;
	}
	/* what came before, for concealment to go on from */
	struct span s;
	for (uint64_t n = f->next > 8 ? f->next - 8 : 0; n < f->next; n++)
		if (backlog_span(b, n, &s))
			decoder_span(f->decoder, &s);
	if (open_next(f) && f->pos < from)
		pass(f, from);
	if (positions_new(&f->map, f->pos)) {
		feeder_free(f);
		return -ENOMEM;
	}
	count_available(f);
	*out = f;
	return 0;
}

void feeder_free(struct feeder *f)
{
	if (!f)
		return;
	decoder_free(f->decoder);
	positions_free(f->map);
	free(f);
}

uint64_t feeder_available(const struct feeder *f)
{
	return f->available;
}

void feeder_more(struct feeder *f, const struct span *s)
{
	f->available += worth(f, backlog_next(f->backlog) - 1, s);
}

void feeder_insert(struct feeder *f, uint64_t n)
{
	if (!f->insert)
		f->insert_at = backlog_next(f->backlog);
	credit(f, n);
	f->insert += n;
	f->available += n;
}

/* `n` samples at `at` of the chunk in the law: as they came, where they did. */
static void put_codes(struct feeder *f, size_t at, const int16_t *pcm, size_t n,
		      bool from_span)
{
	struct span s;

	if (!f->codec)
		return;
	must(at + n <= FEEDER_CODES_MAX);
	if (from_span && backlog_span(f->backlog, f->next - 1, &s) &&
	    s.kind == f->law)
		memcpy(f->codes + at, s.data + f->offset, n);
	else
		f->codec->encode(f->codes + at, pcm, n);
}

static int take_inserted(struct feeder *f, int16_t *pcm, size_t at, size_t n)
{
	memset(pcm + at, 0, n * sizeof(*pcm));
	put_codes(f, at, pcm + at, n, false);
	return positions_inserted(f->map, n);
}

static void account(struct feeder *f, size_t n, struct feeder_taken *taken)
{
	const uint64_t end = f->pos + n;
	const uint64_t fresh =
		end <= f->sent ? 0 : MIN(end - f->sent, (uint64_t)n);

	if (f->audio) {
		taken->fresh += fresh;
		taken->again += n - fresh;
		taken->at_us = f->at_us;
	} else if (f->conceals) {
		taken->concealed += fresh;
	}
	taken->upto = end;
}

/* Up to `n` samples of the open span. */
static int take_open(struct feeder *f, int16_t *chunk, size_t at, size_t n,
		     struct feeder_taken *taken)
{
	const int err = positions_sent(f->map, f->pos, n);
	int16_t *pcm = chunk + at;

	if (err)
		return err;
	if (f->pcm)
		memcpy(pcm, f->pcm + f->offset, n * sizeof(*pcm));
	else
		memset(pcm, 0, n * sizeof(*pcm));
	put_codes(f, at, pcm, n, f->audio);
	account(f, n, taken);
	f->pos += n;
	f->left -= n;
	f->offset += n;
	return 0;
}

static void close_open(struct feeder *f, struct feeder_taken *taken,
		       struct feeder_skip *skip)
{
	f->open = false;
	if (!f->cut)
		return;
	if (!f->paused && f->pos + f->cut > f->sent) {
		skip->at = f->pos;
		skip->skipped = f->cut;
	}
	f->pos += f->cut;
	taken->upto = f->pos;
}

static bool insertion_due(const struct feeder *f)
{
	return f->insert && f->next >= f->insert_at && !(f->open && f->left);
}

int feeder_take(struct feeder *f, int16_t *pcm, size_t n,
		struct feeder_taken *taken, struct feeder_skip *skip)
{
	size_t got = 0;

	*taken = (struct feeder_taken){ .upto = f->pos };
	*skip = (struct feeder_skip){0};
	while (got < n) {
		int err;
		size_t part = n - got;

		if (insertion_due(f)) {
			part = (size_t)MIN(f->insert, (uint64_t)part);
			err = take_inserted(f, pcm, got, part);
			f->insert -= part;
			f->available -= part;
		} else if (f->open && f->left) {
			part = (size_t)MIN(f->left, (uint64_t)part);
			err = take_open(f, pcm, got, part, taken);
			f->available -= part;
		} else if (f->open) {
			close_open(f, taken, skip);
			continue;
		} else if (open_next(f)) {
			continue;
		} else {
			err = take_inserted(f, pcm, got, part);
		}
		if (err)
			return err;
		got += part;
	}
	/* a span that was read to its end is told of at once */
	if (f->open && !f->left)
		close_open(f, taken, skip);
	if (taken->upto > f->sent)
		f->sent = taken->upto;
	return 0;
}

uint64_t feeder_span(const struct feeder *f)
{
	return f->open ? f->next - 1 : f->next;
}

uint64_t feeder_position(const struct feeder *f)
{
	return f->pos;
}

void feeder_overtaken(struct feeder *f)
{
	const uint64_t first = backlog_first(f->backlog);
	struct span s;

	if (feeder_span(f) >= first)
		return;
	/* the one it was reading is given up as well, with the others */
	f->open = false;
	f->next = first;
	forget_credits(f);
	f->pos = backlog_span(f->backlog, first, &s)
			 ? s.pos
			 : backlog_end(f->backlog);
	count_available(f);
}

const struct positions *feeder_map(const struct feeder *f)
{
	return f->map;
}

void feeder_set_law(struct feeder *f, enum span_kind law)
{
	f->law = law;
	f->codec = codec_by_name(law == SPAN_PCMU ? "PCMU" : "PCMA");
}

const uint8_t *feeder_codes(const struct feeder *f)
{
	return f->codes;
}
