/** @file stream.c  Bytes over TCP, with or without TLS */
#include "daemon/net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "daemon/net/stream_impl.h"

enum {
	READ = 64 * 1024,
	LINGER_MS = 1000,
};

/* -- the end -------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (--s->handles)
		return;
	stream_tls_free(s);
	buf_free(&s->sending);
	buf_free(&s->pending);
	buf_free(&s->in);
	buf_free(&s->plain);
	free(s);
}

static void close_handles(struct stream *s, bool reset)
{
	s->closing = true;
	uv_close((uv_handle_t *)&s->timer, on_closed);
	if (reset && !uv_tcp_close_reset(&s->tcp, on_closed))
		return;
	uv_close((uv_handle_t *)&s->tcp, on_closed);
}

void stream_close(struct stream *s)
{
	if (!s || s->closing)
		return;
	if (s->up && s->tls && !s->over) {
		/* courtesy, if it can be had at once */
		tls_goodbye(s->tls, &s->pending);
		stream_flush(s);
	}
	close_handles(s, false);
}

void stream_reset(struct stream *s)
{
	if (s && !s->closing)
		close_handles(s, true);
}

static void on_linger(uv_timer_t *t)
{
	close_handles(t->data, false);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	struct stream *s = req->handle->data;

	if (status && !s->closing)
		close_handles(s, false);
}

void stream_end(struct stream *s)
{
	if (!s || s->closing)
		return;
	if (!s->up || s->over) {
		stream_close(s);
		return;
	}
	s->ended = true;
	if (s->tls)
		tls_goodbye(s->tls, &s->pending);
	stream_pause(s, false);
	uv_timer_start(&s->timer, on_linger, LINGER_MS, 0);
	stream_flush(s);
	if (!s->writing)
		uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown);
}

void stream_over(struct stream *s)
{
	s->over = true;
	uv_read_stop((uv_stream_t *)&s->tcp);
	uv_timer_stop(&s->timer);
	if (s->closing)
		return;
	if (s->ended)
		close_handles(s, false);
	else if (s->cb.closed)
		s->cb.closed(&s->why, s->arg);
}

static void on_over(uv_timer_t *t)
{
	stream_over(t->data);
}

void stream_over_later(struct stream *s)
{
	s->over = true;
	uv_timer_start(&s->timer, on_over, 0, 0);
}

/* -- out ------------------------------------------------------------------ */

static void broken(struct stream *s, int err)
{
	if (s->over)
		return;
	reason_set(&s->why, REASON_NETWORK, 1006, "sending failed: %s",
		   uv_strerror(err));
	stream_over_later(s);
}

static void on_written(uv_write_t *req, int status)
{
	struct stream *s = req->handle->data;

	s->writing = false;
	buf_clear(&s->sending);
	if (s->closing || s->over)
		return;
	if (status) {
		broken(s, status);
		return;
	}
	stream_flush(s);
	if (s->ended) {
		if (!s->writing)
			uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp,
				    on_shutdown);
	} else if (s->cb.drained) {
		s->cb.drained(s->arg);
	}
}

void stream_flush(struct stream *s)
{
	uv_stream_t *tcp = (uv_stream_t *)&s->tcp;

	if (s->writing || s->closing || s->over || !s->pending.len)
		return;

	uv_buf_t b = uv_buf_init((char *)s->pending.data,
				 (unsigned)s->pending.len);
	const int n = uv_try_write(tcp, &b, 1);

	if (n < 0 && n != UV_EAGAIN) {
		broken(s, n);
		return;
	}
	if (n > 0)
		buf_shift(&s->pending, (size_t)n);
	if (!s->pending.len)
		return;

	const struct buf empty = s->sending;

	s->sending = s->pending;
	s->pending = empty;
	b = uv_buf_init((char *)s->sending.data, (unsigned)s->sending.len);

	const int err = uv_write(&s->write, tcp, &b, 1, on_written);

	if (err)
		broken(s, err);
	else
		s->writing = true;
}

int stream_write(struct stream *s, const void *data, size_t len)
{
	if (!s->up || s->over || s->closing)
		return -ENOTCONN;
	if (s->tls) {
		const int err = stream_tls_write(s, data, len);

		if (err)
			return err;
	} else {
		buf_add(&s->pending, data, len);
	}
	if (s->pending.err) {
		reason_set(&s->why, REASON_NETWORK, 1006, "out of memory");
		stream_over_later(s);
		return -ENOMEM;
	}
	stream_flush(s);
	return 0;
}

size_t stream_queued(const struct stream *s)
{
	return s->pending.len + (s->writing ? s->tcp.write_queue_size : 0);
}

size_t stream_unacknowledged(const struct stream *s)
{
	uv_os_fd_t fd;
	int n = 0;

	if (uv_fileno((const uv_handle_t *)&s->tcp, &fd) ||
	    ioctl(fd, SIOCOUTQ, &n) || n < 0)
		n = 0;
	return stream_queued(s) + (size_t)n;
}

/* -- in ------------------------------------------------------------------- */

static void on_room(uv_handle_t *h, size_t hint, uv_buf_t *out)
{
	static _Thread_local char room[READ]; /* used up before the next read */

	(void)h;
	(void)hint;
	*out = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *tcp, ssize_t n, const uv_buf_t *b)
{
	struct stream *s = tcp->data;

	if (n == 0 || s->closing || s->over || (s->ended && n > 0))
		return;
	if (n < 0) {
		if (!s->ended && stream_tls_eof(s))
			return;
		if (n == UV_EOF)
			reason_set(&s->why, REASON_NETWORK, 1006,
				   "%s ended the connection%s", s->peer,
				   s->up ? "" : " during the TLS handshake");
		else
			reason_set(&s->why, REASON_NETWORK, 1006,
				   "connection to %s lost: %s", s->peer,
				   uv_strerror((int)n));
		stream_over(s);
		return;
	}
	if (s->tls || s->job)
		stream_tls_input(s, (const uint8_t *)b->base, (size_t)n);
	else if (s->cb.data)
		s->cb.data((const uint8_t *)b->base, (size_t)n, s->arg);
}

void stream_pause(struct stream *s, bool paused)
{
	s->paused = paused;
	if (s->closing || s->over)
		return;
	if (paused)
		uv_read_stop((uv_stream_t *)&s->tcp);
	else
		uv_read_start((uv_stream_t *)&s->tcp, on_room, on_read);
}

void stream_up(struct stream *s)
{
	s->up = true;
	if (s->cb.open)
		s->cb.open(s->arg);
}

struct addr stream_peer(const struct stream *s)
{
	struct sockaddr_storage sa;
	struct addr a = {0};
	int len = sizeof(sa);

	if (!uv_tcp_getpeername(&s->tcp, (struct sockaddr *)&sa, &len))
		addr_from_sockaddr(&a, (struct sockaddr *)&sa);
	return a;
}

struct addr stream_local(const struct stream *s)
{
	struct sockaddr_storage sa;
	struct addr a = {0};
	int len = sizeof(sa);

	if (!uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&sa, &len))
		addr_from_sockaddr(&a, (struct sockaddr *)&sa);
	return a;
}

const struct tls_session *stream_tls(const struct stream *s)
{
	return s->up ? s->tls : NULL;
}
