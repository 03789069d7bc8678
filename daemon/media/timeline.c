/** @file timeline.c  RTP timestamps -> positions on the leg's timeline */
#include "daemon/media/timeline.h"

#include <string.h>

struct writer {
	struct timeline *t;
	struct media_item *at;
	uint64_t at_us;
	unsigned n;
};

void timeline_init(struct timeline *t, uint32_t window_us)
{
	memset(t, 0, sizeof(*t));
	t->window_us = window_us;
}

static struct media_item *add(struct writer *w, enum media_kind kind,
			      uint64_t len)
{
	struct media_item *it = &w->at[w->n++];

	it->kind  = kind;
	it->pos   = w->t->pos;
	it->len   = len;
	it->at_us = w->at_us;
	it->data  = NULL;
	it->bytes = 0;
	w->t->pos += len;
	return it;
}

/* A sender whose clock never fits, or who never keeps his SSRC, must not become
 * a flood of events. */
static void add_break(struct writer *w, enum media_break what)
{
	const unsigned most = what == BREAK_SSRC ? TIMELINE_SSRCS : 1;
	struct timeline *t = w->t;

	if (!t->told[what] ||
	    w->at_us - t->told_us[what] >= TIMELINE_QUIET_US) {
		t->told[what] = 0;
		t->told_us[what] = w->at_us;
	}
	if (t->told[what] == most)
		return;
	t->told[what]++;
	add(w, MEDIA_DISCONTINUITY, 0)->what = what;
}

static void add_hole(struct writer *w, uint64_t len, uint64_t missing)
{
	uint64_t lost = missing * w->t->last_len;

	if (lost > len)
		lost = len;
	if (lost)
		add(w, MEDIA_LOSS, lost);
	if (len > lost)
		add(w, MEDIA_SILENCE, len - lost);
}

/* Arrival of `at_us` after the last packet with a place [us]. */
static int64_t arrival_step(const struct timeline *t, uint64_t at_us)
{
	return (int64_t)(at_us - t->last_us);
}

/* Does the arrival clock agree with this timestamp? */
static bool agrees(const struct timeline *t, uint32_t ts, uint64_t at_us)
{
	const int64_t off = rtp_ts_diff(ts, t->last_ts) * TIMELINE_US -
			    arrival_step(t, at_us);

	return off > -TIMELINE_TRUST_US && off < TIMELINE_TRUST_US;
}

/* Samples between the end of the timeline and an arrival; waiting in the
 * window is no hole. */
static uint64_t arrival_hole(const struct timeline *t, uint64_t at_us)
{
	const int64_t len = rtp_ts_diff(t->end_ts, t->last_ts);
	const int64_t hole = arrival_step(t, at_us) / TIMELINE_US - len;

	return hole * TIMELINE_US > t->window_us ? (uint64_t)hole : 0;
}

/*
 * A hole is believed.  Steps that are each a little longer than their arrival
 * must not add up to a timeline that outruns the clock: what holes are ahead
 * of it is made good by time and by audio, and limited.
 */
static bool confirmed(struct timeline *t, const struct reorder_packet *p)
{
	if (!agrees(t, p->h.ts, p->at_us))
		return false;

	const int64_t off = rtp_ts_diff(p->h.ts, t->last_ts) * TIMELINE_US -
			    arrival_step(t, p->at_us);
	const uint64_t paid = (t->samples - t->hole_samples) * TIMELINE_US +
			      (p->at_us > t->hole_us ? p->at_us - t->hole_us
						     : 0);
	uint64_t ahead = t->ahead_us > paid ? t->ahead_us - paid : 0;

	ahead += off > 0 ? (uint64_t)off : 0;
	if (ahead > TIMELINE_AHEAD_US)
		return false;
	t->ahead_us     = ahead;
	t->hole_samples = t->samples;
	t->hole_us      = p->at_us;
	return true;
}

/* A jump of the sequence counts as loss when its length and the hole's say
 * the same; a sender that began again says nothing about loss. */
