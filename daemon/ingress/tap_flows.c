/** @file tap_flows.c  RTP of a tap: from 5-tuples to legs */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/ingress/tap_calls.h"
#include "daemon/media/rtp.h"

enum {
	FLOWS_MAX = 65536,
	IDLE_US = 64 * 1000 * 1000,  /* a flow nobody needs is forgotten */
	LIVE_US = 500 * 1000,        /* a leg's other flow must be silent so long */
	UNANNOUNCED = 4,             /* packets in order that make a call */
	HELD_MAX = SOURCE_CANDIDATES,
	SECONDS_MAX = 3,             /* further SSRCs beside the first */
};

/** A packet that waits for the next one to decide. */
struct held {
	struct rtp h;
	uint64_t at_us;
	uint8_t payload[RTP_PAYLOAD_MAX];
};

struct second {
	uint32_t ssrc;
	struct tap_leg *leg;
};

struct tap_flow {
	struct list in_tap;
	struct addr from, to;
	uint64_t hash;
	uint64_t heard_us;
	uint32_t generation;         /* of the tap, when it was matched */
	bool matched;                /* to an announced call, by that */
	struct tap_match match;
	struct tap_leg *leg;         /* NULL: none (yet) */
	struct second second[SECONDS_MAX];

	struct held *held[HELD_MAX]; /* kept for the flow's life */
	unsigned n_held;             /* unannounced: packets in order */
	bool encrypted;              /* unannounced, and ZRTP was seen */
};

static bool same_flow(const void *value, const void *key)
{
	const struct tap_flow *f = value;
	const struct decap_packet *p = key;

	return addr_equal(&f->from, &p->from) && addr_equal(&f->to, &p->to);
}

static uint64_t flow_hash(const struct addr *from, const struct addr *to)
{
	return hash_mix(addr_hash(from), addr_hash(to));
}

static struct tap_flow *flow_find(struct tap *t, const struct addr *from,
				  const struct addr *to)
{
	const struct decap_packet key = { .from = *from, .to = *to };

	return map_find(&t->flows, flow_hash(from, to), same_flow, &key);
}

static struct tap_flow *flow_add(struct tap *t, const struct decap_packet *p)
{
	if (t->n_flows >= FLOWS_MAX) {
		t->stats.flows_full++;
		return NULL;
	}

	struct tap_flow *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->from = p->from;
	f->to = p->to;
	f->hash = flow_hash(&p->from, &p->to);
	f->generation = t->generation - 1; /* not matched yet */
	if (map_put(&t->flows, f->hash, f)) {
		free(f);
		return NULL;
	}
	list_add(&t->flow_list, &f->in_tap);
	t->n_flows++;
	return f;
}

static void flow_free(struct tap *t, struct tap_flow *f)
{
	for (size_t i = 0; i < HELD_MAX; i++)
		free(f->held[i]);
	if (t->last == f)
		t->last = NULL;
	map_remove(&t->flows, f->hash, f);
	list_remove(&f->in_tap);
	t->n_flows--;
	free(f);
}

static struct tap_flow *flow_for(struct tap *t, const struct decap_packet *p)
{
	if (t->last && same_flow(t->last, p))
		return t->last;

	struct tap_flow *f = map_find(&t->flows, flow_hash(&p->from, &p->to),
				      same_flow, p);
	if (!f)
		f = flow_add(t, p);
	t->last = f;
	return f;
}

void tap_flows_free(struct tap *t)
{
	list_each(&t->flow_list, f)
		flow_free(t, list_item(f, struct tap_flow, in_tap));
}

void tap_flows_forget(struct tap *t, const struct tap_call *c)
{
	list_each(&t->flow_list, x) {
		struct tap_flow *f = list_item(x, struct tap_flow, in_tap);

		if (f->match.call == c) {
			f->match = (struct tap_match){0};
			f->generation = t->generation - 1;
			f->matched = false;
		}
		if (f->leg && f->leg->call == c)
			f->leg = NULL;
		for (size_t i = 0; i < SECONDS_MAX; i++)
			if (f->second[i].leg && f->second[i].leg->call == c)
				f->second[i] = (struct second){0};
		f->n_held = 0;
	}
}

