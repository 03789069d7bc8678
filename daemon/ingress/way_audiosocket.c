/**
 * @file way_audiosocket.c  Asterisk's AudioSocket
 *
 * TCP; Asterisk connects, one connection is one leg (reference: telephony
 * section 1.2.2).  The UUID is the first message; it is the call, unless
 * call.register told whose it is.  Asterisk gives a channel up when nothing is
 * active for 2 s, and when it cannot write: 20 ms of silence go back from the
 * first moment on, and whatever comes is read at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/network.h"
#include "daemon/base/uuid.h"
#include "daemon/cfg/listen.h"
#include "daemon/ingress/audiosocket_names.h"
#include "daemon/ingress/stream_leg.h"
#include "daemon/ingress/used_ids.h"
#include "daemon/ingress/way.h"
#include "daemon/media/audiosocket.h"
#include "daemon/net/listener.h"
#include "daemon/net/stream.h"

enum {
	LISTENERS_MAX = 8,
	MS_US = 1000,
	TICK_US = 20 * MS_US,
	FRAME = AUDIOSOCKET_HEAD + 320, /* 20 ms */
	QUEUE_MAX = 8 * FRAME,          /* to one that does not read */
	UUID_US = 5000 * MS_US,         /* from connecting to the UUID */
	FIRST_US = 60 * 1000 * MS_US,   /* ... to the first audio */
};
static const uint64_t silent_us = 3600ull * 1000 * MS_US;

struct way_audiosocket {
	struct way_config cfg;
	char *const *permit;
	struct listener *listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct list conns;
	unsigned n_conns, max_conns;
	struct list calls;
	struct audiosocket_names names;
	struct used_ids used;
	struct timer tick;
	struct conn *current;    /* whose bytes are looked at */
	bool draining;
	uint64_t accepted, refused;
	struct log_limit stranger, full, bad, rate, failed;
};

struct socket_call {
	struct list in_way;
	struct call *call;
	char id[EVENT_ID];
	unsigned n_legs;
};

struct conn {
	struct list in_way;
	struct way_audiosocket *way;
	struct stream *stream;
	bool up;
	uint64_t since_us;
	const char *reason;      /* why it will have ended */
	struct socket_call *call; /* NULL: no UUID yet */
	struct stream_leg *leg;
	struct audiosocket in;
};

static struct conn *conn_of(struct list *in_way)
{
	return list_item(in_way, struct conn, in_way);
}

static uint64_t now_us(const struct way_audiosocket *w)
{
	return timers_now_us(w->cfg.timers);
}

/* -- the end -------------------------------------------------------------- */

static void leave_call(struct conn *c, const char *reason)
{
	struct socket_call *sc = c->call;

	stream_leg_close(c->leg, reason);
	c->leg = NULL;
	c->call = NULL;
	if (!sc || --sc->n_legs)
		return;
	call_end(sc->call, reason);
	list_remove(&sc->in_way);
	free(sc);
}

/* With a hangup message Asterisk goes on in its dial plan; a connection that
 * just ends may end the channel. */
static void over(struct conn *c, const char *reason, bool goodbye)
{
	static const uint8_t hangup[AUDIOSOCKET_HEAD];
	struct way_audiosocket *w = c->way;

	if (w->current == c)
		w->current = NULL;
	if (goodbye && !stream_write(c->stream, hangup, sizeof(hangup)))
		stream_end(c->stream);
	else
		stream_close(c->stream);
	leave_call(c, reason);
	list_remove(&c->in_way);
	w->n_conns--;
	free(c);
}

static void on_closed(const struct reason *why, void *arg)
{
	struct conn *c = arg;
	struct way_audiosocket *w = c->way;

	(void)why; /* a hangup and a crash look the same */
	w->current = c;
	clock_live_run(w->cfg.clock);
	if (w->current)
		over(c, c->reason, false);
}

/* -- whose it is ------------------------------------------------------------ */

static struct socket_call *call_find(struct way_audiosocket *w, const char *id)
{
	list_each(&w->calls, x) {
		struct socket_call *sc = list_item(x, struct socket_call,
						   in_way);

		if (!strcmp(sc->id, id))
			return sc;
	}
	return NULL;
}

