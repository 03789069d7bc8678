/** @file tap_same.c  The same audio on two dialogs of a PBX */
#include "daemon/ingress/tap_same.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/hash.h"
#include "daemon/base/log.h"
#include "daemon/ingress/tap_legs.h"
#include "daemon/ingress/tap_linked.h"

enum {
	WAIT_US = 600 * 1000,       /* for audio to tell them apart */
	WAIT_MORE_US = 200 * 1000,  /* it was silence so far: again ... */
	WAITS_MORE = 7,             /* ... so often: 2 s in all */
	WAITING_MAX = 512,          /* packets */
	TELLING = 40,               /* different anchors: it was not silence */
	RECENT = 16,                /* anchors: what repeats itself is silence */
	SILENT_US = 200 * 1000,     /* the earlier call may be over ... */
	GONE_US = 1000 * 1000,      /* ... and so it is, or is to all purposes */
	APART_US = 400 * 1000,      /* a PBX's delay, at most */
	ENOUGH = 20,                /* different anchors */
	PLACES_BITS = 16,
};

/* Where an anchor was heard last */
struct place {
	uint64_t value;
	uint64_t call;              /* number; 0: free */
	uint64_t at_us;
	uint64_t to;                /* hash of the IP address it went to */
};

struct tap_anchors {
	struct place places[1 << PLACES_BITS];
};

struct waiting {
	struct list in_twin;
	struct tap_leg *leg;
	struct addr from, to;
	bool audio;
	struct held *held;
};

/* A call that may be the same as an earlier one */
struct tap_twin {
	struct tap_call *call;
	struct timer timer;
	struct list waiting;
	unsigned n_waiting;
	bool opens;                 /* call.start waits */
	bool holds;                 /* so do packets */
	bool held;                  /* they did once */
	unsigned waits;             /* times it waited on */
	unsigned said;              /* anchors of its own that waiting heard */
	uint64_t recent[RECENT];
	uint64_t candidate;         /* number of an earlier call ... */
	unsigned n;                 /* ... with so many of its anchors */
	uint64_t values[ENOUGH];
	uint64_t same;              /* number of the earlier call; 0: none */
	char same_id[EVENT_ID];
};

static uint64_t ip_hash(const struct addr *a)
{
	struct addr bare = *a;

	bare.port = 0;
	return addr_hash(&bare);
}

/* -- may it be? ----------------------------------------------------------------------- */

static bool may_be_same(const struct tap_call *c)
{
	list_each(&c->tap->calls, x) {
		const struct tap_call *e =
			list_item(x, struct tap_call, in_tap);

		if (e == c) /* the rest is later */
			return false;
		if (!e->over && !e->refused && !e->bye_us &&
		    tap_may_be_linked(e, c))
			return true;
	}
	return false;
}

static bool has_number(const void *value, const void *key)
{
	const struct tap_call *c = value;
	const uint64_t *number = key;

	return c->number == *number && !c->over;
}

static struct tap_call *find_call(const struct tap *t, uint64_t number)
{
	return map_find(&t->by_number, number, has_number, &number);
}

/* -- what waits ----------------------------------------------------------------------- */

/* Everything takes its way from here on. */
static void release(struct tap_twin *w)
{
	struct tap_call *c = w->call;

	timers_disarm(c->tap->cfg.timers, &w->timer);
	w->holds = false;
	if (w->opens) {
		w->opens = false;
		tap_call_open(c);
	}
	list_each(&w->waiting, x) {
		struct waiting *p = list_item(x, struct waiting, in_twin);

		list_remove(&p->in_twin);
		w->n_waiting--;
		tap_legs_deliver(p->leg, &p->from, &p->to, &p->held->h,
				 p->audio, p->held->at_us);
		free(p->held);
		free(p);
	}
}

