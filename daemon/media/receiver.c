/** @file receiver.c  One leg's RTP in, the leg's timeline out */
#include "daemon/media/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/media/quality.h"
#include "daemon/media/reorder.h"
#include "daemon/media/telephone_event.h"
#include "daemon/media/timeline.h"

_Static_assert((int)RTP_PAYLOAD_MAX == (int)REORDER_PAYLOAD_MAX,
	       "what is let in fits the window's slots");

enum {
	WINDOW_US     = 60000,
	WINDOW_US_MAX = 1000000,
	DIGITS_MAX    = 2,       /* one given up, one short */
	ITEMS_MAX     = DIGITS_MAX + TIMELINE_ITEMS_MAX,
};

struct receiver {
	struct receiver_config cfg;
	struct reorder window;
	struct timeline line;
	struct digits digits;
	struct jitter jitter;
	bool flushed;
	uint64_t now_us;         /* latest arrival */
	uint64_t packets;
	uint64_t unknown;
	uint64_t oversize;
	unsigned taken;          /* items handed out ... */
	unsigned count;          /* ... of these */
	struct media_item item[ITEMS_MAX];
};

void receiver_config_default(struct receiver_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->kind[0]  = PAYLOAD_PCMU;
	cfg->kind[8]  = PAYLOAD_PCMA;
	cfg->kind[13] = PAYLOAD_COMFORT_NOISE;
	cfg->kind[19] = PAYLOAD_COMFORT_NOISE;
	cfg->window_us = WINDOW_US;
}

int receiver_new(struct receiver **out, const struct receiver_config *cfg)
{
	if (cfg->window_us > WINDOW_US_MAX)
		return -EINVAL;

	struct receiver *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	const int err = reorder_init(&r->window, cfg->window_us);
	if (err) {
		free(r);
		return err;
	}

	r->cfg = *cfg;
	timeline_init(&r->line, cfg->window_us);
	*out = r;
	return 0;
}

void receiver_free(struct receiver *r)
{
	if (!r)
		return;
	reorder_close(&r->window);
	free(r);
}

void receiver_set_kinds(struct receiver *r, const uint8_t kind[128])
{
	memcpy(r->cfg.kind, kind, sizeof(r->cfg.kind));
}

static bool is_audio(uint8_t kind)
{
	return kind == PAYLOAD_PCMU || kind == PAYLOAD_PCMA ||
	       kind == PAYLOAD_L16;
}

/* It was received, so its number must not look lost; its payload is nothing
 * to us.  Only of the stream that is already there. */
static int put_unknown(struct receiver *r, const struct rtp *h)
{
	r->unknown++;
	if (r->window.started && r->window.ssrc == h->ssrc) {
		struct rtp bare = *h;

		bare.len = bare.wire_len = 0;
		(void)reorder_put(&r->window, &bare, PAYLOAD_UNKNOWN,
				  r->now_us);
	}
	return -ENOTSUP;
}

/* What the caller did not take outlives its datagram. */
static void keep(struct receiver *r)
{
	reorder_keep_ready(&r->window);
	for (unsigned i = r->taken; i < r->count; i++) {
		struct media_item *it = &r->item[i];

		if (it->data &&
		    reorder_keep(&r->window, &it->data, it->bytes)) {
			it->kind = MEDIA_LOSS;
			it->data = NULL;
			r->line.samples -= it->len;
		}
	}
}

int receiver_put(struct receiver *r, const struct rtp *h, uint64_t at_us)
{
	const uint8_t kind = r->cfg.kind[h->pt & 127];

	if (at_us > r->now_us)
		r->now_us = at_us;
	if (r->taken < r->count || r->window.pending)
		keep(r);
	if (kind == PAYLOAD_UNKNOWN || kind >= PAYLOAD_OTHER_CODEC)
		return put_unknown(r, h);

	r->packets++;
	if (h->wire_len > RTP_PAYLOAD_MAX || h->len > h->wire_len) {
		r->oversize++;
		return -EMSGSIZE;
	}

	const int err = reorder_put(&r->window, h, kind, r->now_us);
	if (!err && is_audio(kind))
		jitter_feed(&r->jitter, h->ssrc, h->ts, r->now_us);
	return err;
}

static void add_digit(struct receiver *r, const struct digit *d)
{
	r->item[r->count++] = (struct media_item){
		.kind = MEDIA_DTMF, .digit = d->digit, .pos = d->pos,
		.len = d->len, .at_us = d->at_us,
	};
}

static void feed_digits(struct receiver *r, const struct reorder_packet *p)
{
	struct telephone_event e;
	const bool event = p->kind == PAYLOAD_TELEPHONE_EVENT &&
			   !telephone_event_parse(&e, p->h.payload, p->h.len);
	const uint64_t pos = event ? timeline_locate(&r->line, p->h.ts,
						     p->at_us) : 0;
	struct digit d;

	if (digits_feed(&r->digits, &d, event ? &e : NULL, p->h.ts, pos,
			p->at_us)) {
		add_digit(r, &d);
		if (digits_feed(&r->digits, &d, NULL, 0, 0, p->at_us))
			add_digit(r, &d);
	}
}

/* The next packet becomes items; most become one. */
static bool expand(struct receiver *r, uint64_t now_us)
{
	struct reorder_packet p;
	struct digit d;

	r->taken = r->count = 0;
	if (!reorder_next(&r->window, &p, now_us)) {
		if (r->flushed && digits_flush(&r->digits, &d))
			add_digit(r, &d);
		return r->count;
	}

	timeline_follow(&r->line, &p);
	if (p.joint == REORDER_SSRC) {
		if (digits_flush(&r->digits, &d))
			add_digit(r, &d);
		r->digits.known = false;
	}
	if (r->digits.active || p.kind == PAYLOAD_TELEPHONE_EVENT)
		feed_digits(r, &p);
	r->count += timeline_put(&r->line, &p, r->item + r->count);
	return true;
}

int receiver_next(struct receiver *r, struct media_item *out, uint64_t now_us)
{
	while (r->taken == r->count) {
		if (!expand(r, now_us))
			return 0;
	}

	*out = r->item[r->taken++];
	return 1;
}

uint64_t receiver_deadline_us(const struct receiver *r)
{
	return reorder_deadline_us(&r->window);
}

void receiver_flush(struct receiver *r)
{
	reorder_flush(&r->window);
	r->flushed = true;
}

uint64_t receiver_position(const struct receiver *r)
{
	return r->line.pos;
}

void receiver_stats(const struct receiver *r, struct receiver_stats *out)
{
	const struct reorder *w = &r->window;
	const uint64_t lost = w->lost + r->line.jump_lost;

	*out = (struct receiver_stats){
		.packets = r->packets, .samples = r->line.samples,
		.lost = lost, .late = w->late, .duplicate = w->duplicate,
		.reordered = w->reordered, .unknown = r->unknown,
		.oversize = r->oversize, .jitter_ms = r->jitter.us / 1000,
		.mos = mos_of_loss(lost + w->late, w->received + lost),
	};
}
