/** @file stream_connect.c  How a stream begins: connected or accepted */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "daemon/net/stream_impl.h"

enum {
	USER_TIMEOUT_MS = 10000, /* unacknowledged this long: dead */
	/* What the kernel takes beyond what the peer has room for: minutes of
	 * audio else, which nobody could tell from audio that was heard. */
	NOTSENT = 8192,
};

/* TCP is there. */
static void ready(struct stream *s)
{
	const unsigned timeout = USER_TIMEOUT_MS, notsent = NOTSENT;
	uv_os_fd_t fd;

	uv_tcp_nodelay(&s->tcp, 1);
	if (!uv_fileno((uv_handle_t *)&s->tcp, &fd)) {
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout,
			   sizeof(timeout));
		setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &notsent,
			   sizeof(notsent));
	}
	stream_pause(s, false);
	if (!s->tls) {
		stream_up(s);
	} else if (stream_tls_start(s)) {
		reason_set(&s->why, REASON_NETWORK, 1006,
			   "no memory or no thread for the TLS handshake");
		stream_over(s);
	}
}

static void on_connect(uv_connect_t *req, int status)
{
	struct stream *s = req->handle->data;

	if (s->closing || s->over)
		return;
	uv_timer_stop(&s->timer);
	if (status) {
		reason_set(&s->why, REASON_TCP, 0,
			   "no connection to %s: %s; check host, port and "
			   "firewall", s->peer, uv_strerror(status));
		stream_over(s);
		return;
	}
	ready(s);
}

static void on_timeout(uv_timer_t *t)
{
	struct stream *s = t->data;

	reason_set(&s->why, REASON_TCP, 0,
		   "no connection to %s: no answer within %llu ms; check "
		   "firewall and route", s->peer,
		   (unsigned long long)uv_timer_get_repeat(t));
	stream_over(s);
}

static int new_stream(struct stream **out, uv_loop_t *loop,
		      const struct tls_context *tls, const struct stream_cb *cb,
		      void *arg)
{
	struct stream *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->cb = *cb;
	s->arg = arg;
	if (tls && (err = tls_session_new(&s->tls, tls, NULL)))
		goto fail;
	err = uv_tcp_init(loop, &s->tcp);
	if (err)
		goto fail;
	uv_timer_init(loop, &s->timer); /* cannot fail */
	s->tcp.data = s->timer.data = s;
	s->handles = 2;
	*out = s;
	return 0;
fail:
	tls_session_free(s->tls);
	free(s);
	return err;
}

int stream_connect(struct stream **out, uv_loop_t *loop, const struct addr *to,
		   uint32_t timeout_ms, const struct stream_cb *cb, void *arg)
{
	struct sockaddr_storage sa;
	struct stream *s;
	int err = new_stream(&s, loop, NULL, cb, arg);

	if (err)
		return err;
	addr_to_sockaddr(&sa, to);
	addr_print(s->peer, to);
	err = uv_tcp_connect(&s->connect, &s->tcp, (struct sockaddr *)&sa,
			     on_connect);
	if (err) {
		/* unreachable: news of the network like any other */
		reason_set(&s->why, REASON_TCP, 0, "no connection to %s: %s",
			   s->peer, uv_strerror(err));
		stream_over_later(s);
	} else {
		uv_timer_start(&s->timer, on_timeout, timeout_ms, timeout_ms);
	}
	*out = s;
	return 0;
}

void stream_adopt(struct stream *s, const struct stream_cb *cb, void *arg)
{
	s->cb = *cb;
	s->arg = arg;
}

int stream_secure(struct stream *s, const struct tls_context *tls,
		  const char *tls_name)
{
	int err;

	if (!s->up || s->over || s->closing)
		return -ENOTCONN;
	if (s->tls)
		return -EALREADY;
	err = tls_session_new(&s->tls, tls, tls_name);
	if (err)
		return err;
	s->up = false;
	err = stream_tls_start(s);
	if (err) { /* it is no stream of plain bytes any more */
		reason_set(&s->why, REASON_NETWORK, 1006,
			   "no memory or no thread for the TLS handshake");
		stream_over_later(s);
	}
	return 0;
}

static void on_accepted(uv_timer_t *t)
{
	ready(t->data);
}

int stream_accept(struct stream **out, uv_stream_t *listener,
		  const struct tls_context *tls, const struct stream_cb *cb,
		  void *arg)
{
	struct stream *s;
	int err = new_stream(&s, listener->loop, tls, cb, arg);

	if (err)
		return err;
	err = uv_accept(listener, (uv_stream_t *)&s->tcp);
	if (err) {
		stream_close(s);
		return err;
	}

	const struct addr peer = stream_peer(s);

	addr_print(s->peer, &peer);
	uv_timer_start(&s->timer, on_accepted, 0, 0);
	*out = s;
	return 0;
}
