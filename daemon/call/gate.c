/** @file gate.c  Who may connect to one ASR service, and when */
#include "daemon/call/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/call/retry.h"

enum {
	HANDSHAKES = 8,
	PER_SECOND = 50,
	FAILURES = 5,          /* of ... */
	LEGS = 3,              /* ... so many legs ... */
	WINDOW_MS = 10000,     /* ... within this: the service is down */
	OPEN_FIRST_MS = 5000,
	OPEN_LAST_MS = 60000,
	HOPELESS_MS = 30000,
	SLOW_TOLD_MS = 60000,
	UNAVAILABLE = 503,     /* what some services say for "too many" */
};

struct failure {
	uint64_t at_ms;
	uint64_t leg;
};

/* The last ones, a ring. */
struct failures {
	struct failure last[FAILURES];
	unsigned n;
};

struct gate {
	struct gate_config cfg;
	struct list waiting;       /* tickets, longest first */
	unsigned inside;
	double rate;               /* connections a second, now */
	double tokens;
	uint64_t tokens_at_ms;
	uint64_t slow_told_ms;     /* + 1; 0: never */
	struct failures connects;  /* that failed since one succeeded */
	struct failures lost;      /* connections, by protocol errors */

	bool down;
	const struct gate_ticket *probe; /* let in while down; NULL: none */
	uint64_t try_at_ms;
	uint64_t down_ms;         /* since when it is */
	uint32_t open_ms;
	struct reason why;
};

int gate_new(struct gate **out, const struct gate_config *cfg)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->cfg = *cfg;
	if (!g->cfg.handshakes)
		g->cfg.handshakes = HANDSHAKES;
	if (g->cfg.per_second <= 0)
		g->cfg.per_second = PER_SECOND;
	g->rate = g->cfg.per_second;
	g->tokens = g->cfg.handshakes;
	list_init(&g->waiting);
	*out = g;
	return 0;
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	must(list_empty(&g->waiting) && g->inside == 0);
	free(g);
}

void gate_enter(struct gate *g, struct gate_ticket *t)
{
	must(t->state == TICKET_IDLE);
	t->state = TICKET_WAITING;
	list_add(&g->waiting, &t->waiting);
}

/* Out of the gate, whatever it was doing there. */
static void leave(struct gate *g, struct gate_ticket *t)
{
	if (t->state == TICKET_WAITING)
		list_remove(&t->waiting);
	if (t->state == TICKET_INSIDE)
		g->inside--;
	t->state = TICKET_IDLE;
	if (g->probe == t)
		g->probe = NULL;
}

void gate_cancel(struct gate *g, struct gate_ticket *t)
{
	leave(g, t); /* a probe that was given up says nothing */
}

static void set_down(struct gate *g, bool down, const struct reason *why)
{
	const bool news = g->down != down;

	g->down = down;
	if (why)
		g->why = *why;
	if (news && g->cfg.changed)
		g->cfg.changed(down, &g->why, g->cfg.arg);
}

void gate_success(struct gate *g, struct gate_ticket *t)
{
	leave(g, t);
	g->connects.n = 0;
	g->open_ms = 0;
	g->probe = NULL;
	g->rate = MIN(g->cfg.per_second, g->rate + g->cfg.per_second / 10);
	set_down(g, false, NULL);
}

/* Do the last failures mean that the service is down? */
static bool breaks(const struct failures *f, uint64_t now_ms)
{
	unsigned legs = 0;

	if (f->n < FAILURES)
		return false;
	for (unsigned i = 0; i < FAILURES; i++) {
		bool seen = false;

		if (now_ms - f->last[i].at_ms > WINDOW_MS)
			return false;
		for (unsigned k = 0; k < i; k++)
			seen |= f->last[k].leg == f->last[i].leg;
		legs += !seen;
	}
	return legs >= LEGS;
}

bool gate_down_long(const struct gate *g, uint64_t now_ms, uint64_t longer_ms)
{
	return g->down && now_ms - g->down_ms > longer_ms &&
	       (now_ms < g->try_at_ms || g->probe || !list_empty(&g->waiting));
}

