/** @file control.c  The control socket */
#include "daemon/ops/control.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/net/unix.h"

enum {
	CONNECTIONS = 32,
	CONNECTIONS_PER_UID = 16,
	OUT_MAX = 256 * 1024,
};

struct control {
	struct unix_listener *listener;
	struct list all;
	control_fn *fn;
	void *arg;
};

struct client {
	struct list in;
	struct control *control;
	struct unix_conn *conn;
	struct buf line;         /* what came of the next one */
};

void answer_error(struct answer *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error, sizeof(a->error), fmt, ap);
	va_end(ap);
}

/* -- what is said ------------------------------------------------------------------- */

static json_t *capture_json(const struct status *s)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"up", s->capture_up,
		"frames", (json_int_t)s->captured.frames,
		"dropped", (json_int_t)s->captured.dropped,
		"tunnelled", (json_int_t)s->captured.tunnelled,
		"copies", (json_int_t)s->captured.copies,
		"malformed", (json_int_t)s->captured.malformed,
		"rtp", (json_int_t)s->captured.rtp,
		"sip", (json_int_t)s->captured.sip,
		"foreign", (json_int_t)s->captured.foreign);
}

static json_t *status_json(const struct status *s)
{
	json_t *o = json_pack("{s:s, s:I, s:b, s:i}", "version",
			      TRUNKSCRIBE_VERSION, "uptime_s",
			      (json_int_t)s->uptime_s, "draining", s->draining,
			      "calls", (int)s->calls);

	if (o && s->rtp)
		json_object_set_new(o, "rtp", json_pack(
			"{s:i, s:i, s:i, s:I, s:I, s:I, s:I}", "legs",
			(int)s->rtp_legs,
			"ports_used", (int)s->ports_used, "ports",
			(int)s->ports, "packets", (json_int_t)s->rtp_packets,
			"foreign", (json_int_t)s->rtp_foreign,
			"refused", (json_int_t)s->rtp_refused,
			"odd", (json_int_t)s->rtp_odd));
	if (o && s->sip)
		json_object_set_new(o, "sip", json_pack(
			"{s:i, s:i, s:i, s:I, s:I, s:i, s:i}", "calls",
			(int)s->sip_calls, "legs", (int)s->sip_legs,
			"connections", (int)s->sip_connections, "requests",
			(json_int_t)s->sip_requests, "refused",
			(json_int_t)s->sip_refused, "ports_used",
			(int)s->ports_used, "ports", (int)s->ports));
	if (o && s->capture)
		json_object_set_new(o, "capture", capture_json(s));
	return o;
}

static void put_answer(json_t *o, const struct command *c,
		       const struct answer *a)
{
	char address[ADDR_TEXT];

	json_object_set_new(o, "ok", json_boolean(!a->error[0]));
	if (a->error[0]) {
		json_t *text = json_string(a->error);
		/* a foreign word may have been cut within a character */
		json_object_set_new(o, "error", text ? text : json_string(
					"a word that is not known"));
		return;
	}
	if (c->kind == COMMAND_LEG_ADD) {
		json_object_set_new(o, "leg", json_string(a->leg));
		json_object_set_new(o, "address", json_string(addr_print(
							address, &a->address)));
	} else if (c->kind == COMMAND_STATUS || c->kind == COMMAND_DRAIN) {
		json_t *status = status_json(&a->status);

		if (!a->name && a->body)
			json_object_update(status, a->body);
		json_object_set_new(o, "status", status);
	}
	if (a->name)
		json_object_set(o, a->name, a->body);
	if (a->next)
		json_object_set_new(o, "next",
				    json_integer((json_int_t)a->next));
}

void control_print(struct buf *out, const char *id, const struct command *c,
		   const struct answer *a)
{
	json_t *o = json_object();

	if (*id)
		json_object_set_new(o, "id",
				    json_loads(id, JSON_DECODE_ANY, NULL));
	put_answer(o, c, a);
	char *text = json_dumps(o, JSON_COMPACT);
	if (text)
		buf_printf(out, "%s\n", text);
	else
		out->err = -ENOMEM;
	free(text);
	json_decref(o);
}

/* -- connections ---------------------------------------------------------------------- */

