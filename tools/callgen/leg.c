/** @file leg.c  One plan's packets when they are due */
#include "tools/callgen/gen.h"

static void send_packet(struct leg *l)
{
	const struct gen *g = l->call->gen;
	const struct plan_packet *p = &l->next;
	const struct sound *s = &g->sound;
	const bool spoof = p->kind == PLAN_SPOOF;
	const bool sound = spoof || p->kind == PLAN_AUDIO;
	uint8_t head[PLAN_HEADER + sizeof(p->body)];
	size_t len = PLAN_HEADER;

	plan_header(head, p);
	for (size_t i = 0; !sound && i < p->len; i++)
		head[len++] = p->body[i];
	sender_put(spoof ? g->spoofer : g->sender, l->number, &l->to,
		   l->begun_us + p->due_us, head, len,
		   sound ? s->code[l->plan.o.law] + p->offset : NULL,
		   sound ? p->len : 0);
}

static void stop(struct leg *l)
{
	timers_disarm(l->call->gen->timers, &l->timer);
	l->running = false;
	l->call->running--;
}

static void arm(struct leg *l)
{
	struct call *c = l->call;

	if (plan_next(&l->plan, &l->next)) {
		timers_arm(c->gen->timers, &l->timer,
			   l->begun_us + l->next.due_us);
		return;
	}
	stop(l);
	if (c->running)
		return;
	sender_flush(c->gen->sender); /* before the end is told */
	c->gen->way->end(c);
}

static void on_due(struct timer *t, uint64_t now_us)
{
	struct leg *l = list_item(t, struct leg, timer);

	(void)now_us;
	send_packet(l);
	arm(l);
}

static void on_hold(struct timer *t, uint64_t now_us)
{
	struct call *c = list_item(t, struct call, hold);
	const struct options *o = c->gen->o;

	c->on_hold = !c->on_hold;
	if (c->on_hold)
		timers_arm(c->gen->timers, t, now_us + 1000 * o->hold_ms);
	c->gen->way->hold(c, c->on_hold);
}

void call_legs_begin(struct call *c)
{
	struct gen *g = c->gen;
	const unsigned n = g->o->legs;

	if (g->stopping) {
		g->way->end(c);
		return;
	}
	/* counted first: a leg of one packet is over at once */
	c->running = n;
	for (unsigned k = 0; k < n; k++) {
		struct leg *l = &c->legs[k];

		l->begun_us = timers_now_us(g->timers);
		l->begun = l->running = true;
		l->timer.due = on_due;
	}
	if (g->o->hold_ms && g->way->hold) {
		c->hold.due = on_hold;
		timers_arm(g->timers, &c->hold, timers_now_us(g->timers) +
			   1000 * g->o->hold_at_ms);
	}
	for (unsigned k = 0; k < n; k++)
		arm(&c->legs[k]);
}

void call_legs_stop(struct call *c)
{
	timers_disarm(c->gen->timers, &c->hold);
	for (unsigned k = 0; k < c->gen->o->legs; k++)
		if (c->legs[k].running) {
			c->legs[k].cut = true;
			stop(&c->legs[k]);
		}
}

json_t *leg_report(const struct leg *l)
{
	const struct gen *g = l->call->gen;
	const struct plan_counts *n = &l->plan.counts;
	const struct addr at = sender_address(g->sender, l->number);
	char from[ADDR_TEXT], to[ADDR_TEXT];
	json_t *line;

	line = json_pack("{s:s, s:i, s:s, s:s, s:i, s:s, s:s, s:[I], s:b}",
		"call", l->call->id, "leg", (int)l->k, "label", l->label,
		"codec", law_name(l->plan.o.law),
		"ptime", (int)(l->plan.o.frame / 8),
		"from", addr_print(from, &at), "to", addr_print(to, &l->to),
		"ssrc", (json_int_t)l->plan.ssrcs[0],
		"complete", l->begun && !l->cut);
	if (l->plan.ssrcs[1] != l->plan.ssrcs[0])
		json_array_append_new(json_object_get(line, "ssrc"),
				      json_integer(l->plan.ssrcs[1]));
	if (*l->name)
		json_object_set_new(line, "name", json_string(l->name));
	if (*l->plan.o.digits)
		json_object_set_new(line, "digits",
				    json_string(l->plan.o.digits));
	json_object_set_new(line, "packets", json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"audio", (json_int_t)n->audio, "comfort", (json_int_t)n->comfort,
		"digit", (json_int_t)n->digit, "lost", (json_int_t)n->lost,
		"reordered", (json_int_t)n->reordered,
		"duplicate", (json_int_t)n->duplicate,
		"spoof", (json_int_t)n->spoof));
	account_tell(&l->plan.account, line);
	return line;
}
