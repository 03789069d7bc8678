/** @file control.c  A question a line, an answer a line */
#include "tools/callgen/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/base/must.h"
#include "tools/callgen/options.h"

struct question {
	struct list in_control;
	control_answer_fn *fn;
	void *arg;
};

struct control {
	uv_pipe_t pipe;
	uv_connect_t connect;
	struct buf in;
	struct list questions;
	bool closing;
};

struct outgoing {
	uv_write_t req;
	char *text;
};

static void answered(struct control *c, const json_t *answer)
{
	struct question *q = list_item(c->questions.next, struct question,
				       in_control);

	list_remove(&q->in_control);
	q->fn(answer, q->arg);
	free(q);
}

static void broke(struct control *c)
{
	while (!c->closing && !list_empty(&c->questions))
		answered(c, NULL);
}

static void on_line(struct control *c, const char *line, size_t len)
{
	json_t *answer = json_loadb(line, len, 0, NULL);

	if (!list_empty(&c->questions))
		answered(c, answer);
	json_decref(answer);
}

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *out)
{
	struct control *c = h->data;
	uint8_t *room = buf_room(&c->in, wanted);

	*out = uv_buf_init((char *)room, room ? (unsigned)wanted : 0);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct control *c = s->data;
	uint8_t *end;

	(void)b;
	if (n < 0) {
		uv_read_stop(s);
		broke(c);
		return;
	}
	c->in.len += (size_t)n;
	while (!c->closing && c->in.len &&
	       (end = memchr(c->in.data, '\n', c->in.len))) {
		const size_t len = (size_t)(end - c->in.data);

		on_line(c, (const char *)c->in.data, len);
		if (!c->closing)
			buf_shift(&c->in, len + 1);
	}
}

static void on_connect(uv_connect_t *req, int status)
{
	struct control *c = req->data;

	if (status == UV_ECANCELED)
		return;
	if (status) {
		complain(EXIT_RUN, "the control socket: %s; is trunkscribed "
		     "running, and is this its path?", uv_strerror(status));
		broke(c);
	} else {
		uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
	}
}

struct control *control_open(uv_loop_t *loop, const char *path)
{
	struct control *c = calloc(1, sizeof(*c));

	must(c);
	list_init(&c->questions);
	uv_pipe_init(loop, &c->pipe, 0);
	c->pipe.data = c->connect.data = c;
	uv_pipe_connect(&c->connect, &c->pipe, path, on_connect);
	return c;
}

static void on_closed(uv_handle_t *h)
{
	struct control *c = h->data;

	while (!list_empty(&c->questions)) {
		struct question *q = list_item(c->questions.next,
					       struct question, in_control);

		list_remove(&q->in_control);
		free(q);
	}
	buf_free(&c->in);
	free(c);
}

void control_close(struct control *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, on_closed);
}

static void on_written(uv_write_t *req, int status)
{
	struct outgoing *o = req->data;
	struct control *c = req->handle->data;

	free(o->text);
	free(o);
	if (status && status != UV_ECANCELED)
		broke(c);
}

void control_ask(struct control *c, json_t *question, control_answer_fn *fn,
		 void *arg)
{
	struct question *q = calloc(1, sizeof(*q));
	struct outgoing *o = calloc(1, sizeof(*o));

	must(q && o);
	*q = (struct question){ .fn = fn, .arg = arg };
	list_init(&q->in_control);
	list_add(&c->questions, &q->in_control);
	o->text = json_dumps(question, JSON_COMPACT);
	must(o->text);
	json_decref(question);

	const size_t len = strlen(o->text);
	uv_buf_t b = uv_buf_init(o->text, (unsigned)len + 1);

	o->text[len] = '\n'; /* in place of the NUL */
	o->req.data = o;
	if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &b, 1, on_written)) {
		free(o->text);
		free(o);
		broke(c);
	}
}
