/** @file gen.c  Calls at their rate */
#include "tools/callgen/gen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/must.h"

/* so far apart in the sound legs begin: no two are alike for long */
enum { APART = 8 * 1013 };

uint64_t gen_now_us(const struct gen *g)
{
	(void)g;
	return uv_hrtime() / 1000;
}

static void call_free(struct call *c)
{
	for (unsigned k = 0; k < c->gen->o->legs; k++)
		plan_free(&c->legs[k].plan);
	list_remove(&c->in_gen);
	json_decref(c->told);
	free(c);
}

static struct call *call_new(struct gen *g)
{
	struct call *c = calloc(1, sizeof(*c));

	must(c);
	c->gen = g;
	c->number = ++g->begun;
	snprintf(c->id, sizeof(c->id), "%s-%" PRIu64, g->o->name, c->number);
	list_init(&c->in_gen);
	list_add(&g->calls, &c->in_gen);
	for (unsigned k = 0; k < g->o->legs; k++) {
		struct plan_options p = options_plan(g->o, k);
		struct leg *l = &c->legs[k];

		l->call = c;
		l->k = k;
		snprintf(l->label, sizeof(l->label), "%u", k + 1);
		l->number = (unsigned)((c->number - 1) * g->o->legs + k);
		p.offset = (size_t)l->number * APART % g->sound.n;
		plan_init(&l->plan, &p, &g->sound, g->o->seed, l->number);
	}
	return c;
}

static void on_next_call(struct timer *t, uint64_t now_us)
{
	struct gen *g = list_item(t, struct gen, next_call);
	struct call *c = call_new(g);

	(void)now_us;
	if (g->begun < g->o->calls) /* from the first: no drift */
		timers_arm(g->timers, t, g->first_us + (uint64_t)
			   ((double)g->begun * 1e9 / (double)g->o->rate_milli));
	g->way->begin(c);
}

/* Once. */
static void tell_end(struct gen *g)
{
	void (*ended)(struct gen *) = g->ended;

	if (!ended || g->over < g->begun ||
	    (!g->stopping && g->begun < g->o->calls))
		return;
	g->ended = NULL;
	ended(g);
}

void gen_call_over(struct call *c, bool good)
{
	struct gen *g = c->gen;

	call_legs_stop(c);
	for (unsigned k = 0; g->report && k < g->o->legs; k++) {
		json_t *line = leg_report(&c->legs[k]);

		if (c->told)
			json_object_update(line, c->told);
		json_dumpf(line, g->report, JSON_COMPACT);
		fputc('\n', g->report);
		json_decref(line);
	}
	if (g->report)
		fflush(g->report);
	g->over++;
	g->bad += !good;
	call_free(c);
	tell_end(g);
}

void gen_stop(struct gen *g)
{
	if (g->stopping)
		return;
	g->stopping = true;
	timers_disarm(g->timers, &g->next_call);
	list_each(&g->calls, x) {
		struct call *c = list_item(x, struct call, in_gen);

		if (c->running) {
			call_legs_stop(c);
			g->way->end(c);
		}
	}
	tell_end(g);
}

static void first(struct gen *g, uint64_t now_us)
{
	list_init(&g->calls);
	g->first_us = now_us;
	g->next_call.due = on_next_call;
	timers_arm(g->timers, &g->next_call, now_us);
}

static void on_turn(uv_timer_t *t)
{
	struct gen *g = t->data;

	timers_run(g->timers, gen_now_us(g));
	sender_flush(g->sender);
	if (g->spoofer)
		sender_flush(g->spoofer);
}

void gen_begin(struct gen *g)
{
	const uint64_t now_us = gen_now_us(g);

	timers_run(g->timers, now_us);
	first(g, now_us);
	uv_timer_init(g->loop, &g->turn);
	g->turn.data = g;
	uv_timer_start(&g->turn, on_turn, 0, TURN_MS);
}

void gen_run_now(struct gen *g)
{
	first(g, 0);
	while (timers_next_us(g->timers) != UINT64_MAX)
		timers_run(g->timers, timers_next_us(g->timers));
}
