/** @file look.c  How it stands with calls and legs right now */
#include "daemon/call/look.h"

#include <string.h>

#include "daemon/call/leg.h"

static struct call_look look(const struct call *c)
{
	const uint64_t now_us = timers_now_us(c->calls->cfg.timers);
	const uint64_t end_us = c->ended ? c->ended_us : now_us;
	struct call_look out = {
		.id = c->id, .source = c->source, .from = c->calling,
		.to = c->called, .number = c->number, .ended = c->ended,
		.age_us = end_us > c->started_us ? end_us - c->started_us : 0,
		.call = c,
	};

	list_each((struct list *)&c->legs, l) {
		(void)l;
		out.legs++;
	}
	return out;
}

void calls_look(const struct calls *cs, uint64_t after, call_look_fn *fn,
		void *arg)
{
	list_each((struct list *)&cs->all, x) {
		const struct call *c = list_item(x, struct call, in_calls);

		if (c->number <= after)
			continue;

		const struct call_look l = look(c);
		if (!fn(&l, arg))
			return;
	}
}

bool call_look(const struct calls *cs, const char *id, struct call_look *out)
{
	list_each((struct list *)&cs->all, x) {
		const struct call *c = list_item(x, struct call, in_calls);
		bool found = !strcmp(c->id, id);

		list_each((struct list *)&c->legs, l)
			found |= !strcmp(leg_id(leg_of(l)), id);
		if (!found)
			continue;
		*out = look(c);
		return true;
	}
	return false;
}

void legs_look(const struct call *c, leg_look_fn *fn, void *arg)
{
	list_each((struct list *)&c->legs, x) {
		struct leg_look l;

		leg_look(leg_of(x), &l);
		if (!fn(&l, arg))
			return;
	}
}
