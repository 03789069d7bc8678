/** @file open_calls.c  Which calls and legs have begun and not ended */
#include "daemon/pub/open_calls.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/hash.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/pub/writer.h"

enum { SAMPLES_PER_MS = 8 };

struct open_leg {
	struct list in;
	char id[EVENT_ID];
	enum role role;
	bool asr;             /* Words are expected of it */
	uint64_t media_us;    /* Of sample 0; UNKNOWN: none came */
	uint64_t known;       /* Last position named [samples], as all below */
	uint64_t settled;     /* A final or a gap tells what was before it */
	uint64_t lost, absent, paused;
	uint64_t paused_at;   /* UNKNOWN: it is not */
};

struct open_call {
	struct list in;
	struct list legs;
	uint64_t hash;
	char id[EVENT_ID];
	uint64_t seen;        /* Events up to this one are in it */
	uint64_t started_us;
	unsigned n_legs;      /* Begun, the ended ones too */
};

struct open_calls {
	struct map map;
	struct list calls;    /* As they began */
};

int open_calls_new(struct open_calls **out)
{
	struct open_calls *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	list_init(&o->calls);
	*out = o;
	return 0;
}

static void drop_leg(struct open_leg *l)
{
	list_remove(&l->in);
	free(l);
}

static void drop_call(struct open_calls *o, struct open_call *c)
{
	list_each(&c->legs, item)
		drop_leg(list_item(item, struct open_leg, in));
	map_remove(&o->map, c->hash, c);
	list_remove(&c->in);
	free(c);
}

void open_calls_free(struct open_calls *o)
{
	if (!o)
		return;
	list_each(&o->calls, item)
		drop_call(o, list_item(item, struct open_call, in));
	map_free(&o->map);
	free(o);
}

size_t open_calls_count(const struct open_calls *o)
{
	return o->map.count;
}

static bool same(const void *value, const void *key)
{
	return !strcmp(((const struct open_call *)value)->id, key);
}

/* Find or make. */
static struct open_call *call_of(struct open_calls *o, const char *id,
				 uint64_t now_us)
{
	const uint64_t hash = hash_bytes(id, strlen(id));
	struct open_call *c = map_find(&o->map, hash, same, id);

	if (c)
		return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	*c = (struct open_call){ .hash = hash, .started_us = now_us };
	snprintf(c->id, sizeof(c->id), "%s", id);
	list_init(&c->legs);
	if (map_put(&o->map, hash, c)) {
		free(c);
		return NULL;
	}
	list_add(&o->calls, &c->in);
	return c;
}

static struct open_leg *leg_of(struct open_call *c, const char *id, bool *made)
{
	list_each(&c->legs, item) {
		struct open_leg *l = list_item(item, struct open_leg, in);

		if (!strcmp(l->id, id))
			return l;
	}
	struct open_leg *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	*l = (struct open_leg){ .media_us = EVENT_UNKNOWN,
				.paused_at = EVENT_UNKNOWN };
	snprintf(l->id, sizeof(l->id), "%s", id);
	list_add(&c->legs, &l->in);
	*made = true;
	return l;
}

/* -- events ---------------------------------------------------------------- */

static void reached(struct open_leg *l, uint64_t at)
{
	if (at != EVENT_UNKNOWN)
		l->known = MAX(l->known, at);
}

static void settled(struct open_leg *l, uint64_t at)
{
	reached(l, at);
	if (at != EVENT_UNKNOWN)
		l->settled = MAX(l->settled, at);
}

static void on_gap(struct open_leg *l, const struct event *e)
{
	const uint64_t n = e->gap.end - MIN(e->gap.start, e->gap.end);
	uint64_t absent = n;

	if (!strcmp(e->gap.cause, "rtp_loss")) {
		if (e->gap.n_spans)
			absent = 0;
		for (size_t i = 0; i < e->gap.n_spans; i++)
			absent += e->gap.spans[i].end - e->gap.spans[i].start;
		l->absent += absent;
		reached(l, e->gap.end);
		return;
	}
	if (strcmp(e->gap.cause, "paused") != 0)
		l->lost += n;
	settled(l, e->gap.end);
}

