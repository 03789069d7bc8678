/** @file plan.c  Frames in turn, and what becomes of their packets */
#include "tools/callgen/plan.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/must.h"

enum {
	TICK_US = 125,
	CN_LEVEL = 70,          /* [-dBov], RFC 3389 section 3.1 */
	COPY_FRAMES = 2,        /* a copy is late by up to so many */
};

void plan_init(struct plan *p, const struct plan_options *o,
	       const struct sound *sound, uint64_t seed, uint64_t n)
{
	*p = (struct plan){ .o = *o, .chance = chance_of(seed, n) };
	p->account.sound = sound;
	p->account.law = o->law;
	p->ssrcs[0] = p->ssrcs[1] = (uint32_t)chance_next(&p->chance);
	p->seq = (uint16_t)chance_next(&p->chance);
	p->ts_base = (uint32_t)chance_next(&p->chance);
	if (o->first_seq >= 0)
		p->seq = (uint16_t)o->first_seq;
	if (o->first_ts >= 0)
		p->ts_base = (uint32_t)o->first_ts;
}

void plan_free(struct plan *p)
{
	account_free(&p->account);
	free(p->wait);
	p->wait = NULL;
	p->n_wait = p->size_wait = 0;
}

/* -- packets that wait for their time --------------------------------------------- */

static void wait_add(struct plan *p, const struct plan_packet *k)
{
	size_t i;

	if (p->n_wait == p->size_wait) {
		p->size_wait = p->size_wait ? 2 * p->size_wait : 8;
		p->wait = realloc(p->wait, p->size_wait * sizeof(*p->wait));
		must(p->wait);
	}
	/* last due first: the next one is taken from the end */
	for (i = p->n_wait++; i > 0 && p->wait[i - 1].due_us <= k->due_us; i--)
		p->wait[i] = p->wait[i - 1];
	p->wait[i] = *k;
}

/* -- chance -------------------------------------------------------------------------- */

/* Gilbert's two states: a burst ends with 1 of `burst`, and begins so often
 * that the loss is what was asked for. */
static bool is_lost(struct plan *p)
{
	const struct plan_options *o = &p->o;

	if (!o->loss || o->burst == 0)
		return chance_ppm(&p->chance, o->loss);
	const uint64_t begin = o->loss >= 1000000 ? 1000000 :
		(uint64_t)o->loss * 1000000 /
		((uint64_t)o->burst * (1000000 - o->loss));

	p->in_burst = p->in_burst
		? chance_below(&p->chance, o->burst) != 0
		: chance_below(&p->chance, 1000000) < begin;
	return p->in_burst;
}

/* Stragglers have come when the whole ones begin. */
static bool near(const struct plan *p, uint64_t f, uint64_t at)
{
	const unsigned late = p->o.reorder_by > COPY_FRAMES ? p->o.reorder_by
							    : COPY_FRAMES;

	return at && f + PLAN_CALM + late >= at && f < at + PLAN_CALM;
}

/* Nothing happens to these. */
static bool calm(const struct plan *p, uint64_t f)
{
	return f < PLAN_START || f + 1 == p->o.frames || near(p, f, p->o.ssrc_at) ||
	       near(p, f, p->o.jump_at);
}

static uint64_t frame_us(const struct plan *p, uint64_t frames)
{
	return frames * p->o.frame * TICK_US;
}

static void duplicate(struct plan *p, const struct plan_packet *k)
{
	struct plan_packet copy = *k;

	copy.copy = true;
	copy.due_us += 2 + frame_us(p, chance_below(&p->chance,
							 COPY_FRAMES + 1));
	p->counts.duplicate++;
	wait_add(p, &copy);
}

/* One packet of frame `f` on its way.  @return whether it will arrive */
static bool put(struct plan *p, uint64_t f, struct plan_packet *k)
{
	const bool safe = calm(p, f);

	k->ssrc = p->ssrcs[1];
	k->seq = p->seq++;
	k->due_us = frame_us(p, f);
	if (!safe && is_lost(p)) {
		p->counts.lost++;
		return false;
	}
	k->due_us += chance_below(&p->chance, safe ? 0 : p->o.jitter_us + 1);
	k->due_us = k->due_us > p->last_us ? k->due_us : p->last_us;
	if (!safe && chance_ppm(&p->chance, p->o.reorder)) {
		/* just behind the one that overtakes it last */
		k->due_us = frame_us(p, f + p->o.reorder_by) + 1;
		p->counts.reordered++;
	} else {
		p->last_us = k->due_us;
	}
	wait_add(p, k);
	if (!safe && chance_ppm(&p->chance, p->o.duplicate))
		duplicate(p, k);
	return true;
}

/* -- what a frame is -------------------------------------------------------------------- */

static size_t offset_of(const struct plan *p, uint64_t f)
{
	return (size_t)((p->o.offset + f * p->o.frame) % p->account.sound->n);
}

/* Frames of one digit, and of the audio up to the next. */
static unsigned digit_frames(const struct plan *p)
{
	const unsigned n = PLAN_EVENT_MS * 8 / p->o.frame;

	return n > 2 ? n : 2;
}

/* Is `f` the k-th frame of a digit? */
static bool in_digit(const struct plan *p, uint64_t f, unsigned *which,
		     unsigned *k)
{
	const unsigned n = digit_frames(p);
	const uint64_t count = strlen(p->o.digits);

	if (f < p->o.digits_at || (f - p->o.digits_at) / (2 * n) >= count)
		return false;
	*which = (unsigned)((f - p->o.digits_at) / (2 * n));
	*k = (unsigned)((f - p->o.digits_at) % (2 * n));
	return *k < n;
}

