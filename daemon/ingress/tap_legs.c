/** @file tap_legs.c  RTP of a tap: what of a flow is a leg's audio */
#include "daemon/ingress/tap_legs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/endpoints.h"
#include "daemon/ingress/tap_keys.h"
#include "daemon/ingress/tap_same.h"

enum {
	LIVE_US = 500 * 1000,   /* a leg's other flow must be silent so long */
	OTHERS_MAX = 50,        /* packets of another codec: it has changed */
};

struct tap_leg *tap_leg_of(struct tap_call *c, unsigned media, unsigned side)
{
	list_each(&c->legs, x) {
		struct tap_leg *l = list_item(x, struct tap_leg, in_call);

		if (l->media == media && l->side == side && !l->second)
			return l;
	}

	struct tap_leg *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->call = c;
	l->media = media;
	l->side = side;
	list_add(&c->legs, &l->in_call);
	return l;
}

/* What the leg's speaker said, and who listens. */
static const struct tap_side *speaker(const struct tap_leg *l)
{
	return tap_side_of(l->call, l->media, l->side);
}

static const struct tap_side *listener(const struct tap_leg *l)
{
	return tap_side_of(l->call, l->media, l->side ^ 1u);
}

/* What the payload types of its packets mean: as the receiver's SDP says, else
 * the sender's, else as RFC 3551 has it. */
static void read_kinds(struct tap_leg *l)
{
	const struct tap_side *to = listener(l), *from = speaker(l);
	struct receiver_config usual;

	receiver_config_default(&usual);
	for (unsigned pt = 0; pt < 128; pt++)
		l->kinds[pt] = to->kinds[pt]	 ? to->kinds[pt]
			       : from->kinds[pt] ? from->kinds[pt]
						 : usual.kind[pt];
}

/* SDP may have said something new since the last packet. */
static void refresh(struct tap_leg *l)
{
	if (l->generation == l->call->tap->generation)
		return;
	l->generation = l->call->tap->generation;
	read_kinds(l);
	if (l->leg)
		leg_set_kinds(l->leg, l->kinds);
}

static const char *codec_name(const struct tap_leg *l, uint8_t pt)
{
	if (listener(l)->names[pt][0])
		return listener(l)->names[pt];
	if (speaker(l)->names[pt][0])
		return speaker(l)->names[pt];
	return pt == 0 ? "PCMU" : pt == 8 ? "PCMA" : NULL;
}

static bool is_audio(uint8_t kind)
{
	return kind == PAYLOAD_PCMU || kind == PAYLOAD_PCMA ||
	       kind == PAYLOAD_L16;
}

/* With the profile of plain RTP only if both like to */
static bool is_encrypted(const struct tap_leg *l)
{
	const struct tap_side *a = speaker(l), *b = listener(l);

	if (l->call->media[l->media].zrtp || a->secure || b->secure)
		return true;
	return a->known && b->known ? a->encrypted && b->encrypted
				    : a->encrypted || b->encrypted;
}

/* A recorder's caller is neither party, but says who is; unannounced, nobody
 * knows */
static void put_role(struct leg_info *i, const struct tap_leg *l)
{
	const struct recording_line *line = tap_recording_line(l);

	i->role = ROLE_UNKNOWN;
	if (!l->call->announced)
		return;
	if (line) {
		i->role = line->role;
		i->role_source = line->role_source;
	} else if (l->call->recording) {
		i->role_source = "siprec";
	} else {
		i->role = l->side == SIDE_CALLER ? ROLE_CALLER : ROLE_AGENT;
		i->role_source = "invite";
	}
}

static int leg_open_for(struct tap_leg *l, const struct addr *from,
			const struct addr *to, const struct rtp *h,
			const char *unusable)
{
	struct leg_info i = {
		.label = speaker(l)->label[0] ? speaker(l)->label : NULL,
		.codec = codec_name(l, h->pt),
		.language = speaker(l)->language[0] ? speaker(l)->language
						    : NULL,
		.rtp = { .ssrc = h->ssrc, .src = *from, .dst = *to,
			 .payload_type = h->pt, .known = true },
		.unusable = unusable,
		.no_asr = tap_same_as(l->call) != NULL,
	};

	if (tap_call_open(l->call))
		return -ENOMEM;
	put_role(&i, l);
	read_kinds(l);
	memcpy(i.kinds, l->kinds, sizeof(i.kinds));
	l->unusable = unusable;
	return leg_open(&l->leg, l->call->call, &i);
}

