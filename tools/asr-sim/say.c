/** @file say.c  What is said to the client, and when it may be */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/asr-sim/conn_impl.h"

enum { QUEUE_MAX = 8 << 20 };

static void say(struct conn *c, const char *text)
{
	if (!conn_live(c) || c->mute)
		return;
	if (c->hold & HOLD_STALL || c->waiting)
		buf_add(&c->held, text, strlen(text) + 1);
	else if (websocket_queued(c->ws) > QUEUE_MAX)
		conn_note(c, "reading", "the client does not read: its results "
			  "were dropped");
	else
		websocket_send(c->ws, true, text, strlen(text));
}

void conn_send(struct conn *c, json_t *msg)
{
	char *text = msg ? json_dumps(msg, JSON_COMPACT | JSON_REAL_PRECISION(15))
			 : NULL;

	if (text)
		say(c, text);
	free(text);
	json_decref(msg);
}

void say_held(struct conn *c)
{
	struct buf kept = c->held;

	c->held = (struct buf){0};
	for (size_t at = 0; at < kept.len;) {
		const char *text = (const char *)kept.data + at;

		say(c, text);
		at += strlen(text) + 1;
	}
	buf_free(&kept);
}

json_t *conn_uuid(const struct conn *c, unsigned what)
{
	return json_sprintf("00000000-0000-4000-8%03x-%012" PRIx64,
			    what & 0xfffu, c->id & 0xffffffffffffu);
}

/* -- ready -------------------------------------------------------------------- */

bool conn_ready(const struct conn *c)
{
	return !c->waiting;
}

static void on_ready(void *arg)
{
	struct conn *c = arg;
	struct buf kept = c->held;

	conn_enter(c);
	c->waiting = false;
	c->held = (struct buf){0};
	if (conn_live(c))
		c->sim->dialect->ready(c);
	buf_add(&c->held, kept.data, kept.len);
	buf_free(&kept);
	if (!(c->hold & HOLD_STALL))
		say_held(c);
	if (c->end_due && conn_live(c) && c->sim->dialect->ended)
		c->sim->dialect->ended(c);
	conn_leave(c);
}

void say_open(struct conn *c)
{
	const struct dialect *d = c->sim->dialect;
	const struct fault *delay = plan_fault(c->plan, FAULT_READY_DELAY);

	if (!d->ready)
		return;
	c->waiting = true;
	if (!timer_once_open(&c->ready, c->sim->loop, on_ready, c))
		timer_once_start(c->ready, delay ? delay->value : d->ready_ms);
}