static void on_pause(struct open_leg *l, const struct event *e)
{
	const uint64_t at = e->pause.at;

	reached(l, at);
	if (at == EVENT_UNKNOWN)
		return;
	if (e->type == EVENT_PAUSE) {
		l->paused_at = at;
		return;
	}
	if (l->paused_at != EVENT_UNKNOWN && at > l->paused_at) {
		l->paused += at - l->paused_at;
		settled(l, at);
	}
	l->paused_at = EVENT_UNKNOWN;
}

static void on_leg(struct open_leg *l, const struct event *e)
{
	l->role = e->role;
	switch (e->type) {
	case EVENT_LEG_START:
	case EVENT_LEG_UPDATE:
		if (e->leg_start.asr)
			l->asr = strcmp(e->leg_start.asr, "none") != 0;
		break;
	case EVENT_LEG_MEDIA:
		l->media_us = e->leg_media.at_us;
		break;
	case EVENT_SEGMENT:
		if (e->segment.state == SEGMENT_FINAL)
			settled(l, e->segment.end);
		break;
	case EVENT_GAP:
		on_gap(l, e);
		break;
	case EVENT_DISCONTINUITY:
		reached(l, e->discontinuity.at);
		break;
	case EVENT_DTMF:
		reached(l, e->dtmf.at);
		break;
	case EVENT_PAUSE:
	case EVENT_RESUME:
		on_pause(l, e);
		break;
	default:
		break;
	}
}

void open_calls_event(struct open_calls *o, const struct event *e, uint64_t seq)
{
	bool made = false;

	if (!e->call)
		return;
	struct open_call *c = call_of(o, e->call, e->now_us);
	if (!c || seq <= c->seen)
		return;
	c->seen = seq;
	if (e->type == EVENT_CALL_END) {
		drop_call(o, c);
		return;
	}
	struct open_leg *l = e->leg ? leg_of(c, e->leg, &made) : NULL;
	if (!l)
		return;
	c->n_legs += made;
	if (e->type == EVENT_LEG_END)
		drop_leg(l);
	else
		on_leg(l, e);
}

/* -- state lines ----------------------------------------------------------- */

static void print_call(struct buf *out, const struct open_call *c)
{
	struct writer w = { .out = out };

	writer_open(&w, NULL, '{');
	writer_str(&w, "call", c->id, EVENT_ID);
	writer_uint(&w, "seen", c->seen);
	writer_uint(&w, "started_us", c->started_us);
	writer_uint(&w, "legs", c->n_legs);
	writer_close(&w, '}');
}

static void print_leg(struct buf *out, const struct open_call *c,
		      const struct open_leg *l)
{
	struct writer w = { .out = out };

	writer_open(&w, NULL, '{');
	writer_str(&w, "call", c->id, EVENT_ID);
	writer_str(&w, "leg", l->id, EVENT_ID);
	writer_uint(&w, "role", l->role);
	writer_true(&w, "asr", l->asr);
	writer_uint(&w, "media_us", l->media_us);
	writer_uint(&w, "known", l->known);
	writer_uint(&w, "settled", l->settled);
	writer_uint(&w, "lost", l->lost);
	writer_uint(&w, "absent", l->absent);
	writer_uint(&w, "paused", l->paused);
	writer_uint(&w, "paused_at", l->paused_at);
	writer_close(&w, '}');
}

bool open_calls_print(const struct open_calls *o,
		      bool (*put)(const char *key, const char *line, size_t len,
				  void *arg),
		      void *arg)
{
	struct buf line = {0};
	bool more = true;

	list_each(&o->calls, item) {
		const struct open_call *c =
			list_item(item, struct open_call, in);
		if (!more)
			break;
		buf_clear(&line);
		print_call(&line, c);
		more = !line.err && put(c->id, buf_str(&line), line.len, arg);
		list_each(&c->legs, one) {
			if (!more)
				break;
			buf_clear(&line);
			print_leg(&line, c, list_item(one, struct open_leg, in));
			more = !line.err &&
			       put(c->id, buf_str(&line), line.len, arg);
		}
	}
	buf_free(&line);
	return more;
}

static uint64_t number(const json_t *o, const char *key, uint64_t otherwise)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) && json_integer_value(v) >= 0
	       ? (uint64_t)json_integer_value(v) : otherwise;
}