/* A packet whose media we cannot use: the leg says so, once. */
static void refuse(struct tap_leg *l, const struct tap_flow *f,
		   const struct rtp *h, const char *why)
{
	tap_same_release(l->call); /* it came before */
	if (!l->leg) {
		leg_open_for(l, &f->from, &f->to, h, why);
	} else if (!l->unusable) {
		leg_unusable(l->leg, why);
		l->unusable = why;
	}
}

void tap_legs_encrypted(struct tap_call *c, unsigned media)
{
	tap_same_release(c); /* it was in plain */
	c->media[media].zrtp = true;
	list_each(&c->legs, x) {
		struct tap_leg *l = list_item(x, struct tap_leg, in_call);

		if (l->media == media && l->leg) {
			leg_unusable(l->leg, "encrypted");
			l->unusable = "encrypted";
		}
	}
}

void tap_legs_deliver(struct tap_leg *l, const struct addr *from,
		      const struct addr *to, const struct rtp *h, bool audio,
		      uint64_t at_us)
{
	if (l->leg && l->unusable) {
		if (!audio)
			return;
		/* it was another codec's, and is G.711 from here on */
		leg_end(l->leg, l->unusable);
		l->leg = NULL;
	}
	if (!l->leg && leg_open_for(l, from, to, h, NULL))
		return;
	refresh(l);
	leg_packet(l->leg, h, at_us);
}

/* One packet of the SSRC in force. */
static void deliver(struct tap_leg *l, const struct tap_flow *f,
		    const struct rtp *h, bool audio, uint64_t at_us)
{
	if (!tap_same_takes(l, f, h, audio, at_us))
		tap_legs_deliver(l, &f->from, &f->to, h, audio, at_us);
}

/* -- several SSRCs ------------------------------------------------------------------- */

/* What was held back of an SSRC is the leg's after all. */
static void deliver_held(struct tap_leg *l, struct tap_flow *f, uint32_t ssrc)
{
	struct held *x = held_take(&f->candidates, ssrc);

	if (x)
		deliver(l, f, &x->h, true, x->at_us);
	free(x);
}

/* A second one lives beside the first: another leg. */
static void deliver_second(struct tap_flow *f, const struct rtp *h, bool audio,
			   uint64_t at_us)
{
	struct tap_leg *first = f->leg;
	size_t i = 0;

	while (i < SECONDS_MAX && f->second[i].leg)
		i++;
	if (i == SECONDS_MAX)
		return;

	struct tap_leg *l = calloc(1, sizeof(*l));
	if (!l)
		return;
	*l = (struct tap_leg){
		.call = first->call, .media = first->media,
		.side = first->side, .second = true, .flow = f,
	};
	list_add(&l->call->legs, &l->in_call);
	f->second[i] = (struct second){ h->ssrc, l };
	source_lock(&l->source, h->ssrc, at_us);
	deliver_held(l, f, h->ssrc);
	deliver(l, f, h, audio, at_us);
}

/* A packet of a leg: which of its SSRCs, and what becomes of it. */
static void leg_rtp(struct tap *t, struct tap_flow *f, const struct rtp *h,
		    bool audio, uint64_t at_us)
{
	struct tap_leg *l = f->leg;

	for (size_t i = 0; i < SECONDS_MAX && f->second[i].leg; i++)
		if (f->second[i].ssrc == h->ssrc) {
			deliver(f->second[i].leg, f, h, audio, at_us);
			return;
		}
	switch (source_feed(&l->source, h->ssrc, h->seq, audio, at_us)) {
	case SOURCE_ACCEPT:
		deliver(l, f, h, audio, at_us);
		break;
	case SOURCE_HOLD:
		held_keep(&f->candidates, h, at_us);
		break;
	case SOURCE_SWITCH:
		deliver_held(l, f, h->ssrc);
		deliver(l, f, h, audio, at_us);
		break;
	case SOURCE_OTHER:
		deliver_second(f, h, audio, at_us);
		break;
	case SOURCE_IGNORE:
		t->stats.foreign++;
		break;
	}
}

