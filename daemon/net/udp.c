/** @file udp.c  A UDP socket on the loop, a call per datagram */
#include "daemon/net/udp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { DATAGRAM_MAX = 65536, DRAIN_MAX = 1024 };

struct udp {
	uv_udp_t handle;
	struct addr at;
	struct clock_live *clock;
	struct timers *timers;
	udp_fn *fn;
	void *arg;
	bool closed;
};

/* libuv asks for room, receives and calls back in one go. */
static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
	static _Thread_local char room[DATAGRAM_MAX];

	(void)h;
	(void)suggested;
	*out = uv_buf_init(room, sizeof(room));
}

static void on_datagram(uv_udp_t *h, ssize_t n, const uv_buf_t *buf,
			const struct sockaddr *from, unsigned flags)
{
	struct udp *u = h->data;
	struct packet p = { .to = u->at, .data = (const uint8_t *)buf->base };

	/* an error is of one datagram (ICMP), not of the socket */
	if (n < 0 || !from || flags & UV_UDP_PARTIAL)
		return;
	if (addr_from_sockaddr(&p.from, from))
		return;
	p.len = p.wire_len = (size_t)n;
	p.at_us = u->clock ? clock_live_run(u->clock)
			   : timers_now_us(u->timers);
	/* what came due just now may have closed it */
	if (!u->closed)
		u->fn(&p, u->arg);
}

void udp_drain(struct udp *u)
{
	static _Thread_local uint8_t room[DATAGRAM_MAX];
	struct packet p = { .to = u->at, .data = room,
			    .at_us = timers_now_us(u->timers) };
	struct sockaddr_storage from;
	uv_os_fd_t fd;

	if (u->closed || uv_fileno((const uv_handle_t *)&u->handle, &fd))
		return;
	for (int i = 0; i < DRAIN_MAX; i++) {
		socklen_t len = sizeof(from);
		const ssize_t n = recvfrom(fd, room, sizeof(room), MSG_DONTWAIT,
					   (struct sockaddr *)&from, &len);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 || addr_from_sockaddr(&p.from,
						(struct sockaddr *)&from))
			continue;
		p.len = p.wire_len = (size_t)n;
		u->fn(&p, u->arg);
	}
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static int start(struct udp *u, const struct addr *at)
{
	struct sockaddr_storage sa;
	int len = sizeof(sa);

	addr_to_sockaddr(&sa, at);
	int err = uv_udp_bind(&u->handle, (const struct sockaddr *)&sa,
			      at->family == 6 ? UV_UDP_IPV6ONLY : 0);
	if (!err)
		err = uv_udp_getsockname(&u->handle, (struct sockaddr *)&sa,
					 &len);
	if (!err)
		err = addr_from_sockaddr(&u->at, (struct sockaddr *)&sa);
	return err ? err
		   : uv_udp_recv_start(&u->handle, on_room, on_datagram);
}

int udp_open(struct udp **out, const struct udp_options *o, udp_fn *fn,
	     void *arg)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->clock = o->clock;
	u->timers = o->timers;
	u->fn = fn;
	u->arg = arg;
	u->handle.data = u;
	int err = uv_udp_init(o->loop, &u->handle);
	if (err) {
		free(u);
		return err;
	}
	err = start(u, &o->at);
	if (!err && o->queue) {
		int n = o->queue;

		(void)uv_recv_buffer_size((uv_handle_t *)&u->handle, &n);
	}
	if (err) {
		udp_close(u);
		return err;
	}
	*out = u;
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u || u->closed)
		return;
	u->closed = true;
	uv_close((uv_handle_t *)&u->handle, on_closed);
}

struct addr udp_address(const struct udp *u)
{
	return u->at;
}

int udp_send(struct udp *u, const struct addr *to, const void *data, size_t len)
{
	struct sockaddr_storage sa;
	/* libuv's type has no const; it only reads */
	const uv_buf_t buf = { .base = (char *)(uintptr_t)data, .len = len };

	addr_to_sockaddr(&sa, to);
	const int n = uv_udp_try_send(&u->handle, &buf, 1,
				      (const struct sockaddr *)&sa);
	return n < 0 ? n : 0;
}
