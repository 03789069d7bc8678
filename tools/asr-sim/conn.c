/** @file conn.c  One client of the simulator, from upgrade to report */
#include "tools/asr-sim/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tools/asr-sim/conn_impl.h"
#include "tools/asr-sim/query.h"

enum { DRAIN_MS = 30000 };

const struct sim *conn_sim(const struct conn *c)
{
	return c->sim;
}

void *conn_state(struct conn *c)
{
	return c->state;
}

bool conn_ended(const struct conn *c)
{
	return c->ended;
}

bool conn_live(const struct conn *c)
{
	return c->open && !c->closing && !c->over;
}

/* -- its life -------------------------------------------------------------------- */

struct conn *conn_of(struct list *item)
{
	return list_item(item, struct conn, link);
}

static void conn_free(struct conn *c)
{
	if (!c)
		return;
	list_remove(&c->link);
	websocket_close(c->ws);
	faults_close(c);
	timer_once_close(c->idle);
	timer_once_close(c->drain);
	timer_once_close(c->ready);
	if (c->dump)
		fclose(c->dump);
	if (c->raw)
		fclose(c->raw);
	if (c->state && c->sim->dialect->fini)
		c->sim->dialect->fini(c);
	filler_fini(&c->filler);
	buf_free(&c->pcm);
	json_decref(c->headers);
	json_decref(c->config);
	free(c->target);
	free(c->state);
	free(c);
}

void conn_enter(struct conn *c)
{
	c->depth++;
}

void conn_leave(struct conn *c)
{
	if (--c->depth > 0 || !c->over)
		return;
	if (c->dump)
		fflush(c->dump);
	if (c->raw)
		fflush(c->raw);
	account_report(c);
	conn_free(c);
}

void conn_over(struct conn *c, const char *by, unsigned code, const char *text)
{
	c->over = true;
	if (c->end.by) /* we began it */
		return;
	c->end.by = by;
	c->end.code = code;
	snprintf(c->end.text, sizeof(c->end.text), "%s", text);
}

void conn_close(struct conn *c, unsigned code)
{
	conn_close_with(c, code, NULL);
}

void conn_close_with(struct conn *c, unsigned code, const char *reason)
{
	if (!conn_live(c))
		return;
	if (c->waiting) { /* never ready: why may have been said */
		c->waiting = false;
		say_held(c);
	}
	c->closing = true;
	c->end.by = "simulator";
	c->end.code = code;
	websocket_finish_with(c->ws, code, reason);
}

void conn_shutdown(struct conn *c)
{
	conn_enter(c);
	conn_over(c, "simulator", 0, "the simulator was stopped");
	conn_leave(c);
}

static void on_drained(void *arg)
{
	struct conn *c = arg;

	conn_enter(c);
	conn_note(c, "close", "the client did not close within 30 s of its end");
	conn_close(c, 1000);
	conn_leave(c);
}

void conn_end_of_audio(struct conn *c)
{
	c->ended = true;
	if (c->idle)
		timer_once_stop(c->idle);
	faults_eof(c);
	if (!conn_live(c))
		return;
	audio_end(c);
	c->end_due = c->waiting;
	if (c->sim->dialect->ended && !c->waiting)
		c->sim->dialect->ended(c);
	if (!timer_once_open(&c->drain, c->sim->loop, on_drained, c))
		timer_once_start(c->drain, DRAIN_MS);
}

/* -- what comes ------------------------------------------------------------------- */

static void on_idle(void *arg)
{
	struct conn *c = arg;
	const struct dialect *d = c->sim->dialect;

	if (c->hold) /* it is we who do not read */
		return;
	conn_enter(c);
	conn_violation(c, "idle", "%u s without a message",
		       (unsigned)(d->idle_ms / 1000));
	conn_close_with(c, d->idle_code ? d->idle_code : 1000, d->idle_reason);
	conn_leave(c);
}

static void restart_idle(struct conn *c)
{
	const uint32_t ms = c->sim->dialect->idle_ms;

	if (ms == 0 || c->ended)
		return;
	if (c->idle || !timer_once_open(&c->idle, c->sim->loop, on_idle, c))
		timer_once_start(c->idle, ms);
}

static void on_open(void *arg)
{
	struct conn *c = arg;

	conn_enter(c);
	c->open = true;
	c->opened_ms = uv_now(c->sim->loop);
	restart_idle(c);
	say_open(c);
	if (c->sim->dialect->open)
		c->sim->dialect->open(c);
	faults_open(c);
	conn_leave(c);
}

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	const struct dialect *d;
	struct conn *c = arg;

	conn_enter(c);
	d = c->sim->dialect;
	c->messages++;
	if (!text || c->chunks || !d->idle_audio)
		restart_idle(c);
	if (!conn_live(c))
		;
	else if (c->ended)
		conn_violation(c, "after eof", "a %s message after the end",
			       text ? "text" : "binary");
	else if (text)
		d->text(c, (const char *)data, len);
	else if (!d->binary || !d->binary(c, data, len))
		audio_message(c, data, len);
	faults_read(c, len);
	conn_leave(c);
}

