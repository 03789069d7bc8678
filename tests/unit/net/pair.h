/**
 * @file pair.h  A client and our server in one loop, each noting what it hears
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/net/tls.h"
#include "daemon/net/websocket.h"

struct side {
	struct websocket *ws;
	struct pair *pair;
	unsigned opened, texts, binaries, dropped, writable, closed;
	struct buf got;      /* payloads, one after the other */
	struct reason why;
	bool echo;           /* send back what comes */
	bool close_on_open, close_on_message, close_on_closed;
};

struct pair {
	uv_loop_t loop;
	uv_timer_t guard;
	unsigned ticks;
	struct websocket_server *listener;
	struct addr at;
	struct side client, server;
	struct websocket_answer answer; /* given to the next request */
	struct websocket_options options; /* of the client */
	unsigned requests;
	char asked[256];     /* target and a header of the last request */
};

static void side_open(void *arg)
{
	struct side *s = arg;

	s->opened++;
	if (s->close_on_open) {
		websocket_close(s->ws);
		s->ws = NULL;
	}
}

static void side_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct side *s = arg;

	assert_true(s->ws != NULL); /* silence after websocket_close() */
	s->texts += text;
	s->binaries += !text;
	buf_add(&s->got, data, len);
	if (s->echo && len)
		websocket_send(s->ws, text, data, len);
	if (s->close_on_message) {
		websocket_close(s->ws);
		s->ws = NULL;
	}
}

static void side_dropped(size_t len, void *arg)
{
	struct side *s = arg;

	assert_true(len > 256 * 1024);
	s->dropped++;
}

static void side_writable(void *arg)
{
	struct side *s = arg;

	s->writable++;
}

static void side_closed(const struct reason *why, void *arg)
{
	struct side *s = arg;

	assert_true(s->ws != NULL);
	assert_int_equal(s->closed, 0);
	s->closed++;
	s->why = *why;
	if (s->close_on_closed) {
		websocket_close(s->ws);
		s->ws = NULL;
	}
}

static const struct websocket_cb side_cb = {
	.open = side_open,
	.message = side_message,
	.dropped = side_dropped,
	.writable = side_writable,
	.closed = side_closed,
};

static void pair_request(struct websocket *ws,
			 const struct websocket_request *r,
			 struct websocket_answer *a, void *arg)
{
	struct pair *p = arg;
	const char *key = r->header(r, "authorization");

	p->requests++;
	snprintf(p->asked, sizeof(p->asked), "%s %s", r->target,
		 key ? key : "-");
	*a = p->answer;
	if (a->status == 101) {
		a->cb = &side_cb;
		a->arg = &p->server;
		p->server.ws = ws;
	}
}

static inline void pair_listen(struct pair *p, const struct tls_context *tls)
{
	const struct websocket_server_cb cb = {
		.request = pair_request,
	};
	const uint8_t loopback[4] = { 127, 0, 0, 1 };
	const struct addr at = addr_v4(loopback, 0);

	memset(p, 0, sizeof(*p));
	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_int_equal(uv_timer_init(&p->loop, &p->guard), 0);
	p->client.pair = p->server.pair = p;
	p->answer.status = 101;
	assert_int_equal(websocket_listen(&p->listener, &p->loop, &at, tls, &cb,
					  p), 0);
	p->at = websocket_server_address(p->listener);
	assert_int_not_equal(p->at.port, 0);
	p->options = (struct websocket_options){
		.host = "127.0.0.1",
		.port = p->at.port,
		.target = "/v1/listen?x=1",
		.headers = "Authorization: Token 0123456789abcdef\r\n",
	};
}

static inline void pair_connect(struct pair *p)
{
	assert_int_equal(websocket_connect(&p->client.ws, &p->loop, &p->options,
					   &side_cb, &p->client), 0);
}

enum { PAIR_TICK_MS = 10, PAIR_TICKS = 1500 };

static inline void pair_tick(uv_timer_t *t)
{
	list_item(t, struct pair, guard)->ticks++;
}

/** Run the loop until `*what` is at least `n`; 15 s is a failure. */
static inline void pair_until(struct pair *p, const unsigned *what, unsigned n)
{
	p->ticks = 0;
	uv_timer_start(&p->guard, pair_tick, PAIR_TICK_MS, PAIR_TICK_MS);
	while (*what < n && p->ticks < PAIR_TICKS)
		uv_run(&p->loop, UV_RUN_ONCE);
	uv_timer_stop(&p->guard);
	if (*what < n)
		fail_msg("waited in vain: client opened %u closed %u (%s), "
			 "server opened %u closed %u (%s)", p->client.opened,
			 p->client.closed, p->client.why.text,
			 p->server.opened, p->server.closed,
			 p->server.why.text);
}

/** Connect; both are open. */
static inline void pair_open(struct pair *p)
{
	pair_connect(p);
	pair_until(p, &p->client.opened, 1);
	pair_until(p, &p->server.opened, 1);
}

static inline void pair_timer_over(uv_timer_t *t)
{
	uv_stop(t->loop);
}

/** Let the loop run for a while, to see that nothing happens. */
static inline void pair_rest(struct pair *p, unsigned ms)
{
	uv_timer_start(&p->guard, pair_timer_over, ms, 0);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_timer_stop(&p->guard);
}

/** Close all; the loop must run dry and close. */
static inline void pair_end(struct pair *p)
{
	websocket_close(p->client.ws);
	websocket_close(p->server.ws);
	websocket_server_close(p->listener);
	p->client.ws = p->server.ws = NULL;
	uv_close((uv_handle_t *)&p->guard, NULL);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	buf_free(&p->client.got);
	buf_free(&p->server.got);
}
