/** @file websocket_server.c  The server's way to an open websocket */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/websocket_impl.h"

enum {
	BACKLOG = 511,
	REQUEST_MS = 10000,    /* TLS and request together */
	EARLY_MAX = 64 * 1024, /* a client that talks before our answer */
};

struct websocket_server {
	uv_tcp_t tcp;
	const struct tls_context *tls;
	struct websocket_server_cb cb;
	void *arg;
	struct list waiting; /* websockets without a whole request */
	bool closing;
};

void websocket_serve_free(struct websocket_serve *v)
{
	if (!v)
		return;
	upgrade_server_free(v->upgrade);
	buf_free(&v->answer);
	buf_free(&v->early);
	free(v);
}

/* -- the answer ----------------------------------------------------------- */

static void answer(struct websocket *ws)
{
	struct websocket_serve *v = ws->serve;
	const bool accepted = v->accepted;
	const int err = stream_write(ws->stream, v->answer.data, v->answer.len);
	struct reason why;

	if (!accepted) {
		ws->linger = !err;
		websocket_close(ws);
		return;
	}
	if (err) {
		reason_set(&why, REASON_NETWORK, 1006, "the answer is not sent");
		websocket_over(ws, &why);
		return;
	}
	ws->serve = NULL;
	websocket_opened(ws, v->early.data, v->early.len);
	websocket_serve_free(v);
}

static void on_answer_time(uv_timer_t *t)
{
	answer(t->data);
}

static const char *header(const struct websocket_request *r, const char *name)
{
	return upgrade_server_header(r->priv, name);
}

static void ask(struct websocket *ws)
{
	struct websocket_serve *v = ws->serve;
	const struct websocket_server *s = v->server;
	const struct websocket_request r = {
		.target = upgrade_server_target(v->upgrade),
		.peer = stream_peer(ws->stream),
		.header = header,
		.priv = v->upgrade,
	};
	struct websocket_answer a = {0};

	list_remove(&v->item);
	v->server = NULL;
	uv_timer_stop(&ws->timer);
	if (s->cb.request)
		s->cb.request(ws, &r, &a, s->arg);
	if (ws->closing)
		return;
	v->accepted = a.status == 101;
	if (a.status < 100 || a.status > 599)
		a.status = 400;
	if (v->accepted && a.cb) {
		ws->cb = *a.cb;
		ws->arg = a.arg;
	}
	upgrade_server_answer(v->upgrade, &v->answer, a.status, a.headers,
			      a.body, a.wrong_accept);
	/* from the loop even when at once: the caller is still in its callback */
	uv_timer_start(&ws->timer, on_answer_time, a.delay_ms, 0);
}

static void refuse(struct websocket *ws, unsigned status)
{
	struct websocket_serve *v = ws->serve;

	list_remove(&v->item);
	upgrade_server_answer(v->upgrade, &v->answer, status,
			      status == 400 ? "Sec-WebSocket-Version: 13\r\n"
					    : NULL,
			      NULL, false);
	answer(ws);
}

static void on_request(struct websocket *ws, const uint8_t *data, size_t len)
{
	struct websocket_serve *v = ws->serve;
	size_t used;

	switch (upgrade_server_feed(v->upgrade, data, len, &used)) {
	case 0:
		return;
	case 1:
		buf_add(&v->early, data + used, len - used);
		ask(ws);
		return;
	case -EMSGSIZE:
		refuse(ws, 431);
		return;
	default:
		refuse(ws, 400);
	}
}

/* -- the stream ----------------------------------------------------------- */

/* A client may not talk before our answer; a little is kept for it. */
static void on_early(struct websocket *ws, const uint8_t *data, size_t len)
{
	struct reason why;

	if (len <= EARLY_MAX - ws->serve->early.len) {
		buf_add(&ws->serve->early, data, len);
		return;
	}
	reason_set(&why, REASON_PROTOCOL, 0, "frames before our answer");
	websocket_over(ws, &why);
}

static void on_data(const uint8_t *data, size_t len, void *arg)
{
	struct websocket *ws = arg;
	struct websocket_serve *v = ws->serve;

	if (ws->state == WS_OVER)
		return;
	if (!v)
		websocket_input(ws, data, len);
	else if (v->server)
		on_request(ws, data, len);
	else
		on_early(ws, data, len);
}

static void on_closed(const struct reason *why, void *arg)
{
	websocket_over(arg, why);
}

static void on_late(uv_timer_t *t)
{
	websocket_close(t->data);
}

static bool is_welcome(struct websocket_server *s, const struct addr *peer)
{
	unsigned waiting = 0;

	if (!s->cb.welcome)
		return true;
	list_each(&s->waiting, i)
		waiting++;
	return s->cb.welcome(peer, waiting, s->arg);
}

static void on_connection(uv_stream_t *listener, int status)
{
	static const struct stream_cb cb = {
		.data = on_data,
		.drained = websocket_drained,
		.closed = on_closed,
	};
	struct websocket_server *s = listener->data;
	struct websocket *ws;

	if (status || websocket_new(&ws, listener->loop, true))
		return;
	ws->state = WS_UPGRADE;
	ws->serve = calloc(1, sizeof(*ws->serve));
	if (ws->serve)
		list_init(&ws->serve->item);
	if (!ws->serve || upgrade_server_new(&ws->serve->upgrade) ||
	    stream_accept(&ws->stream, listener, s->tls, &cb, ws)) {
		websocket_close(ws);
		return;
	}
	ws->phases.peer = stream_peer(ws->stream);
	if (!is_welcome(s, &ws->phases.peer)) {
		websocket_close(ws);
		return;
	}
	ws->serve->server = s;
	ws->serve->ws = ws;
	list_add(&s->waiting, &ws->serve->item);
	uv_timer_start(&ws->timer, on_late, REQUEST_MS, 0);
}

/* -- the listener --------------------------------------------------------- */

static void on_freed(uv_handle_t *h)
{
	free(h->data);
}

int websocket_listen(struct websocket_server **out, uv_loop_t *loop,
		     const struct addr *at, const struct tls_context *tls,
		     const struct websocket_server_cb *cb, void *arg)
{
	struct websocket_server *s = calloc(1, sizeof(*s));
	struct sockaddr_storage sa;
	int err;

	if (!s)
		return -ENOMEM;
	s->tls = tls;
	s->cb = *cb;
	s->arg = arg;
	list_init(&s->waiting);
	err = uv_tcp_init(loop, &s->tcp);
	if (err) {
		free(s);
		return err;
	}
	s->tcp.data = s;
	addr_to_sockaddr(&sa, at);
	err = uv_tcp_bind(&s->tcp, (struct sockaddr *)&sa, 0);
	if (!err)
		err = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
	if (err) {
		uv_close((uv_handle_t *)&s->tcp, on_freed);
		return err;
	}
	*out = s;
	return 0;
}

struct addr websocket_server_address(const struct websocket_server *s)
{
	struct sockaddr_storage sa;
	struct addr a = {0};
	int len = sizeof(sa);

	if (!uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&sa, &len))
		addr_from_sockaddr(&a, (struct sockaddr *)&sa);
	return a;
}

void websocket_server_close(struct websocket_server *s)
{
	if (!s || s->closing)
		return;
	s->closing = true;
	list_each(&s->waiting, i)
		websocket_close(list_item(i, struct websocket_serve, item)->ws);
	uv_close((uv_handle_t *)&s->tcp, on_freed);
}
