/** @file unix.c  UNIX stream sockets on the loop */
#include "daemon/net/unix.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/net/activated.h"
#include "daemon/net/unix_bind.h"

enum { BACKLOG = 128, READ_SIZE = 16 * 1024, FINISH_MS = 2000 };

struct unix_listener {
	uv_pipe_t handle;
	struct unix_options o;
	struct unix_place place;
	void (*accepted)(struct unix_conn *c, bool over_limits, void *arg);
	void *arg;
	struct list conns;
	struct log_limit full;
	uint64_t refused;
	bool closed;           /* The handle is; conns may still be there */
};

struct unix_conn {
	struct list in;
	struct unix_listener *listener;
	uv_pipe_t handle;
	uv_timer_t timer;      /* Ends unix_finish() */
	unsigned handles;      /* Not yet closed */
	struct unix_conn_cb cb;
	void *arg;
	uid_t uid;
	uv_write_t write;
	struct buf out[2];     /* One is being written, one filled */
	unsigned filling;
	bool writing;
	bool finishing, closing;
	int err;               /* Write failed: told from the loop */
	uint8_t in_bytes[READ_SIZE];
};

static void flush(struct unix_conn *c);

/* The listener's memory goes with the last of its connections. */
static void listener_done(struct unix_listener *l)
{
	if (!l->closed || !list_empty(&l->conns))
		return;
	free(l);
}

static void on_conn_closed(uv_handle_t *h)
{
	struct unix_conn *c = h->data;

	if (--c->handles)
		return;
	struct unix_listener *l = c->listener;
	list_remove(&c->in);
	buf_free(&c->out[0]);
	buf_free(&c->out[1]);
	free(c);
	listener_done(l);
}

void unix_close(struct unix_conn *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	c->cb = (struct unix_conn_cb){0};
	uv_close((uv_handle_t *)&c->handle, on_conn_closed);
	uv_close((uv_handle_t *)&c->timer, on_conn_closed);
}

static void broke(struct unix_conn *c, int err)
{
	if (c->finishing) {
		unix_close(c);
		return;
	}
	void (*closed)(int, void *) = c->cb.closed;

	uv_read_stop((uv_stream_t *)&c->handle);
	c->err = err;
	c->cb = (struct unix_conn_cb){0}; /* it is the last one */
	if (closed)
		closed(err, c->arg);
}

static void on_timer(uv_timer_t *t)
{
	struct unix_conn *c = t->data;

	if (c->finishing)
		unix_close(c);
	else
		broke(c, c->err);
}

static void on_written(uv_write_t *w, int status)
{
	struct unix_conn *c = w->data;

	c->writing = false;
	if (c->closing)
		return;
	if (status) {
		broke(c, status);
		return;
	}
	flush(c);
	if (unix_queued(c))
		return;
	if (c->finishing)
		unix_close(c);
	else if (c->cb.writable)
		c->cb.writable(c->arg);
}

static void flush(struct unix_conn *c)
{
	struct buf *out = &c->out[c->filling];

	if (c->writing || c->closing || c->err || out->len == 0)
		return;
	uv_buf_t b = uv_buf_init((char *)out->data, (unsigned)out->len);
	int n = uv_try_write((uv_stream_t *)&c->handle, &b, 1);
	if (n == UV_EAGAIN)
		n = 0;
	if (n >= 0) {
		buf_shift(out, (size_t)n);
		if (out->len == 0)
			return;
		b = uv_buf_init((char *)out->data, (unsigned)out->len);
		c->filling ^= 1;
		buf_clear(&c->out[c->filling]);
		c->writing = true;
		n = uv_write(&c->write, (uv_stream_t *)&c->handle, &b, 1,
			     on_written);
	}
	if (n < 0) {
		/* never from inside the owner's own call */
		c->writing = false;
		c->err = n;
		uv_timer_start(&c->timer, on_timer, 0, 0);
	}
}

void unix_flush(struct unix_conn *c)
{
	flush(c);
}

size_t unix_queued(const struct unix_conn *c)
{
	const size_t going = c->writing
		? uv_stream_get_write_queue_size((const uv_stream_t *)&c->handle)
		: 0;

	return going + c->out[c->filling].len;
}

int unix_put(struct unix_conn *c, const void *data, size_t len)
{
	struct buf *out = &c->out[c->filling];

	if (c->err)
		return 0; /* closed() is on its way */
	if (len > c->listener->o.out_max ||
	    unix_queued(c) > c->listener->o.out_max - len)
		return -ENOBUFS;
	const size_t before = out->len;
	buf_add(out, data, len);
	if (!out->err)
		return 0;
	out->err = 0;
	out->len = before;
	return -ENOMEM;
}

void unix_finish(struct unix_conn *c)
{
	if (!c || c->closing)
		return;
	c->cb = (struct unix_conn_cb){0};
	c->finishing = true;
	uv_read_stop((uv_stream_t *)&c->handle);
	flush(c);
	if (c->err || !unix_queued(c))
		unix_close(c);
	else
		uv_timer_start(&c->timer, on_timer, FINISH_MS, 0);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	struct unix_conn *c = h->data;

	(void)hint;
	*b = uv_buf_init((char *)c->in_bytes, READ_SIZE);
}