void tap_flows_sweep(struct tap *t, uint64_t now_us)
{
	list_each(&t->flow_list, x) {
		struct tap_flow *f = list_item(x, struct tap_flow, in_tap);
		bool used = f->leg != NULL;

		for (size_t i = 0; i < SECONDS_MAX; i++)
			used |= f->second[i].leg != NULL;
		if (!used && now_us - f->heard_us >= IDLE_US)
			flow_free(t, f);
	}
}

/* -- packets that wait ------------------------------------------------------------ */

/* Keep a packet: in place `i`.  @return 0 or -ENOMEM */
static int hold(struct tap_flow *f, unsigned i, const struct rtp *h,
		uint64_t at_us)
{
	if (h->len > RTP_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (!f->held[i])
		f->held[i] = malloc(sizeof(*f->held[i]));
	if (!f->held[i])
		return -ENOMEM;
	f->held[i]->h = *h;
	f->held[i]->at_us = at_us;
	if (h->len)
		memcpy(f->held[i]->payload, h->payload, h->len);
	f->held[i]->h.payload = f->held[i]->payload;
	return 0;
}

/* Keep a packet in place of an older one of its SSRC (source.h). */
static void hold_candidate(struct tap_flow *f, const struct rtp *h,
			   uint64_t at_us)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (!f->held[i] || f->held[i]->h.ssrc == h->ssrc) {
			hold(f, i, h, at_us);
			return;
		}
		if (f->held[i]->at_us < f->held[oldest]->at_us)
			oldest = i;
	}
	hold(f, oldest, h, at_us);
}

static const struct held *held_of(const struct tap_flow *f, uint32_t ssrc)
{
	for (unsigned i = 0; i < HELD_MAX; i++)
		if (f->held[i] && f->held[i]->h.ssrc == ssrc)
			return f->held[i];
	return NULL;
}

/* -- legs -------------------------------------------------------------------------- */

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

/* What the payload types of packets from `side` mean: as the receiver's SDP
 * says, else the sender's, else as RFC 3551 has it. */
static void read_kinds(struct tap_leg *l)
{
	const struct tap_side *to = &l->call->media[l->media].side[l->side ^ 1u];
	const struct tap_side *from = &l->call->media[l->media].side[l->side];
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
	const struct tap_side *to = &l->call->media[l->media].side[l->side ^ 1u];
	const struct tap_side *from = &l->call->media[l->media].side[l->side];

	if (to->names[pt][0])
		return to->names[pt];
	if (from->names[pt][0])
		return from->names[pt];
	return pt == 0 ? "PCMU" : pt == 8 ? "PCMA" : NULL;
}

static bool is_audio(uint8_t kind)
{
	return kind == PAYLOAD_PCMU || kind == PAYLOAD_PCMA ||
	       kind == PAYLOAD_L16;
}

static bool is_encrypted(const struct tap_leg *l)
{
	const struct tap_side *side = l->call->media[l->media].side;

	return side[0].encrypted || side[1].encrypted;
}

static enum role role_of(const struct tap_leg *l)
{
	/* a recorder's caller is neither party; unannounced, nobody knows */
	if (!l->call->announced || l->call->siprec)
		return ROLE_UNKNOWN;
	return l->side == SIDE_CALLER ? ROLE_CALLER : ROLE_AGENT;
}

static int leg_open_for(struct tap_leg *l, const struct tap_flow *f,
			const struct rtp *h, const char *unusable)
{
	const struct tap_side *said = &l->call->media[l->media].side[l->side];
	struct leg_info i = {
		.role = role_of(l),
		.role_source = !l->call->announced ? NULL
			       : l->call->siprec   ? "siprec"
						   : "invite",
		.label = said->label[0] ? said->label : NULL,
		.codec = codec_name(l, h->pt),
		.rtp = { .ssrc = h->ssrc, .src = f->from, .dst = f->to,
			 .payload_type = h->pt, .known = true },
		.unusable = unusable,
	};

	if (tap_call_open(l->call))
		return -ENOMEM;
	read_kinds(l);
	memcpy(i.kinds, l->kinds, sizeof(i.kinds));
	l->usable = !unusable;
	return leg_open(&l->leg, l->call->call, &i);
}