static struct socket_call *call_new(struct way_audiosocket *w,
				    const struct command *told,
				    const char *uuid)
{
	struct event_id ids[COMMAND_IDS + 1] = { { "uuid", uuid } };
	struct call_info i = {
		.source = "audiosocket", .from = told->from, .to = told->to,
		.sip_call_id = told->sip_call_id, .ids = ids, .n_ids = 1,
	};
	struct socket_call *sc = calloc(1, sizeof(*sc));
	char id[EVENT_ID];

	if (!sc)
		return NULL;
	for (size_t k = 0; k < told->n_ids; k++)
		if (strcmp(told->ids[k].name, "uuid") != 0)
			ids[i.n_ids++] = told->ids[k];
	if (told->call) /* as it was given, while nobody else has it */
		snprintf(sc->id, sizeof(sc->id), "%s", told->call);
	if (!told->call || calls_know(w->cfg.calls, sc->id))
		used_ids_take(&w->used, sc->id, uuid, w->cfg.calls);
	snprintf(id, sizeof(id), "%s", sc->id);
	i.id = id;
	list_init(&sc->in_way);
	if (call_open(&sc->call, w->cfg.calls, &i)) {
		free(sc);
		return NULL;
	}
	list_add(&w->calls, &sc->in_way);
	return sc;
}

static int join(struct conn *c, const struct command *told, const char *uuid)
{
	struct way_audiosocket *w = c->way;
	struct stream_leg_config lc = {
		.timers = w->cfg.timers, .role = told->role,
		.role_source = told->role ? "control" : NULL,
		.label = told->label ? told->label : uuid,
		.language = told->language,
	};
	struct socket_call *sc = told->call ? call_find(w, told->call) : NULL;

	if (!sc)
		sc = call_new(w, told, uuid);
	if (!sc)
		return -ENOMEM;
	lc.call = sc->call;
	c->call = sc;
	sc->n_legs++;
	return stream_leg_open(&c->leg, &lc);
}

/* @return false: the connection is gone */
static bool begin(struct conn *c, const uint8_t uuid[16])
{
	struct way_audiosocket *w = c->way;
	struct command told = {0};
	char text[UUID_TEXT];
	uint64_t kept_back;

	if (c->call)
		return true; /* it has said so already */
	(void)audiosocket_names_take(&w->names, &told, uuid);
	const int err = join(c, &told, uuid_print(text, uuid));
	command_free(&told);
	if (!err)
		return true;
	if (log_limited(&w->failed, now_us(w), &kept_back))
		log_error("audiosocket", "no leg: %s (%llu more since the last "
			  "such line)", strerror(-err),
			  (unsigned long long)kept_back);
	over(c, "error", true);
	return false;
}

/* -- messages --------------------------------------------------------------- */

static bool refuse(struct conn *c, const char *what)
{
	struct way_audiosocket *w = c->way;
	uint64_t kept_back;

	if (log_limited(&w->bad, now_us(w), &kept_back))
		log_warn("audiosocket", "a connection ends: %s (%llu more "
			 "since the last such line)", what,
			 (unsigned long long)kept_back);
	over(c, "bad_message", false);
	return false;
}

static bool refuse_rate(struct conn *c, unsigned rate)
{
	struct way_audiosocket *w = c->way;
	uint64_t kept_back;

	if (log_limited(&w->rate, now_us(w), &kept_back))
		log_warn("audiosocket", "a connection ends: it sends %u "
			 "samples a second; have Asterisk send slin, 8000 "
			 "(%llu more since the last such line)", rate,
			 (unsigned long long)kept_back);
	stream_leg_unusable(c->leg, "codec");
	over(c, "codec", true);
	return false;
}

static bool take_audio(struct conn *c, const struct audiosocket_message *m,
		       uint64_t at_us)
{
	if (!c->leg)
		return refuse(c, "it sends audio before its UUID");
	if (m->kind != AUDIOSOCKET_SLIN)
		return refuse_rate(c, audiosocket_rate(m->kind));
	stream_leg_samples(c->leg, m->data, m->len / 2, 2, at_us);
	return true;
}