/* Closed altogether, or only what it sends?  (A write tells as well, but who
   has nothing to say would find out late.) */
static bool is_gone(const struct unix_conn *c)
{
	struct pollfd p = {0};

	if (uv_fileno((const uv_handle_t *)&c->handle, &p.fd))
		return true;
	return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct unix_conn *c = h->data;

	(void)b;
	if (n > 0) {
		if (c->cb.received)
			c->cb.received(c->in_bytes, (size_t)n, c->arg);
	} else if (n == UV_EOF) {
		uv_read_stop(h);
		if (is_gone(c))
			broke(c, -ECONNRESET);
		else if (c->cb.ended)
			c->cb.ended(c->arg);
	} else if (n < 0) {
		broke(c, (int)n);
	}
}

void unix_start(struct unix_conn *c, const struct unix_conn_cb *cb, void *arg)
{
	c->cb = *cb;
	c->arg = arg;

	const int err = uv_read_start((uv_stream_t *)&c->handle, on_alloc,
				      on_read);
	if (err) {
		c->err = err;
		uv_timer_start(&c->timer, on_timer, 0, 0);
	}
}

uid_t unix_uid(const struct unix_conn *c)
{
	return c->uid;
}

static bool over_limits(const struct unix_listener *l, uid_t uid)
{
	unsigned all = 0, same = 0;

	list_each(&l->conns, item) {
		const struct unix_conn *c = list_item(item, struct unix_conn, in);
		all++;
		same += c->uid == uid;
	}
	return all > l->o.max || same > l->o.max_per_uid;
}

static void count_refused(struct unix_listener *l, uid_t uid)
{
	uint64_t kept_back;

	l->refused++;
	if (log_limited(&l->full, uv_now(l->handle.loop) * 1000, &kept_back))
		log_warn("unix", "%s: too many connections, one of uid %u "
			 "refused (%llu before)", l->place.path, (unsigned)uid,
			 (unsigned long long)kept_back);
}

static int peer_uid(struct unix_conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	uv_os_fd_t fd;
	const int err = uv_fileno((uv_handle_t *)&c->handle, &fd);

	if (err)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	c->uid = cred.uid;
	return 0;
}

static void on_connection(uv_stream_t *h, int status)
{
	struct unix_listener *l = h->data;

	if (status) /* out of descriptors: libuv has turned it away */
		return;
	struct unix_conn *c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->listener = l;
	c->handle.data = c->timer.data = c->write.data = c;
	list_add(&l->conns, &c->in);
	uv_pipe_init(h->loop, &c->handle, 0);
	uv_timer_init(h->loop, &c->timer);
	c->handles = 2;
	if (uv_accept(h, (uv_stream_t *)&c->handle) || peer_uid(c)) {
		unix_close(c);
		return;
	}
	const bool over = over_limits(l, c->uid);
	if (over)
		count_refused(l, c->uid);
	l->accepted(c, over, l->arg); /* may close the listener: last line */
}

static void on_listener_closed(uv_handle_t *h)
{
	struct unix_listener *l = h->data;

	l->closed = true;
	listener_done(l);
}

int unix_listen(struct unix_listener **out, uv_loop_t *loop,
		const struct unix_options *o,
		void (*accepted)(struct unix_conn *c, bool over_limits,
				 void *arg),
		void *arg, struct buf *why)
{
	struct unix_listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->o = *o;
	l->o.path = l->o.group = NULL; /* borrowed */
	l->accepted = accepted;
	l->arg = arg;
	l->handle.data = l;
	list_init(&l->conns);

	int fd = activated_unix(o->path);
	if (fd >= 0) /* not ours to remove: no inode is known */
		snprintf(l->place.path, sizeof(l->place.path), "%s", o->path);
	else
		fd = unix_bind(&l->place, o->path, o->mode, o->group, why);
	int err = fd < 0 ? fd : uv_pipe_init(loop, &l->handle, 0);
	if (err) {
		if (fd >= 0) {
			unix_unbind(&l->place);
			close(fd);
		}
			free(l);
		return err;
	}
	err = uv_pipe_open(&l->handle, fd);
	if (err)
		close(fd);
	else
		err = uv_listen((uv_stream_t *)&l->handle, BACKLOG,
				on_connection);
	if (err) {
		buf_printf(why, "%s: %s", o->path, uv_strerror(err));
		unix_listener_close(l);
		return err;
	}
	*out = l;
	return 0;
}

void unix_listener_close(struct unix_listener *l)
{
	if (!l || uv_is_closing((uv_handle_t *)&l->handle))
		return;
	unix_unbind(&l->place);
	uv_close((uv_handle_t *)&l->handle, on_listener_closed);
}

uint64_t unix_refused(const struct unix_listener *l)
{
	return l->refused;
}