void tap_call_encrypted(struct tap_call *c, unsigned media)
{
	c->media[media].side[SIDE_CALLER].encrypted = true;
	list_each(&c->legs, x) {
		struct tap_leg *l = list_item(x, struct tap_leg, in_call);

		if (l->media == media && l->leg) {
			leg_unusable(l->leg, "encrypted");
			l->usable = false;
		}
	}
}

/* One packet of the SSRC in force. */
static void deliver(struct tap_leg *l, const struct tap_flow *f,
		    const struct rtp *h, uint64_t at_us)
{
	if (l->leg && !l->usable && !is_encrypted(l)) {
		/* it was another codec's, and is G.711 from here on */
		leg_end(l->leg, "codec");
		l->leg = NULL;
	}
	if (!l->leg && leg_open_for(l, f, h, NULL))
		return;
	refresh(l);
	leg_packet(l->leg, h, at_us);
}

/* A packet whose media we cannot use: the leg says so, once. */
static void refuse(struct tap_leg *l, const struct tap_flow *f,
		   const struct rtp *h, const char *why)
{
	if (l->leg)
		return;
	leg_open_for(l, f, h, why);
}

static void deliver_second(struct tap_flow *f, const struct rtp *h,
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

	const struct held *before = held_of(f, h->ssrc);
	if (before)
		deliver(l, f, &before->h, before->at_us);
	deliver(l, f, h, at_us);
}

/* A packet of a leg: which of its SSRCs, and what becomes of it. */
static void leg_rtp(struct tap *t, struct tap_flow *f, const struct rtp *h,
		    bool audio, uint64_t at_us)
{
	struct tap_leg *l = f->leg;
	const struct held *before;

	for (size_t i = 0; i < SECONDS_MAX && f->second[i].leg; i++)
		if (f->second[i].ssrc == h->ssrc) {
			deliver(f->second[i].leg, f, h, at_us);
			return;
		}
	switch (source_feed(&l->source, h->ssrc, h->seq, audio, at_us)) {
	case SOURCE_ACCEPT:
		deliver(l, f, h, at_us);
		break;
	case SOURCE_HOLD:
		hold_candidate(f, h, at_us);
		break;
	case SOURCE_SWITCH:
		before = held_of(f, h->ssrc);
		if (before)
			deliver(l, f, &before->h, before->at_us);
		deliver(l, f, h, at_us);
		break;
	case SOURCE_OTHER:
		deliver_second(f, h, at_us);
		break;
	case SOURCE_IGNORE:
		t->stats.foreign++;
		break;
	}
}

/* -- announced ----------------------------------------------------------------------- */

/* Does this flow speak for the leg, or does another one, now? */
static bool follows(struct tap_leg *l, struct tap_flow *f, uint64_t at_us)
{
	if (l->flow != f && l->flow && at_us - l->heard_us < LIVE_US)
		return false;
	l->flow = f;
	l->heard_us = at_us;
	return true;
}

static void announced_rtp(struct tap *t, struct tap_flow *f,
			  const struct rtp *h, uint64_t at_us)
{
	struct tap_leg *l = f->leg;

	refresh(l);
	const uint8_t kind = l->kinds[h->pt];
	const bool audio = is_audio(kind);

	l->call->heard_us = at_us;
	if (is_encrypted(l)) {
		refuse(l, f, h, "encrypted");
	} else if (kind == PAYLOAD_OTHER_CODEC) {
		if (follows(l, f, at_us))
			refuse(l, f, h, "codec");
	} else if ((!audio && l->flow != f) || !follows(l, f, at_us)) {
		t->stats.foreign++;
	} else {
		leg_rtp(t, f, h, audio, at_us);
	}
}

/* -- unannounced ----------------------------------------------------------------------- */