/* @return false: the connection is gone */
static bool take(struct conn *c, const struct audiosocket_message *m,
		 uint64_t at_us)
{
	switch (m->kind) {
	case AUDIOSOCKET_UUID:
		return begin(c, m->data);
	case AUDIOSOCKET_HANGUP:
		over(c, "hangup", false);
		return false;
	case AUDIOSOCKET_DTMF:
		if (c->leg)
			stream_leg_digit(c->leg, (char)m->data[0]);
		return true;
	case AUDIOSOCKET_ERROR: /* the end that follows has this reason */
		c->reason = "error";
		return true;
	default: /* kinds of later versions are passed over */
		return audiosocket_rate(m->kind) ? take_audio(c, m, at_us)
						 : true;
	}
}

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct conn *c = arg;
	struct way_audiosocket *w = c->way;
	struct rd in = rd_of(data, len);
	struct audiosocket_message m;
	int got;

	w->current = c; /* what comes due just now may end it */
	const uint64_t at_us = clock_live_run(w->cfg.clock);
	if (!w->current)
		return;
	while ((got = audiosocket_next(&c->in, &in, &m)) == 1)
		if (!take(c, &m, at_us))
			return;
	if (got)
		refuse(c, "it is not AudioSocket");
	else
		w->current = NULL;
}

/* -- silence --------------------------------------------------------------- */

static void say_nothing(struct conn *c)
{
	static const uint8_t frame[FRAME] = { AUDIOSOCKET_SLIN, 320 >> 8,
					      320 & 255 };

	/* an error comes by on_closed(), later */
	if (c->up && stream_queued(c->stream) < QUEUE_MAX)
		(void)stream_write(c->stream, frame, sizeof(frame));
}

static const char *timed_out(const struct conn *c, uint64_t at_us)
{
	if (!c->leg)
		return at_us - c->since_us >= UUID_US ? "timeout" : NULL;
	const uint64_t limit = stream_leg_has_spoken(c->leg) ? silent_us
							     : FIRST_US;

	return at_us - stream_leg_heard_us(c->leg) >= limit ? "timeout" : NULL;
}

static void on_tick(struct timer *t, uint64_t at_us)
{
	struct way_audiosocket *w = list_item(t, struct way_audiosocket, tick);

	list_each(&w->conns, x) {
		struct conn *c = conn_of(x);

		if (timed_out(c, at_us))
			over(c, "timeout", true);
		else
			say_nothing(c);
	}
	if (!list_empty(&w->conns))
		timers_arm(w->cfg.timers, t, at_us + TICK_US);
}

static void on_open(void *arg)
{
	struct conn *c = arg;

	c->up = true;
	if (c->way->draining)
		over(c, "drain", true);
	else
		say_nothing(c);
}

/* -- connections ------------------------------------------------------------ */

static bool is_welcome(struct way_audiosocket *w, const struct addr *peer)
{
	struct addr host = *peer;
	char text[ADDR_TEXT];
	uint64_t kept_back;

	host.port = 0;
	if (!network_any_has(w->permit, peer)) {
		if (log_limited(&w->stranger, now_us(w), &kept_back))
			log_warn("audiosocket", "%s is not in permit: closed "
				 "(%llu more since the last such line)",
				 addr_print(text, &host),
				 (unsigned long long)kept_back);
		return false;
	}
	if (w->n_conns < w->max_conns)
		return true;
	if (log_limited(&w->full, now_us(w), &kept_back))
		log_warn("audiosocket", "%u connections, max-connections: "
			 "closed (%llu more since the last such line)",
			 w->n_conns, (unsigned long long)kept_back);
	return false;
}

static void on_connection(uv_stream_t *from, void *arg)
{
	static const struct stream_cb cb = {
		.open = on_open, .data = on_data, .closed = on_closed,
	};
	struct way_audiosocket *w = arg;
	struct conn *c = calloc(1, sizeof(*c));
	struct stream *s;

	if (stream_accept(&s, from, NULL, &cb, c)) {
		free(c);
		return;
	}
	clock_live_run(w->cfg.clock);
	const struct addr peer = stream_peer(s);
	if (!c || !is_welcome(w, &peer)) {
		w->refused++;
		stream_close(s);
		free(c);
		return;
	}
	w->accepted++;
	c->way = w;
	c->stream = s;
	c->reason = "hangup";
	c->since_us = now_us(w);
	list_init(&c->in_way);
	if (list_empty(&w->conns))
		timers_arm(w->cfg.timers, &w->tick, c->since_us + TICK_US);
	list_add(&w->conns, &c->in_way);
	w->n_conns++;
}