/* Legs begin anew, with an ASR or without. */
static void end_legs(struct tap_call *c, const char *reason)
{
	list_each(&c->legs, x) {
		struct tap_leg *l = list_item(x, struct tap_leg, in_call);

		if (l->leg && !l->unusable) {
			leg_end(l->leg, reason);
			l->leg = NULL;
		}
	}
}

/* Has the earlier call, or what is left of it, been silent since then? */
static bool is_silent(const struct tap_twin *w, uint64_t since_us)
{
	const struct tap_call *e = find_call(w->call->tap, w->same);

	return !e || e->heard_us < since_us;
}

/* The earlier call is over, and this one goes on: it speaks for itself. */
static void part(struct tap_twin *w)
{
	w->same = w->candidate = 0;
	w->n = 0;
	end_legs(w->call, "same_as_over");
}

static void wait_for(struct tap_twin *w, uint64_t us)
{
	struct tap *t = w->call->tap;

	timers_arm(t->cfg.timers, &w->timer, timers_now_us(t->cfg.timers) + us);
}

static void on_due(struct timer *timer, uint64_t now_us)
{
	struct tap_twin *w = list_item(timer, struct tap_twin, timer);

	if (w->same) {
		if (is_silent(w, now_us - GONE_US))
			part(w);
	} else if (w->holds && w->said < TELLING && w->waits < WAITS_MORE) {
		w->waits++;
		wait_for(w, WAIT_MORE_US);
		return;
	}
	release(w);
}

static void keep(struct tap_twin *w, struct tap_leg *l,
		 const struct tap_flow *f, struct held *held, bool audio)
{
	struct waiting *p = calloc(1, sizeof(*p));

	if (!p) {
		free(held);
		return;
	}
	*p = (struct waiting){
		.leg = l, .from = f->from, .to = f->to, .audio = audio,
		.held = held,
	};
	list_add(&w->waiting, &p->in_twin);
	w->n_waiting++;
}

/* -- is it? -------------------------------------------------------------------------------- */

static void become_same(struct tap_twin *w, const struct tap_call *earlier)
{
	struct tap_call *c = w->call;
	const char *root = tap_same_as(earlier);
	const struct event_id id = { "same_as", w->same_id };

	w->same = earlier->number;
	snprintf(w->same_id, sizeof(w->same_id), "%s",
		 root ? root : earlier->id);
	log_info(c->tap->cfg.source, "call %s has the audio of call %s", c->id,
		 w->same_id);
	if (c->call) {
		call_update(c->call, &(struct call_news){ .ids = &id,
							  .n_ids = 1 });
		end_legs(c, "same_as");
	} else {
		w->opens = true;
	}
	release(w);
}

static void note(struct tap_twin *w, const struct tap_call *earlier,
		 uint64_t value)
{
	if (w->candidate != earlier->number) {
		w->candidate = earlier->number;
		w->n = 0;
	}
	for (unsigned i = 0; i < w->n; i++)
		if (w->values[i] == value)
			return;
	w->values[w->n++] = value;
	if (w->n < ENOUGH)
		return;
	if (tap_are_linked(earlier, w->call))
		become_same(w, earlier);
	else
		w->n = 0; /* SDP may yet say so */
}

struct hearing {
	struct tap_leg *leg;
	const struct tap_flow *flow;
	uint64_t at_us;
};

/* It said something it has not just said. */
static void count_said(struct tap_twin *w, uint64_t value)
{
	for (unsigned i = 0; i < RECENT; i++)
		if (w->recent[i] == value)
			return;
	w->recent[w->said++ % RECENT] = value;
}

