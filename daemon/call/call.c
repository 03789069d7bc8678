/** @file call.c  Calls: what holds their legs together */
#include "daemon/call/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call/leg.h"

int calls_new(struct calls **out, const struct calls_config *cfg)
{
	struct calls *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return -ENOMEM;
	cs->cfg = *cfg;
	list_init(&cs->all);
	*out = cs;
	return 0;
}

static void call_free(struct call *c)
{
	list_each(&c->legs, l)
		leg_free(leg_of(l));
	list_remove(&c->in_calls);
	for (size_t i = 0; i < c->n_ids; i++) {
		free((char *)c->ids[i].name);
		free((char *)c->ids[i].value);
	}
	free(c->ids);
	free(c->source);
	free(c->calling);
	free(c->called);
	free(c->language);
	free(c);
}

void calls_free(struct calls *cs)
{
	if (!cs)
		return;
	list_each(&cs->all, c)
		call_free(list_item(c, struct call, in_calls));
	free(cs);
}

void calls_set_dtmf(struct calls *cs, bool on)
{
	cs->cfg.dtmf = on;
}

unsigned calls_count(const struct calls *cs)
{
	return cs->count;
}

bool calls_know(const struct calls *cs, const char *id)
{
	list_each((struct list *)&cs->all, c)
		if (!strcmp(list_item(c, struct call, in_calls)->id, id))
			return true;
	return false;
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

static int copy_ids(struct call *c, const struct call_info *i)
{
	c->ids = calloc(i->n_ids + 1, sizeof(*c->ids));
	if (!c->ids)
		return -ENOMEM;
	for (; c->n_ids < i->n_ids; c->n_ids++) {
		struct event_id *id = &c->ids[c->n_ids];

		id->name = copy(i->ids[c->n_ids].name);
		id->value = copy(i->ids[c->n_ids].value);
		if (!id->name || !id->value) {
			c->n_ids++;
			return -ENOMEM;
		}
	}
	return 0;
}

int call_open(struct call **out, struct calls *cs, const struct call_info *i)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	list_init(&c->in_calls);
	list_init(&c->legs);
	c->calls = cs;
	c->source = copy(i->source);
	c->calling = copy(i->calling ? i->calling : i->from);
	c->called = copy(i->called ? i->called : i->to);
	c->language = copy(i->language);
	c->trunk = i->trunk;
	if (!c->source || !c->calling || !c->called || !c->language ||
	    copy_ids(c, i)) {
		call_free(c);
		return -ENOMEM;
	}
	snprintf(c->id, sizeof(c->id), "%s", i->id);
	c->started_us = i->started_us ? i->started_us
				      : timers_now_us(cs->cfg.timers);
	c->number = ++cs->numbered;
	list_add(&cs->all, &c->in_calls);
	cs->count++;

	const struct event e = {
		.type = EVENT_CALL_START, .now_us = c->started_us,
		.call = c->id,
		.call_start = {
			.source = i->source, .from = i->from, .to = i->to,
			.sip_call_id = i->sip_call_id, .ids = i->ids,
			.n_ids = i->n_ids, .participants = i->participants,
			.n_participants = i->n_participants,
		},
	};
	cs->cfg.events.emit(&e, cs->cfg.events.arg);
	*out = c;
	return 0;
}

static int pause_or_resume(struct calls *cs, const char *id, bool on,
			   const char *reason)
{
	int err = -ENOENT;

	list_each(&cs->all, x) {
		struct call *c = list_item(x, struct call, in_calls);
		const bool all = !strcmp(c->id, id);

		if (all)
			c->paused = on;
		if (all)
			err = 0;
		list_each(&c->legs, y) {
			struct leg *l = leg_of(y);

			if (!all && strcmp(leg_id(l), id) != 0)
				continue;
			err = 0;
			if (on)
				leg_pause(l, reason);
			else
				leg_resume(l, reason);
		}
	}
	return err;
}

int calls_pause(struct calls *cs, const char *id, const char *reason)
{
	return pause_or_resume(cs, id, true, reason);
}

int calls_resume(struct calls *cs, const char *id, const char *reason)
{
	return pause_or_resume(cs, id, false, reason);
}

const char *call_id(const struct call *c)
{
	return c->id;
}

void call_update(struct call *c, const struct call_news *n)
{
	struct calls *cs = c->calls;
	const struct event e = {
		.type = EVENT_CALL_UPDATE,
		.now_us = timers_now_us(cs->cfg.timers), .call = c->id,
		.call_update = {
			.from = n->from, .to = n->to, .ids = n->ids,
			.n_ids = n->n_ids, .participants = n->participants,
			.n_participants = n->n_participants,
		},
	};

	cs->cfg.events.emit(&e, cs->cfg.events.arg);
}

static void tell_end(struct call *c)
{
	struct calls *cs = c->calls;
	const struct event e = {
		.type = EVENT_CALL_END,
		.now_us = timers_now_us(cs->cfg.timers), .call = c->id,
		.call_end = {
			.reason = c->reason,
			.duration_us = c->ended_us - c->started_us,
			.legs = c->opened,
		},
	};

	cs->cfg.events.emit(&e, cs->cfg.events.arg);
	call_free(c);
	if (--cs->count == 0 && cs->cfg.idle)
		cs->cfg.idle(cs->cfg.arg);
}

void call_leg_over(struct call *c)
{
	if (c->ended && list_empty(&c->legs))
		tell_end(c);
}

void call_end(struct call *c, const char *reason)
{
	c->ended_us = timers_now_us(c->calls->cfg.timers);
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
	/* a leg without an ASR is over at once; the call must outlive that */
	list_each(&c->legs, l)
		if (!leg_ended(leg_of(l)))
			leg_end(leg_of(l), reason);
	c->ended = true;
	call_leg_over(c);
}
