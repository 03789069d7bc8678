/** @file listener.c  A TCP port */
#include "daemon/net/listener.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { BACKLOG = 511 };

struct listener {
	uv_tcp_t tcp;
	listener_fn *fn;
	void *arg;
	bool closing;
};

static void on_freed(uv_handle_t *h)
{
	free(h->data);
}

/* An error is of one connection that is gone again. */
static void on_connection(uv_stream_t *from, int status)
{
	struct listener *l = from->data;

	if (!status && !l->closing)
		l->fn(from, l->arg);
}

static int start(struct listener *l, const struct addr *at)
{
	struct sockaddr_storage sa;

	addr_to_sockaddr(&sa, at);
	const int err = uv_tcp_bind(&l->tcp, (const struct sockaddr *)&sa,
				    at->family == 6 ? UV_TCP_IPV6ONLY : 0);
	return err ? err
		   : uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
}

int listener_open(struct listener **out, uv_loop_t *loop,
		  const struct addr *at, listener_fn *fn, void *arg)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->fn = fn;
	l->arg = arg;
	l->tcp.data = l;
	int err = uv_tcp_init(loop, &l->tcp);
	if (err) {
		free(l);
		return err;
	}
	err = start(l, at);
	if (err) {
		listener_close(l);
		return err;
	}
	*out = l;
	return 0;
}

struct addr listener_address(const struct listener *l)
{
	struct sockaddr_storage sa;
	struct addr a = {0};
	int len = sizeof(sa);

	if (!uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&sa, &len))
		addr_from_sockaddr(&a, (struct sockaddr *)&sa);
	return a;
}

void listener_close(struct listener *l)
{
	if (!l || l->closing)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->tcp, on_freed);
}