/* Packets of another codec take their sequence numbers; when it is no more
 * than that, the leg says so. */
static void other_codec(struct tap *t, struct tap_flow *f, const struct rtp *h,
			uint64_t at_us)
{
	struct tap_leg *l = f->leg;

	if (l->leg && !l->unusable && ++l->others < OTHERS_MAX)
		leg_rtp(t, f, h, false, at_us);
	else
		refuse(l, f, h, "codec");
}

/* -- whose packet ---------------------------------------------------------------------- */

/* Does it go where the listener said last? */
static bool is_newest(const struct tap_leg *l, const struct tap_flow *f)
{
	const struct tap_side *s = listener(l);

	return s->n && addr_equal(&s->endpoints[s->n - 1]->address->at, &f->to);
}

/* Does this flow speak for the leg, or does another one, now? */
static bool follows(struct tap_leg *l, struct tap_flow *f, uint64_t at_us)
{
	if (l->flow != f && l->flow && at_us - l->heard_us < LIVE_US &&
	    (!is_newest(l, f) || is_newest(l, l->flow)))
		return false;
	l->flow = f;
	l->heard_us = at_us;
	return true;
}

/* What is said in plain, or was decrypted. */
static void take_plain(struct tap *t, struct tap_flow *f, const struct rtp *h,
		       uint64_t at_us)
{
	struct tap_leg *l = f->leg;
	const uint8_t kind = l->kinds[h->pt];
	const bool audio = is_audio(kind);

	if (kind == PAYLOAD_OTHER_CODEC) {
		if (follows(l, f, at_us))
			other_codec(t, f, h, at_us);
	} else if ((!audio && l->flow != f) || !follows(l, f, at_us)) {
		t->stats.foreign++;
	} else {
		l->others = audio ? 0 : l->others;
		leg_rtp(t, f, h, audio, at_us);
	}
}

static void take_encrypted(struct tap *t, struct tap_flow *f,
			   const struct decap_packet *p, const struct rtp *h,
			   uint64_t at_us)
{
	struct srtp_plain plain;
	struct rtp inside;
	const int err = tap_keys_open(f->leg, &plain, p, at_us);

	if (err == -ENOKEY)
		refuse(f->leg, f, h, "encrypted");
	else if (err ||
		 rtp_parse(&inside, plain.data, plain.len, plain.len))
		t->stats.foreign++;
	else
		take_plain(t, f, &inside, at_us);
}

struct early_to {
	struct tap *t;
	struct tap_flow *f;
};

static void on_early(const struct packet *p, void *arg)
{
	const struct early_to *to = arg;
	const struct decap_packet d = {
		.kind = DECAP_UDP, .from = p->from, .to = p->to,
		.data = p->data, .len = p->len, .wire_len = p->wire_len,
	};
	struct rtp h;

	if (!rtp_parse(&h, d.data, d.len, d.wire_len))
		tap_legs_announced(to->t, to->f, &d, &h, p->at_us);
}

void tap_legs_announced(struct tap *t, struct tap_flow *f,
			const struct decap_packet *p, const struct rtp *h,
			uint64_t at_us)
{
	struct tap_leg *l = f->leg;
	struct early_to to = { t, f };

	if (l->call->refused && !l->call->call) {
		t->stats.foreign++;
		return;
	}
	tap_keys_early(l, &f->from, on_early, &to);
	refresh(l);
	l->call->heard_us = at_us;
	if (is_encrypted(l))
		take_encrypted(t, f, p, h, at_us);
	else
		take_plain(t, f, h, at_us);
}

void tap_legs_unannounced(struct tap *t, struct tap_flow *f,
			  const struct rtp *h, uint64_t at_us)
{
	f->leg->call->heard_us = at_us;
	if (is_encrypted(f->leg))
		refuse(f->leg, f, h, "encrypted");
	else
		leg_rtp(t, f, h, h->pt == 0 || h->pt == 8, at_us);
}