static uint64_t jump_loss(const struct timeline *t,
			  const struct reorder_packet *p, int64_t hole)
{
	const int64_t lost = (int64_t)p->missing * t->last_len;
	const int64_t off = (lost - hole) * TIMELINE_US;

	return off > -TIMELINE_TRUST_US && off < TIMELINE_TRUST_US ? p->missing
								   : 0;
}

/* A packet with a place, audio or comfort noise: what lies before it. */
static void join(struct writer *w, const struct reorder_packet *p, bool audio)
{
	struct timeline *t = w->t;
	const int64_t hole = rtp_ts_diff(p->h.ts, t->end_ts);
	const bool good = !t->new_ssrc &&
			  (hole == 0 ||
			   (hole > 0 && confirmed(t, p)));

	if (good) {
		if (hole)
			add_hole(w, (uint64_t)hole, t->missing);
	} else if (audio) {
		add_hole(w, arrival_hole(t, p->at_us), t->missing);
		add_break(w, t->new_ssrc ? BREAK_SSRC : BREAK_TIMESTAMP);
	} else {
		return;          /* noise has no samples to find a place for */
	}

	t->new_ssrc = false;
	t->missing  = 0;
	t->last_ts  = t->end_ts = p->h.ts;
	t->last_us  = p->at_us;
}

static void put_audio(struct writer *w, const struct reorder_packet *p,
		      size_t sample)
{
	struct timeline *t = w->t;
	const uint32_t whole = (uint32_t)(p->h.wire_len / sample);
	const uint32_t here = (uint32_t)(p->h.len / sample);

	join(w, p, true);
	if (t->codec && t->codec != p->kind)
		add_break(w, BREAK_CODEC);
	t->codec = p->kind;

	if (here) {
		struct media_item *it = add(w, MEDIA_AUDIO, here);

		it->payload = p->kind;
		it->data    = p->h.payload;
		it->bytes   = here * sample;
		t->samples += here;
	}
	if (whole > here)        /* a capture cut it off */
		add(w, MEDIA_LOSS, whole - here);
	t->end_ts   = p->h.ts + whole;
	t->last_len = whole;
}

static size_t sample_bytes(uint8_t kind)
{
	return kind == PAYLOAD_L16 ? 2 : 1;
}

/* Noise, or at least one sample: not an event, not a keep-alive. */
static bool has_place(const struct reorder_packet *p)
{
	switch (p->kind) {
	case PAYLOAD_PCMU:
	case PAYLOAD_PCMA:
	case PAYLOAD_L16:
		return p->h.wire_len >= sample_bytes(p->kind);
	case PAYLOAD_COMFORT_NOISE:
		return true;
	default:
		return false;
	}
}

void timeline_follow(struct timeline *t, const struct reorder_packet *p)
{
	if (!t->started) {
		if (!has_place(p))
			return;
		t->started = true;
		t->end_ts = p->h.ts;
	} else if (p->joint == REORDER_SSRC) {
		t->new_ssrc = true;
		t->missing  = 0;
	} else if (p->joint == REORDER_JUMP) {
		const int64_t hole = rtp_ts_diff(p->h.ts, t->end_ts);
		const uint64_t lost = jump_loss(t, p, hole);

		t->missing   += lost;
		t->jump_lost += lost;
	} else {
		t->missing += p->missing;
	}
}

unsigned timeline_put(struct timeline *t, const struct reorder_packet *p,
		      struct media_item *out)
{
	struct writer w = { .t = t, .at = out, .at_us = p->at_us };

	if (!has_place(p))
		return 0;
	if (p->kind == PAYLOAD_COMFORT_NOISE)
		join(&w, p, false);
	else
		put_audio(&w, p, sample_bytes(p->kind));
	return w.n;
}

uint64_t timeline_locate(const struct timeline *t, uint32_t ts, uint64_t at_us)
{
	if (!t->started)
		return t->pos;
	if (t->new_ssrc || !agrees(t, ts, at_us))
		return t->pos + arrival_hole(t, at_us);

	const int64_t off = rtp_ts_diff(ts, t->end_ts);
	if (off < 0 && (uint64_t)-off > t->pos)
		return 0;
	return off < 0 ? t->pos - (uint64_t)-off : t->pos + (uint64_t)off;
}