static void client_free(struct client *c)
{
	list_remove(&c->in);
	buf_free(&c->line);
	free(c);
}

/* @return 0 or -errno: it does not read */
static int say(struct unix_conn *conn, const char *id, const struct command *c,
	       const struct answer *a)
{
	struct buf line = {0};

	control_print(&line, id, c, a);
	const int err = line.err ? line.err
				 : unix_put(conn, line.data, line.len);
	buf_free(&line);
	return err;
}

/* Who changed what: the legs of a PBX come too often for that. */
static void note(const struct client *c, const struct command *cmd,
		 const struct answer *a)
{
	const char *about = cmd->target ? cmd->target
			    : cmd->asr	? cmd->asr : "";

	if (command_asks(cmd->kind) || cmd->kind == COMMAND_LEG_ADD ||
	    cmd->kind == COMMAND_LEG_END || cmd->kind == COMMAND_CALL_REGISTER)
		return;
	log_info("control", "user %u: %s%s%s%s", (unsigned)unix_uid(c->conn),
		 command_name(cmd->kind), *about ? " " : "", about,
		 a->error[0] ? ", refused" : "");
}

static int take_line(struct client *c, const char *line, size_t len)
{
	char id[COMMAND_ID];
	struct answer a = {0};
	struct command cmd = {0};

	if (!command_parse(&cmd, line, len, id, a.error)) {
		c->control->fn(&cmd, &a, c->control->arg);
		note(c, &cmd, &a);
	}
	const int err = say(c->conn, id, &cmd, &a);
	command_free(&cmd);
	json_decref(a.body);
	return err;
}

static void hang_up(struct client *c)
{
	unix_finish(c->conn);
	client_free(c);
}

static void on_received(const uint8_t *data, size_t len, void *arg)
{
	struct client *c = arg;
	size_t used = 0;
	int err = 0;

	buf_add(&c->line, data, len);
	while (!err && !c->line.err && c->line.len > used) {
		const char *begin = buf_str(&c->line) + used;
		const char *end = memchr(begin, '\n', c->line.len - used);

		if (!end)
			break;
		err = take_line(c, begin, (size_t)(end - begin));
		used += (size_t)(end - begin) + 1;
	}
	buf_shift(&c->line, used);
	if (!err && c->line.len > COMMAND_LINE_MAX) {
		struct answer a = {0};

		answer_error(&a, "a line of more than %d bytes",
			     COMMAND_LINE_MAX);
		say(c->conn, "", &(struct command){0}, &a);
		err = -EMSGSIZE;
	}
	unix_flush(c->conn);
	if (err || c->line.err)
		hang_up(c);
}

static void on_ended(void *arg)
{
	hang_up(arg);
}

static void on_writable(void *arg)
{
	(void)arg;
}

static void on_closed(int err, void *arg)
{
	struct client *c = arg;

	(void)err;
	unix_close(c->conn);
	client_free(c);
}

static void on_accepted(struct unix_conn *conn, bool over_limits, void *arg)
{
	static const struct unix_conn_cb cb = { on_received, on_ended,
						on_writable, on_closed };
	struct control *all = arg;
	struct client *c = over_limits ? NULL : calloc(1, sizeof(*c));
	struct answer a = {0};

	if (!c) {
		answer_error(&a, "too many connections; close some");
		say(conn, "", &(struct command){0}, &a);
		unix_finish(conn);
		return;
	}
	c->control = all;
	c->conn = conn;
	list_init(&c->in);
	list_add(&all->all, &c->in);
	unix_start(conn, &cb, c);
}

int control_open(struct control **out, uv_loop_t *loop, const char *path,
		 unsigned mode, control_fn *fn, void *arg, struct buf *why)
{
	const struct unix_options o = {
		.path = path, .mode = mode, .max = CONNECTIONS,
		.max_per_uid = CONNECTIONS_PER_UID, .out_max = OUT_MAX,
	};
	struct control *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	list_init(&c->all);
	c->fn = fn;
	c->arg = arg;
	const int err = unix_listen(&c->listener, loop, &o, on_accepted, c,
				    why);
	if (err) {
		free(c);
		return err;
	}
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	unix_listener_close(c->listener);
	list_each(&c->all, item)
		hang_up(list_item(item, struct client, in));
	free(c);
}