static void on_dropped(size_t len, void *arg)
{
	struct conn *c = arg;

	conn_violation(c, "size", "a message of %zu bytes", len);
}

static void on_closed(const struct reason *why, void *arg)
{
	struct conn *c = arg;
	const bool frame = why->code >= 1000 && why->code != 1006;

	conn_enter(c);
	if (!c->ended && frame && !c->end.by)
		conn_note(c, "eof", "the client closed without an end of audio");
	conn_over(c, frame || why->class == REASON_NONE ? "client" : "network",
		  why->code, why->text);
	conn_leave(c);
}

static const struct websocket_cb callbacks = {
	.open = on_open, .message = on_message, .dropped = on_dropped,
	.closed = on_closed,
};

/* -- the upgrade --------------------------------------------------------------------- */

static int conn_new(struct conn **out, struct sim *s,
		    const struct websocket_request *r)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	list_init(&c->link);
	list_add(&s->conns, &c->link);
	c->sim = s;
	c->plan = script_plan(&s->script, s->n_conns);
	c->id = ++s->n_conns;
	c->crc = (uint32_t)crc32(0, NULL, 0);
	c->key = "missing";
	c->headers = json_array();
	c->target = query_redacted(r->target);
	c->state = calloc(1, s->dialect->state_size + 1);
	addr_print(c->peer, &r->peer);
	if (!c->headers || !c->target || !c->state) {
		conn_free(c);
		return -ENOMEM;
	}
	for (const char *const *h = s->dialect->headers; h && *h; h++)
		if (r->header(r, *h))
			json_array_append_new(c->headers, json_string(*h));
	*out = c;
	return 0;
}

static void open_dump(struct conn *c)
{
	struct buf path = {0};

	if (!c->sim->dump)
		return;
	buf_printf(&path, "%s/%" PRIu64 ".pcm", c->sim->dump, c->id);
	c->dump = fopen(buf_str(&path), "wb");
	if (!c->dump)
		conn_note(c, "dump", "the file cannot be written");
	buf_free(&path);
}

static void refuse(struct conn *c, unsigned status)
{
	char text[32];

	snprintf(text, sizeof(text), "HTTP %u", status);
	conn_enter(c);
	conn_over(c, "simulator", status, text);
	conn_leave(c);
}

static void answer_lines(char *out, size_t size, const struct conn *c,
			 unsigned status, const struct fault *http)
{
	const struct dialect *d = c->sim->dialect;
	struct buf lines = {0};

	if (http && http->extra)
		buf_printf(&lines, "Retry-After: %" PRIu64 "\r\n",
			   http->extra);
	if (d->refusal && status != 101)
		buf_printf(&lines, "%s: %s\r\n", d->refusal,
			   http ? "A refusal on purpose." : "Refused.");
	if (d->id_header) {
		json_t *id = conn_uuid(c, 1);

		buf_printf(&lines, "%s: %s\r\n", d->id_header,
			   json_string_value(id));
		json_decref(id);
	}
	snprintf(out, size, "%s", buf_str(&lines));
	buf_free(&lines);
}

void conn_request(struct sim *s, struct websocket *ws,
		  const struct websocket_request *r,
		  struct websocket_answer *answer)
{
	static char lines[512]; /* read before the next request comes */
	struct conn *c;

	if (conn_new(&c, s, r)) {
		answer->status = 503;
		return;
	}
	const struct fault *http = plan_fault(c->plan, FAULT_HTTP);
	const struct fault *delay = plan_fault(c->plan, FAULT_DELAY);

	answer->status = s->dialect->request(c, r, &answer->body);
	answer->wrong_accept = plan_fault(c->plan, FAULT_WRONG_ACCEPT) != NULL;
	answer->delay_ms = delay ? (uint32_t)delay->value : 0;
	if (http) {
		answer->status = (unsigned)http->value;
		answer->body = "{\"error\":\"a refusal on purpose\"}";
	}
	answer_lines(lines, sizeof(lines), c, answer->status, http);
	answer->headers = *lines ? lines : NULL;
	if (answer->status != 101) {
		refuse(c, answer->status);
		return;
	}
	c->ws = ws;
	answer->cb = &callbacks;
	answer->arg = c;
	open_dump(c);
}