static void become_call(struct tap *t, struct tap_flow *f, uint32_t ssrc)
{
	struct tap_flow *back = flow_find(t, &f->to, &f->from);
	struct tap_call *c = back && back->leg && !back->leg->call->announced
				     ? back->leg->call
				     : tap_call_unannounced(t, &f->from, &f->to,
							    ssrc);

	if (!c)
		return;
	/* the first direction stands where a caller would; nobody knows */
	f->leg = tap_leg_of(c, 0, back && back->leg ? SIDE_CALLEE : SIDE_CALLER);
	if (!f->leg)
		return;
	f->leg->flow = f;
	source_lock(&f->leg->source, ssrc, f->held[0]->at_us);
	for (unsigned i = 0; i < UNANNOUNCED; i++) {
		const struct held *p = f->held[i];

		source_feed(&f->leg->source, ssrc, p->h.seq, true, p->at_us);
		if (f->encrypted)
			refuse(f->leg, f, &p->h, "encrypted");
		else
			deliver(f->leg, f, &p->h, p->at_us);
	}
	f->n_held = 0;
	for (unsigned i = 0; i < HELD_MAX; i++)
		f->held[i]->h.ssrc = ~ssrc; /* nobody's candidate */
}

static void unannounced_rtp(struct tap *t, struct tap_flow *f,
			    const struct rtp *h, uint64_t at_us)
{
	if (f->leg) {
		const bool audio = h->pt == 0 || h->pt == 8;

		f->leg->call->heard_us = at_us;
		if (is_encrypted(f->leg))
			refuse(f->leg, f, h, "encrypted");
		else
			leg_rtp(t, f, h, audio, at_us);
		return;
	}
	if ((h->pt != 0 && h->pt != 8) || !h->len) {
		t->stats.foreign++;
		return;
	}
	if (f->n_held) {
		const struct rtp *before = &f->held[f->n_held - 1]->h;
		const int step = rtp_seq_diff(h->seq, before->seq);

		if (before->ssrc == h->ssrc && step == 0)
			return; /* the same one again */
		if (before->ssrc != h->ssrc || step != 1)
			f->n_held = 0;
	}
	if (hold(f, f->n_held, h, at_us))
		return;
	if (++f->n_held == UNANNOUNCED)
		become_call(t, f, h->ssrc);
}

/* -- every packet ------------------------------------------------------------------------ */

/* Who is where has changed: whose is this flow now? */
static void rematch(struct tap *t, struct tap_flow *f)
{
	f->generation = t->generation;
	f->match = tap_match(t, &f->from, &f->to);
	f->matched = f->match.call != NULL;
	if (!f->matched || f->match.over) {
		if (f->leg && f->leg->call->announced)
			f->leg = NULL;
		return;
	}

	struct tap_leg *l = tap_leg_of(f->match.call, f->match.media,
				       f->match.side);
	if (f->leg == l)
		return;
	struct tap_leg *old = f->leg;
	f->leg = l;
	f->n_held = 0;
	memset(f->second, 0, sizeof(f->second));
	if (old && old->flow == f)
		old->flow = NULL;
	if (old && !old->call->announced)
		tap_call_end(old->call, "announced");
	f->generation = t->generation;
	f->leg = l;
}

void tap_rtp(struct tap *t, const struct decap_packet *p, uint64_t at_us)
{
	struct rtp h;

	if (rtp_parse(&h, p->data, p->len, p->wire_len)) {
		t->stats.foreign++;
		return;
	}
	t->stats.rtp++;

	struct tap_flow *f = flow_for(t, p);
	if (!f)
		return;
	f->heard_us = at_us;
	if (f->generation != t->generation)
		rematch(t, f);
	if (f->match.over)
		t->stats.foreign++;
	else if (f->matched && f->leg)
		announced_rtp(t, f, &h, at_us);
	else
		unannounced_rtp(t, f, &h, at_us);
}

/* RFC 6189 section 5: preamble, cookie, and the name of the message. */
void tap_zrtp(struct tap *t, const struct decap_packet *p)
{
	if (p->len < 24 || memcmp(p->data + 4, "ZRTP", 4) != 0 ||
	    memcmp(p->data + 16, "Commit  ", 8) != 0)
		return;

	const struct tap_match m = tap_match(t, &p->from, &p->to);
	if (m.call && !m.over) {
		tap_call_encrypted(m.call, m.media);
		return;
	}

	struct tap_flow *f = flow_for(t, p);
	struct tap_flow *back = flow_find(t, &p->to, &p->from);
	if (f)
		f->encrypted = true;
	if (back)
		back->encrypted = true;
	if (f && f->leg)
		tap_call_encrypted(f->leg->call, 0);
	else if (back && back->leg)
		tap_call_encrypted(back->leg->call, 0);
}