static void open_for(struct gate *g, const struct reason *why, uint64_t now_ms,
		     uint32_t random)
{
	if (retry_is_hopeless(why->class)) {
		g->open_ms = HOPELESS_MS;
		g->try_at_ms = now_ms + HOPELESS_MS +
			       ((uint64_t)HOPELESS_MS * random >> 32);
	} else {
		g->open_ms = !g->open_ms ? OPEN_FIRST_MS
					 : MIN(g->open_ms * 2,
					       (uint32_t)OPEN_LAST_MS);
		g->try_at_ms = now_ms + g->open_ms;
	}
	if (!g->down)
		g->down_ms = now_ms;
	set_down(g, true, why);
}

static void note(struct failures *f, uint64_t leg, uint64_t now_ms)
{
	f->last[f->n % FAILURES] = (struct failure){ now_ms, leg };
	if (++f->n == 2 * FAILURES)
		f->n = FAILURES;
}

static void slow_down(struct gate *g, const struct reason *why, uint64_t now_ms)
{
	if (why->class == REASON_QUOTA)
		g->rate = MAX(g->rate / 2, g->cfg.per_second / 64);
	else if (why->code != UNAVAILABLE)
		return;
	if (g->slow_told_ms && now_ms + 1 - g->slow_told_ms < SLOW_TOLD_MS)
		return;
	g->slow_told_ms = now_ms + 1;
	if (g->cfg.slow)
		g->cfg.slow(why, g->cfg.arg);
}

void gate_lost(struct gate *g, uint64_t leg, const struct reason *why,
	       uint64_t now_ms, uint32_t random)
{
	const bool hopeless = retry_is_hopeless(why->class);

	slow_down(g, why, now_ms);
	if (why->class == REASON_PROTOCOL)
		note(&g->lost, leg, now_ms);
	else if (!hopeless)
		return;
	if (!g->down && (hopeless || breaks(&g->lost, now_ms)))
		open_for(g, why, now_ms, random);
}

void gate_failure(struct gate *g, struct gate_ticket *t,
		  const struct reason *why, uint64_t now_ms, uint32_t random)
{
	const bool was_probe = g->probe == t;

	leave(g, t);
	slow_down(g, why, now_ms);
	note(&g->connects, t->leg, now_ms);
	/* those who were inside when it opened bring no news */
	if (was_probe || retry_is_hopeless(why->class) ||
	    (!g->down && breaks(&g->connects, now_ms)))
		open_for(g, why, now_ms, random);
}

void gate_reopen(struct gate *g)
{
	g->try_at_ms = 0;
	g->connects.n = 0;
}

static void earn(struct gate *g, uint64_t now_ms)
{
	if (g->tokens_at_ms)
		g->tokens += (double)(now_ms - g->tokens_at_ms) * g->rate / 1000;
	g->tokens_at_ms = now_ms;
	/* what nobody used does not pile up beyond one burst */
	g->tokens = MIN(g->tokens, (double)g->cfg.handshakes);
}

static void grant_first(struct gate *g)
{
	struct gate_ticket *t =
		list_item(g->waiting.next, struct gate_ticket, waiting);

	list_remove(&t->waiting);
	t->state = TICKET_INSIDE;
	g->probe = g->down ? t : NULL;
	g->inside++;
	g->tokens -= 1;
	t->granted(t);
}

uint64_t gate_run(struct gate *g, uint64_t now_ms)
{
	earn(g, now_ms);
	while (!list_empty(&g->waiting)) {
		if (g->inside >= g->cfg.handshakes)
			return UINT64_MAX; /* one will leave */
		if (g->probe)
			return UINT64_MAX; /* the probe will tell */
		if (g->down && now_ms < g->try_at_ms)
			return g->try_at_ms;
		if (g->tokens < 1)
			return now_ms + 1 +
			       (uint64_t)((1 - g->tokens) * 1000 / g->rate);
		grant_first(g);
	}
	return UINT64_MAX;
}

const struct reason *gate_down(const struct gate *g)
{
	return g->down ? &g->why : NULL;
}