/* -- commands --------------------------------------------------------------- */

static bool hang_up(struct way_audiosocket *w, const char *id)
{
	const struct socket_call *call = call_find(w, id);

	list_each(&w->conns, x)
		if (call && conn_of(x)->call == call)
			over(conn_of(x), "ctl", true);
	return call != NULL;
}

static bool command(void *way, const struct command *c, struct answer *a)
{
	struct way_audiosocket *w = way;
	uint8_t uuid[16];

	if (c->kind == COMMAND_HANGUP)
		return hang_up(w, c->call);
	if (c->kind != COMMAND_CALL_REGISTER)
		return false;
	if (c->has_uuid)
		memcpy(uuid, c->uuid, sizeof(uuid));
	else if (uuid_parse(uuid, c->call))
		return false;
	const int err = audiosocket_names_add(&w->names, uuid, c);
	if (err == -ENOSPC)
		answer_error(a, "%d AudioSockets are announced already; "
			     "announce one when it is about to connect",
			     AUDIOSOCKET_NAMES_MAX);
	else if (err)
		answer_error(a, "no memory");
	return true;
}

/* -- the way ---------------------------------------------------------------- */

static bool wanted(const struct config *c)
{
	return c->audiosocket.given;
}

static void close_all(struct way_audiosocket *w)
{
	for (size_t i = 0; i < w->n_listeners; i++)
		listener_close(w->listeners[i]);
	list_each(&w->conns, x)
		over(conn_of(x), "end", true);
	timers_disarm(w->cfg.timers, &w->tick);
	audiosocket_names_clear(&w->names);
	free(w);
}

static int listen_at(struct way_audiosocket *w, const char *text,
		     struct reason *why)
{
	struct listen_at at;
	int err = listen_parse(&at, text, "tcp");

	if (!err && w->n_listeners == LISTENERS_MAX)
		err = -E2BIG;
	if (!err)
		err = listener_open(&w->listeners[w->n_listeners],
				    w->cfg.loop, &at.at, on_connection, w);
	if (err)
		snprintf(why->text, sizeof(why->text), "%s: %s; change listen, "
			 "or end what has it", text, strerror(-err));
	else
		w->n_listeners++;
	return err;
}

static int open_audiosocket(void **out, const struct way_config *cfg,
			    struct reason *why)
{
	static char here[] = "tcp:127.0.0.1:9092", four[] = "127.0.0.0/8",
		    six[] = "::1";
	static char *const local[] = { here, NULL }, *const nearby[] = {
		four, six, NULL };
	const struct config *c = cfg->config;
	char *const *at = c->audiosocket.listen ? c->audiosocket.listen : local;
	struct way_audiosocket *w = calloc(1, sizeof(*w));
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->permit = c->audiosocket.permit ? c->audiosocket.permit : nearby;
	w->max_conns = c->audiosocket.max_connections;
	w->tick.due = on_tick;
	list_init(&w->conns);
	list_init(&w->calls);
	audiosocket_names_init(&w->names, cfg->timers);
	for (size_t i = 0; at[i] && !err; i++)
		err = listen_at(w, at[i], why);
	if (err) {
		close_all(w);
		return err;
	}
	*out = w;
	return 0;
}

static void drain(void *way)
{
	((struct way_audiosocket *)way)->draining = true;
}

static void resume(void *way)
{
	((struct way_audiosocket *)way)->draining = false;
}

static void end(void *way, const char *reason)
{
	struct way_audiosocket *w = way;

	list_each(&w->conns, x)
		over(conn_of(x), reason, true);
}

static void close_audiosocket(void *way)
{
	struct way_audiosocket *w = way;

	if (!w)
		return;
	log_info("audiosocket", "%llu connections, %llu refused",
		 (unsigned long long)w->accepted,
		 (unsigned long long)w->refused);
	close_all(w);
}

const struct way way_audiosocket = {
	.name = "audiosocket", .wanted = wanted, .open = open_audiosocket,
	.drain = drain, .resume = resume, .command = command, .end = end,
	.close = close_audiosocket,
};
