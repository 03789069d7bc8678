/** @file tap_flows.c  RTP of a tap: the 5-tuples, and whose they are */
#include "daemon/ingress/tap_flows.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/ingress/tap_legs.h"

enum {
	FLOWS_MAX = 65536,
	IDLE_US = 64 * 1000 * 1000,  /* a flow nobody needs is forgotten */
	STALE_US = 2 * 1000 * 1000,  /* a run goes on within that */
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

static void run_clear(struct run *r)
{
	for (unsigned i = 0; i < UNANNOUNCED; i++)
		free(r->held[i]);
	*r = (struct run){0};
}

static void flow_free(struct tap *t, struct tap_flow *f)
{
	held_clear(&f->candidates);
	for (size_t i = 0; i < RUNS; i++)
		run_clear(&f->runs[i]);
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

/* -- unannounced ----------------------------------------------------------------------- */

/* The leg this flow is from now on: of the reverse direction's call, or of a
 * new one. */
static struct tap_leg *new_leg(struct tap *t, struct tap_flow *f, uint32_t ssrc)
{
	struct tap_flow *back = flow_find(t, &f->to, &f->from);
	const bool joins = back && back->leg && !back->leg->call->announced;
	struct tap_call *c = joins ? back->leg->call
				   : tap_call_unannounced(t, &f->from, &f->to,
							  ssrc);

	if (!c)
		return NULL;
	if (f->encrypted || (back && back->encrypted))
		tap_legs_encrypted(c, 0);
	/* the first direction stands where a caller would; nobody knows */
	return tap_leg_of(c, 0, joins ? SIDE_CALLEE : SIDE_CALLER);
}

/* The oldest packet of all runs, taken out. */
static struct held *next_held(struct tap_flow *f)
{
	struct held **oldest = NULL;

	for (unsigned r = 0; r < RUNS; r++)
		for (unsigned i = 0; i < f->runs[r].n; i++) {
			struct held **x = &f->runs[r].held[i];

			if (*x && (!oldest || (*x)->at_us < (*oldest)->at_us))
				oldest = x;
		}
	if (!oldest)
		return NULL;

	struct held *x = *oldest;
	*oldest = NULL;
	return x;
}

/* `r` is complete: whatever was held is the call's, in the order it came. */
static void become_call(struct tap *t, struct tap_flow *f, const struct run *r)
{
	struct held *x;

	f->leg = new_leg(t, f, r->ssrc);
	if (f->leg) {
		f->leg->flow = f;
		if (!f->leg->call->began_us && !f->leg->call->announced)
			f->leg->call->began_us = r->held[0]->at_us;
		source_lock(&f->leg->source, r->ssrc, r->held[0]->at_us);
	}
	while ((x = next_held(f))) {
		if (f->leg)
			tap_legs_unannounced(t, f, &x->h, x->at_us);
		else
			t->stats.foreign++;
		free(x);
	}
	for (unsigned i = 0; i < RUNS; i++)
		run_clear(&f->runs[i]);
}

static uint64_t heard_us(const struct run *r)
{
	return r->n ? r->held[r->n - 1]->at_us : 0;
}

/* The run of an SSRC, or the place for a new one: free, or silent longest. */
static struct run *run_of(struct tap_flow *f, uint32_t ssrc)
{
	struct run *place = &f->runs[0];

	for (unsigned i = 0; i < RUNS; i++) {
		if (f->runs[i].n && f->runs[i].ssrc == ssrc)
			return &f->runs[i];
		if (heard_us(&f->runs[i]) < heard_us(place))
			place = &f->runs[i];
	}
	/* two that live may not be driven out by any odd packet */
	if (place->n > 1 && f->heard_us - heard_us(place) < STALE_US)
		return NULL;
	run_clear(place);
	return place;
}

static void unannounced_rtp(struct tap *t, struct tap_flow *f,
			    const struct rtp *h, uint64_t at_us)
{
	if (f->leg) {
		tap_legs_unannounced(t, f, h, at_us);
		return;
	}

	struct run *r = (h->pt == 0 || h->pt == 8) && h->len
				? run_of(f, h->ssrc)
				: NULL;
	if (!r) {
		t->stats.foreign++;
		return;
	}
	if (r->n) {
		const int step = rtp_seq_diff(h->seq, r->held[r->n - 1]->h.seq);

		if (step == 0)
			return; /* the same one again */
		if (step != 1)
			run_clear(r);
	}
	r->held[r->n] = held_new(h, at_us);
	if (!r->held[r->n]) {
		run_clear(r);
		return;
	}
	r->ssrc = h->ssrc;
	if (++r->n == UNANNOUNCED)
		become_call(t, f, r);
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
	for (unsigned i = 0; i < RUNS; i++)
		run_clear(&f->runs[i]);
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
		tap_legs_announced(t, f, p, &h, at_us);
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
		tap_legs_encrypted(m.call, m.media);
		return;
	}

	struct tap_flow *f = flow_for(t, p);
	struct tap_flow *back = flow_find(t, &p->to, &p->from);
	if (f)
		f->encrypted = true;
	if (back)
		back->encrypted = true;
	if (f && f->leg)
		tap_legs_encrypted(f->leg->call, 0);
	else if (back && back->leg)
		tap_legs_encrypted(back->leg->call, 0);
}