/* An anchor: did another call have it, on the way to who sends it here? */
static void on_anchor(uint64_t value, void *arg)
{
	const struct hearing *h = arg;
	struct tap_call *c = h->leg->call;
	struct place *p = &c->tap->anchors->places[value >>
						   (64 - PLACES_BITS)];
	const struct place before = *p;

	if (c->twin && c->twin->holds)
		count_said(c->twin, value);
	*p = (struct place){ value, c->number, h->at_us,
			     ip_hash(&h->flow->to) };
	if (before.value != value || !before.call ||
	    before.call == c->number || before.to != ip_hash(&h->flow->from) ||
	    h->at_us < before.at_us || h->at_us - before.at_us > APART_US)
		return;
	struct tap_call *other = find_call(c->tap, before.call);

	if (!other)
		return;
	struct tap_call *later = other->number > c->number ? other : c;

	if (later->twin && !later->twin->same)
		note(later->twin, later == c ? other : c, value);
}

/* -- a call that may be ------------------------------------------------------------ */

static struct tap_twin *twin_of(struct tap_call *c)
{
	struct tap *t = c->tap;

	if (c->twin || c->over || !may_be_same(c))
		return c->twin;
	if (!t->anchors)
		t->anchors = calloc(1, sizeof(*t->anchors));
	if (!t->anchors)
		return NULL;
	struct tap_twin *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->call = c;
	w->timer.due = on_due;
	list_init(&w->waiting);
	c->twin = w;
	t->n_twins++;
	return w;
}

static void begin_at(struct tap_call *c, uint64_t at_us)
{
	if (!c->began_us)
		c->began_us = at_us;
}

bool tap_same_postpones(struct tap_call *c)
{
	struct tap_twin *w;

	if (c->call)
		return false;
	w = twin_of(c);
	if (!w || w->same || w->held)
		return w && w->opens;
	begin_at(c, timers_now_us(c->tap->cfg.timers));
	w->opens = true;
	wait_for(w, WAIT_US);
	return true;
}

/* Is it time to wait, for the one reason or the other? */
static void begin_wait(struct tap_twin *w, uint64_t at_us)
{
	if (w->same) {
		if (is_silent(w, at_us - SILENT_US)) {
			w->holds = true;
			wait_for(w, GONE_US);
		}
		return;
	}
	if (w->held)
		return;
	w->holds = w->held = true;
	if (!w->call->call) {
		begin_at(w->call, at_us);
		w->opens = true;
	}
	wait_for(w, WAIT_US);
}

bool tap_same_takes(struct tap_leg *l, const struct tap_flow *f,
		    const struct rtp *h, bool audio, uint64_t at_us)
{
	struct tap_call *c = l->call;

	if (!c->heard) {
		c->heard = true;
		twin_of(c);
	}
	if (!c->tap->n_twins)
		return false;
	if (c->twin && !c->twin->holds)
		begin_wait(c->twin, at_us);
	if (audio)
		anchors_feed(&l->anchors, h, on_anchor,
			     &(struct hearing){ l, f, at_us });

	struct tap_twin *w = c->twin;
	if (!w || !w->holds)
		return false;
	struct held *held = held_new(h, at_us);

	if (!held) /* too long to be of ours, or no memory: the leg says so */
		return false;
	keep(w, l, f, held, audio);
	if (w->n_waiting >= WAITING_MAX) {
		w->waits = WAITS_MORE;
		on_due(&w->timer, at_us);
	}
	return true;
}

const char *tap_same_as(const struct tap_call *c)
{
	return c->twin && c->twin->same ? c->twin->same_id : NULL;
}

void tap_same_release(struct tap_call *c)
{
	if (c->twin && c->twin->holds)
		release(c->twin);
}

void tap_same_end(struct tap_call *c)
{
	if (c->twin)
		release(c->twin);
	tap_same_free(c);
}

void tap_same_free(struct tap_call *c)
{
	struct tap_twin *w = c->twin;

	if (!w)
		return;
	timers_disarm(c->tap->cfg.timers, &w->timer);
	list_each(&w->waiting, x) {
		struct waiting *p = list_item(x, struct waiting, in_twin);

		free(p->held);
		free(p);
	}
	c->twin = NULL;
	c->tap->n_twins--;
	free(w);
}

void tap_anchors_free(struct tap_anchors *a)
{
	free(a);
}
