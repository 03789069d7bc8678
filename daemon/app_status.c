/** @file app_status.c  What an operator sees first: one screen */
#include "daemon/app_status.h"

#include <jansson.h>
#include <string.h>

#include "daemon/call/look.h"
#include "daemon/pub/subscribers.h"
#include "daemon/services.h"

static void put(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_t *v = text && *text ? json_string(text) : NULL;

	if (v)
		json_object_set_new(o, key, v);
}

static void add_one(json_t *o, const char *key)
{
	put(o, key, (uint64_t)json_integer_value(json_object_get(o, key)) + 1);
}

/* -- legs -------------------------------------------------------------------- */

struct legs {
	json_t *states, *asrs;   /* how many of each */
};

static bool add_leg(const struct leg_look *l, void *arg)
{
	const struct legs *all = arg;

	add_one(all->states, l->unusable ? l->unusable
			     : l->state	 ? l->state : "none");
	add_one(all->asrs, l->asr);
	return true;
}

static bool add_call(const struct call_look *c, void *arg)
{
	legs_look(c->call, add_leg, arg);
	return true;
}

/* -- asrs -------------------------------------------------------------------- */

static json_t *asr_json(const struct core *x, const struct config_asr *c,
			const json_t *legs)
{
	const struct service *s = services_find(x->services, c->name);
	const struct reason *down = s ? gate_down(s->gate) : NULL;
	json_t *o = json_object();

	put_text(o, "asr", c->name);
	put_text(o, "vendor", c->vendor);
	put_text(o, "state", !s		   ? "unused"
			     : s->disabled ? "disabled"
			     : down	   ? "down"
					   : "up");
	put(o, "legs", (uint64_t)json_integer_value(json_object_get(legs,
								    c->name)));
	if (down)
		put_text(o, "text", down->text);
	if (s && s->last.class != REASON_NONE) {
		put_text(o, "last_error", s->last.text);
		put(o, "last_error_ago_ms", uv_now(&x->loop) - s->last_ms);
	}
	if (s && s->latencies)
		put(o, "final_latency_ms", s->latency_ms);
	return o;
}

static json_t *asrs_json(const struct core *x, const json_t *legs)
{
	const struct config *c = services_config(x->services);
	json_t *all = json_array();

	for (size_t i = 0; i < c->n_asrs; i++)
		json_array_append_new(all, asr_json(x, &c->asrs[i], legs));
	return all;
}

/* -- events ------------------------------------------------------------------ */

static json_t *journal_json(const struct core *x)
{
	struct journal_stats s;
	json_t *o = json_object();

	journal_stats(x->journal, &s);
	put(o, "first", journal_first(x->journal));
	put(o, "next", journal_next(x->journal));
	json_object_set_new(o, "on_disk", json_boolean(s.on_disk));
	put(o, "bytes", s.bytes);
	if (s.trouble)
		put_text(o, "trouble", strerror(-s.trouble));
	return o;
}

static void add_name(const char *name, uint64_t behind, bool here, void *arg)
{
	json_t *o = json_object();

	put_text(o, "name", name);
	put(o, "behind", behind);
	json_object_set_new(o, "connected", json_boolean(here));
	json_array_append_new(arg, o);
}

static json_t *subscribers_json(const struct core *x)
{
	struct subscribers_stats s = {0};
	json_t *o = json_object(), *names = json_array();

	if (x->subscribers) {
		subscribers_stats(x->subscribers, &s);
		subscribers_names(x->subscribers, add_name, names);
	}
	put(o, "connected", s.connected);
	put(o, "lost", s.lost);
	json_object_set_new(o, "names", names);
	return o;
}

static json_t *problems_json(const struct core *x, const struct problems *all)
{
	const uint64_t now_us = timers_now_us(x->timers);
	const struct problem *p;
	json_t *list = json_array();

	for (size_t i = 0; (p = problems_at(all, i)); i++) {
		json_t *o = json_object();

		put_text(o, "what", p->what);
		put_text(o, "asr", p->asr);
		put_text(o, "text", p->text);
		put(o, "times", p->times);
		put(o, "ago_ms", now_us > p->at_us ? (now_us - p->at_us) / 1000
						   : 0);
		json_array_append_new(list, o);
	}
	return list;
}

void app_status(const struct core *x, const struct problems *p,
		struct answer *a)
{
	struct legs legs = { json_object(), json_object() };
	json_t *o = json_object();

	calls_look(x->calls, 0, add_call, &legs);
	json_object_set_new(o, "legs", legs.states);
	json_object_set_new(o, "asrs", asrs_json(x, legs.asrs));
	json_object_set_new(o, "journal", journal_json(x));
	json_object_set_new(o, "subscribers", subscribers_json(x));
	json_object_set_new(o, "problems", problems_json(x, p));
	json_decref(legs.asrs);
	a->body = o;
}
