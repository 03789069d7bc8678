/** @file app_calls.c  Answers about calls and their legs */
#include "daemon/app_calls.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/call/look.h"

enum {
	ROOM = 48 * 1024,      /* of a line of COMMAND_LINE_MAX */
	MS = 8,                /* samples */
};

struct list_of {
	json_t *items;
	size_t bytes;
	uint64_t last;         /* number of the last call in it */
	bool full;
};

static json_t *integer(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void put(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, integer(n));
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_t *v = text && *text ? json_string(text) : NULL;

	if (v)
		json_object_set_new(o, key, v);
}

/* Append, if it still fits.  Owns `o`. */
static bool append(struct list_of *l, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	const size_t n = text ? strlen(text) + 1 : ROOM;

	free(text);
	l->full = l->bytes + n > ROOM;
	if (l->full) {
		json_decref(o);
		return false;
	}
	l->bytes += n;
	json_array_append_new(l->items, o);
	return true;
}

void app_calls_unknown(const struct command *c, struct answer *a)
{
	answer_error(a, "no call and no leg is called %s; it may have ended",
		     c->target);
}

/* -- many -------------------------------------------------------------------- */

struct sums {
	json_t *states;
	uint64_t backlog, lost;
};

static bool add_leg(const struct leg_look *l, void *arg)
{
	struct sums *s = arg;
	const char *state = l->unusable ? l->unusable
			    : l->state	? l->state : "none";
	const json_t *n = json_object_get(s->states, state);

	json_object_set_new(s->states, state,
			    json_integer(json_integer_value(n) + 1));
	s->backlog += l->backlog;
	s->lost += l->so_far.lost;
	return true;
}

static json_t *call_json(const struct call_look *c)
{
	struct sums s = { .states = json_object() };
	json_t *o = json_object();

	legs_look(c->call, add_leg, &s);
	put_text(o, "call", c->id);
	put_text(o, "source", c->source);
	put_text(o, "from", c->from);
	put_text(o, "to", c->to);
	put(o, "age_ms", c->age_us / 1000);
	json_object_set_new(o, "ending", json_boolean(c->ended));
	put(o, "legs", c->legs);
	json_object_set_new(o, "asr_states", s.states);
	put(o, "backlog_ms", s.backlog / MS);
	put(o, "lost_ms", s.lost / MS);
	return o;
}

static bool add_call(const struct call_look *c, void *arg)
{
	struct list_of *l = arg;

	if (!append(l, call_json(c)))
		return false;
	l->last = c->number;
	return true;
}

void app_calls_list(const struct calls *cs, const struct command *c,
		    struct answer *a)
{
	struct list_of l = { .items = json_array() };

	calls_look(cs, c->next, add_call, &l);
	a->name = "calls";
	a->body = l.items;
	a->next = l.full ? l.last : 0;
}

/* -- one --------------------------------------------------------------------- */

static json_t *rtp_json(const struct leg_look *l)
{
	const struct event_leg_end *e = &l->so_far;
	char at[ADDR_TEXT];
	json_t *o = json_object();

	if (l->rtp.known) {
		put(o, "ssrc", l->rtp.ssrc);
		put_text(o, "src", addr_print(at, &l->rtp.src));
		put_text(o, "dst", addr_print(at, &l->rtp.dst));
	}
	if (l->rtp.payload_type >= 0)
		put(o, "payload_type", (uint64_t)l->rtp.payload_type);
	put(o, "packets", e->rtp_packets);
	put(o, "lost", e->rtp_lost);
	put(o, "late", e->rtp_late);
	put(o, "duplicate", e->rtp_duplicate);
	put(o, "reordered", e->rtp_reordered);
	if (e->jitter_ms >= 0)
		json_object_set_new(o, "jitter_ms", json_real(e->jitter_ms));
	if (e->mos >= 0)
		json_object_set_new(o, "mos", json_real(e->mos));
	return o;
}

static json_t *history_json(const struct leg_look *l)
{
	json_t *all = json_array();
	const struct history_item *h;

	for (size_t i = 0; (h = history_at(l->history, i)); i++) {
		json_t *o = json_object();

		put(o, "ago_ms", (l->now_us - h->at_us) / 1000);
		put_text(o, "asr_state", h->state);
		put_text(o, "reason", h->why.class ? reason_name(h->why.class)
						   : h->note);
		if (h->why.code)
			put(o, "code", h->why.code);
		put_text(o, "text", h->why.text);
		json_array_append_new(all, o);
	}
	return all;
}

static void put_asr(json_t *o, const struct leg_look *l)
{
	const struct event_leg_end *e = &l->so_far;
	const struct history_item *h = history_trouble(l->history);

	put_text(o, "asr", l->asr);
	put_text(o, "asr_state", l->state);
	put_text(o, "unusable", l->unusable);
	if (h) {
		put_text(o, "last_trouble", reason_name(h->why.class));
		put_text(o, "last_trouble_text", h->why.text);
	}
	if (!e->asr)
		return;
	put(o, "connections", e->connections);
	put(o, "partials", e->partials);
	put(o, "finals", e->finals);
	if (e->final_latency_p95_ms != EVENT_UNKNOWN)
		put(o, "final_latency_p95_ms", e->final_latency_p95_ms);
	json_object_set_new(o, "history", history_json(l));
}

static json_t *leg_json(const struct leg_look *l)
{
	const struct event_leg_end *e = &l->so_far;
	json_t *o = json_object(), *samples = json_object();

	put_text(o, "leg", l->id);
	put_text(o, "role", role_name(l->role));
	json_object_set_new(o, "ending", json_boolean(l->ended));
	json_object_set_new(o, "media", json_boolean(l->media));
	put(o, "duration_ms", e->duration / MS);
	put(o, "backlog_ms", l->backlog / MS);
	put(samples, "received", e->received);
	put(samples, "sent", e->sent);
	put(samples, "lost", e->lost);
	put(samples, "paused", e->paused);
	json_object_set_new(o, "samples", samples);
	if (!l->stream)
		json_object_set_new(o, "rtp", rtp_json(l));
	put_asr(o, l);
	return o;
}

static bool add_one(const struct leg_look *l, void *arg)
{
	return append(arg, leg_json(l));
}

void app_calls_one(const struct calls *cs, const struct command *c,
		   struct answer *a)
{
	struct list_of l = { .items = json_array() };
	struct call_look look;

	if (!call_look(cs, c->target, &look)) {
		json_decref(l.items);
		app_calls_unknown(c, a);
		return;
	}
	legs_look(look.call, add_one, &l);
	a->name = "call";
	a->body = call_json(&look);
	if (l.full)
		put(a->body, "legs_left_out",
		    look.legs - json_array_size(l.items));
	json_object_set_new(a->body, "legs", l.items);
}
