/** @file conn.c  One client of the simulator, from upgrade to report */
#include "tools/asr-sim/conn.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tools/asr-sim/conn_impl.h"

enum { DRAIN_MS = 30000, QUEUE_MAX = 8 << 20 };

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

/* -- the account --------------------------------------------------------------- */

void conn_violation(struct conn *c, const char *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_add(&c->findings, true, kind, c->seg.position, fmt, ap);
	va_end(ap);
}

void conn_note(struct conn *c, const char *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_add(&c->findings, false, kind, c->seg.position, fmt, ap);
	va_end(ap);
}

enum key_verdict conn_key(struct conn *c, const char *key)
{
	const char *expected = c->sim->expect_key;
	const enum key_verdict v = !key || !*key ? KEY_MISSING
		: !expected ? KEY_PRESENT
		: strcmp(key, expected) ? KEY_WRONG : KEY_RIGHT;
	static const char *const words[] = {
		[KEY_MISSING] = "missing", [KEY_PRESENT] = "present",
		[KEY_RIGHT] = "right", [KEY_WRONG] = "wrong",
	};

	c->key = words[v];
	if (v == KEY_WRONG)
		conn_violation(c, "key", "the key is not the one expected");
	return v;
}

void conn_config(struct conn *c, json_t *config)
{
	json_decref(c->config);
	c->config = config;
}

void conn_unique(struct conn *c, const char *what, const char *id)
{
	if (sim_id_seen(c->sim, id))
		conn_violation(c, what, "%s was used before", what);
}

static const char *encoding(const struct conn *c)
{
	return c->audio_known ? asr_encoding_name(c->encoding) : "unknown";
}

static json_t *account(const struct conn *c)
{
	json_t *line = json_pack("{s:I, s:s, s:s, s:s, s:s, s:O, s:s}",
		"connection", (json_int_t)c->id, "dialect",
		c->sim->dialect->name, "flavour", c->sim->flavour, "target",
		c->target, "peer", c->peer, "headers", c->headers, "key",
		c->key);
	json_t *more = json_pack("{s:O*, s:s, s:i, s:I, s:I, s:I, s:I}",
		"config", c->config, "encoding", encoding(c), "rate_hz",
		(int)c->seg.rate_hz, "messages", (json_int_t)c->messages,
		"chunks", (json_int_t)c->chunks, "bytes", (json_int_t)c->bytes,
		"samples", (json_int_t)c->seg.position);
	json_t *rest = json_pack("{s:o, s:I, s:I, s:b, s:o, s:o, s:s*}",
		"crc32", json_sprintf("%08" PRIx32, c->crc), "partials",
		(json_int_t)c->partials, "finals", (json_int_t)c->finals,
		"eof", c->ended, "violations", findings_json(&c->findings, true),
		"notes", findings_json(&c->findings, false), "plan",
		c->plan ? c->plan->text : NULL);
	json_t *end = json_pack("{s:s, s:i, s:s}", "by",
		c->end.by ? c->end.by : "simulator", "code", (int)c->end.code,
		"text", c->end.text);

	json_object_update(line, more);
	json_object_update(line, rest);
	json_object_set_new(line, "ended", end);
	if (c->dump)
		json_object_set_new(line, "dump",
				    json_sprintf("%" PRIu64 ".pcm", c->id));
	json_object_set_new(line, "ms", json_integer(c->opened_ms
		? (json_int_t)(uv_now(c->sim->loop) - c->opened_ms) : 0));
	json_decref(more);
	json_decref(rest);
	return line;
}

static void report(const struct conn *c)
{
	if (!c->sim->report)
		return;
	json_t *line = account(c);

	if (json_dumpf(line, c->sim->report, JSON_COMPACT) == 0)
		fputc('\n', c->sim->report);
	fflush(c->sim->report);
	json_decref(line);
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
	if (c->dump)
		fclose(c->dump);
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
	report(c);
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
	if (!conn_live(c))
		return;
	c->closing = true;
	c->end.by = "simulator";
	c->end.code = code;
	websocket_finish(c->ws, code);
}

void conn_shutdown(struct conn *c)
{
	conn_enter(c);
	conn_over(c, "simulator", 0, "the simulator was stopped");
	conn_leave(c);
}

void conn_send(struct conn *c, json_t *msg)
{
	char *text = msg ? json_dumps(msg, JSON_COMPACT | JSON_REAL_PRECISION(15))
			 : NULL;

	if (text && conn_live(c) && !c->mute) {
		if (c->hold & HOLD_STALL)
			buf_add(&c->held, text, strlen(text) + 1);
		else if (websocket_queued(c->ws) > QUEUE_MAX) {
			conn_note(c, "reading", "the client does not read: its "
				  "results were dropped");
		} else
			websocket_send(c->ws, true, text, strlen(text));
	}
	free(text);
	json_decref(msg);
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
	timer_once_stop(c->idle);
	faults_eof(c);
	if (!conn_live(c))
		return;
	audio_end(c);
	if (c->sim->dialect->ended)
		c->sim->dialect->ended(c);
	if (!timer_once_open(&c->drain, c->sim->loop, on_drained, c))
		timer_once_start(c->drain, DRAIN_MS);
}

/* -- what comes ------------------------------------------------------------------- */

static void on_idle(void *arg)
{
	struct conn *c = arg;

	if (c->hold) /* it is we who do not read */
		return;
	conn_enter(c);
	conn_violation(c, "idle", "%u s without a message",
		       (unsigned)(c->sim->dialect->idle_ms / 1000));
	conn_close(c, 1000);
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
	c->target = strdup(r->target);
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

void conn_request(struct sim *s, struct websocket *ws,
		  const struct websocket_request *r,
		  struct websocket_answer *answer)
{
	static char retry[48]; /* read before the next request comes */
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
		snprintf(retry, sizeof(retry), "Retry-After: %" PRIu64 "\r\n",
			 http->extra);
		answer->headers = http->extra ? retry : NULL;
	}
	if (answer->status != 101) {
		refuse(c, answer->status);
		return;
	}
	c->ws = ws;
	answer->cb = &callbacks;
	answer->arg = c;
	open_dump(c);
}