static void put_digit(struct plan *p, uint64_t f, unsigned which, unsigned k)
{
	static const char codes[] = "0123456789*#ABCD"; /* RFC 4733 table 3 */
	const unsigned frames = digit_frames(p);
	const unsigned duration = (k + 1) * p->o.frame;
	const bool end = k + 1 == frames;
	const char *code = strchr(codes, p->o.digits[which]);

	for (int i = 0; i < (end ? 3 : 1); i++) {
		struct plan_packet e = {
			.kind = PLAN_DIGIT, .pt = PLAN_EVENT,
			.marker = k == 0,
			.ts = p->ts_base + (uint32_t)((f - k) * p->o.frame),
			.len = 4,
			.body = { (uint8_t)(code ? code - codes : 0),
				  (uint8_t)(end ? 0x80 | 10 : 10),
				  (uint8_t)(duration >> 8), (uint8_t)duration },
		};

		p->counts.digit += put(p, f, &e);
	}
	p->spoke = false;
}

static void put_comfort(struct plan *p, uint64_t f)
{
	struct plan_packet c = {
		.kind = PLAN_COMFORT, .pt = PLAN_CN, .len = 1,
		.ts = p->ts_base + (uint32_t)(f * p->o.frame),
		.body = { CN_LEVEL },
	};

	p->counts.comfort += put(p, f, &c);
}

/* @return whether a receiver hears it */
static bool put_audio(struct plan *p, uint64_t f)
{
	struct plan_packet a = {
		.kind = PLAN_AUDIO, .pt = law_payload_type(p->o.law),
		.ts = p->ts_base + (uint32_t)(f * p->o.frame),
		.marker = !p->spoke, .offset = offset_of(p, f),
		.len = p->o.frame,
	};
	const bool arrives = put(p, f, &a);

	p->counts.audio += arrives;
	p->spoke = true;
	return arrives;
}

/* Somebody who knows the stream well, but not where it comes from. */
static void put_spoof(struct plan *p, uint64_t f)
{
	struct chance *c = &p->chance;
	struct plan_packet s = {
		.kind = PLAN_SPOOF, .pt = law_payload_type(p->o.law),
		.seq = (uint16_t)(p->seq + chance_below(c, 5)),
		.ts = p->ts_base + (uint32_t)((f + chance_below(c, 5)) *
					      p->o.frame),
		.ssrc = chance_below(c, 4) ? p->ssrcs[1]
					   : (uint32_t)chance_next(c),
		.offset = (size_t)chance_below(c, p->account.sound->n),
		.len = p->o.frame,
		.due_us = frame_us(p, f) + chance_below(c, frame_us(p, 1)),
	};

	p->counts.spoof++;
	wait_add(p, &s);
}

static void start_anew(struct plan *p, uint64_t f)
{
	if (p->o.ssrc_at && f == p->o.ssrc_at) {
		p->ssrcs[1] = (uint32_t)chance_next(&p->chance);
		p->seq = (uint16_t)chance_next(&p->chance);
		p->ts_base = (uint32_t)chance_next(&p->chance);
		p->spoke = false;
		account_break(&p->account, BREAK_SSRC);
	}
	if (p->o.jump_at && f == p->o.jump_at) {
		p->ts_base += (uint32_t)p->o.jump;
		account_break(&p->account, BREAK_TIMESTAMP);
	}
}

static bool pauses(const struct plan *p, uint64_t f, unsigned *k)
{
	const uint64_t turn = p->o.talk + p->o.quiet;

	if (!p->o.quiet || f % turn < p->o.talk)
		return false;
	*k = (unsigned)(f % turn) - p->o.talk;
	return true;
}

static void make_frame(struct plan *p)
{
	const uint64_t f = p->next++;
	const unsigned cn_frames = PLAN_CN_MS * 8 / p->o.frame;
	enum fate fate = FATE_SILENT;
	unsigned which = 0, k = 0;

	start_anew(p, f);
	if (calm(p, f)) {
		put_audio(p, f);
		fate = FATE_HEARD;
	} else if (plan_holds(&p->o, f)) {
		p->spoke = false;
	} else if (in_digit(p, f, &which, &k)) {
		put_digit(p, f, which, k);
	} else if (pauses(p, f, &k)) {
		p->spoke = false;
		if (p->o.cn && k % cn_frames == 0)
			put_comfort(p, f);
	} else {
		fate = put_audio(p, f) ? FATE_HEARD : FATE_LOST;
	}
	account_frame(&p->account, fate, offset_of(p, f), p->o.frame);
	if (chance_ppm(&p->chance, p->o.spoof))
		put_spoof(p, f);
}

bool plan_next(struct plan *p, struct plan_packet *out)
{
	while (p->next < p->o.frames &&
	       (p->n_wait == 0 || frame_us(p, p->next) <=
					  p->wait[p->n_wait - 1].due_us))
		make_frame(p);
	if (p->n_wait == 0)
		return false;
	*out = p->wait[--p->n_wait];
	return true;
}

void plan_header(uint8_t out[PLAN_HEADER], const struct plan_packet *p)
{
	const uint32_t words[2] = { p->ts, p->ssrc };

	out[0] = 0x80;
	out[1] = (uint8_t)((p->marker ? 0x80 : 0) | p->pt);
	out[2] = (uint8_t)(p->seq >> 8);
	out[3] = (uint8_t)p->seq;
	for (int i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
}