static const char *id(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text && *text && strlen(text) < EVENT_ID ? text : NULL;
}

static int restore(struct open_calls *o, const json_t *s)
{
	const char *call = id(s, "call"), *leg = id(s, "leg");
	bool made;

	if (!call)
		return -EBADMSG;
	struct open_call *c = call_of(o, call, 0);
	if (!c)
		return -ENOMEM;
	if (!leg) {
		c->seen = number(s, "seen", 0);
		c->started_us = number(s, "started_us", 0);
		c->n_legs = (unsigned)number(s, "legs", 0);
		return 0;
	}
	struct open_leg *l = leg_of(c, leg, &made);
	if (!l)
		return -ENOMEM;
	l->role = (enum role)MIN(number(s, "role", 0), ROLE_MIXED);
	l->asr = json_is_true(json_object_get(s, "asr"));
	l->media_us = number(s, "media_us", EVENT_UNKNOWN);
	l->known = number(s, "known", 0);
	l->settled = number(s, "settled", 0);
	l->lost = number(s, "lost", 0);
	l->absent = number(s, "absent", 0);
	l->paused = number(s, "paused", 0);
	l->paused_at = number(s, "paused_at", EVENT_UNKNOWN);
	return 0;
}

int open_calls_restore(struct open_calls *o, const char *line, size_t len)
{
	json_t *s = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const int err = json_is_object(s) ? restore(o, s) : -EBADMSG;

	json_decref(s);
	return err;
}

/* -- the end --------------------------------------------------------------- */

static uint64_t samples_between(uint64_t from_us, uint64_t to_us)
{
	return from_us == EVENT_UNKNOWN || to_us <= from_us
	       ? 0 : (to_us - from_us) / 1000 * SAMPLES_PER_MS;
}

static void end_leg(const struct open_call *c, struct open_leg *l,
		    uint64_t last_us, uint64_t now_us,
		    const struct event_sink *sink)
{
	const uint64_t length = MAX(l->known,
				    samples_between(l->media_us, last_us));
	const uint64_t live = MIN(length, l->paused_at); /* UNKNOWN is most */
	struct event e = { .type = EVENT_GAP, .now_us = now_us, .call = c->id,
			   .leg = l->id, .role = l->role };

	if (l->asr && live > l->settled) {
		e.gap.start = l->settled;
		e.gap.end = live;
		e.gap.cause = "restart";
		sink->emit(&e, sink->arg);
		l->lost += live - l->settled;
	}
	const uint64_t received = length - MIN(length, l->absent);
	const uint64_t paused = MIN(received, l->paused + length - live);
	const uint64_t lost = MIN(received - paused, l->lost);
	e.type = EVENT_LEG_END;
	e.leg_end = (struct event_leg_end){
		.reason = "restart", .duration = length,
		.offset_us = l->media_us == EVENT_UNKNOWN ? EVENT_UNKNOWN
			: l->media_us - MIN(l->media_us, c->started_us),
		.received = received, .sent = received - lost - paused,
		.lost = lost, .paused = paused,
		.replayed = EVENT_UNKNOWN, .concealed = EVENT_UNKNOWN,
		.jitter_ms = -1, .mos = -1,
		.stream = true /* its packets were not counted here */ };
	sink->emit(&e, sink->arg);
}

void open_calls_close(struct open_calls *o, uint64_t last_us, uint64_t now_us,
		      const struct event_sink *sink)
{
	struct list ending;

	/* the sink may tell us of what it is told: they are out already */
	list_init(&ending);
	list_each(&o->calls, item) {
		struct open_call *c = list_item(item, struct open_call, in);

		map_remove(&o->map, c->hash, c);
		list_remove(item);
		list_add(&ending, item);
	}
	list_each(&ending, item) {
		struct open_call *c = list_item(item, struct open_call, in);
		const struct event e = {
			.type = EVENT_CALL_END, .now_us = now_us,
			.call = c->id, .call_end = {
				.reason = "restart", .legs = c->n_legs,
				.duration_us = last_us -
					MIN(last_us, c->started_us) } };

		list_each(&c->legs, one)
			end_leg(c, list_item(one, struct open_leg, in), last_us,
				now_us, sink);
		sink->emit(&e, sink->arg);
		drop_call(o, c);
	}
}
