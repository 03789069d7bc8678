/** @file websocket_impl.h  Shared by net/websocket*.c only */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/net/race.h"
#include "daemon/net/resolve.h"
#include "daemon/net/stream.h"
#include "daemon/net/websocket.h"
#include "daemon/ws/frames.h"
#include "daemon/ws/tunnel.h"
#include "daemon/ws/upgrade.h"
#include "daemon/ws/upgrade_server.h"

/* What only a client that is not upgraded yet needs. */
struct websocket_dial {
	char host[HOST_MAX + 1];
	char tls_name[HOST_MAX + 1];
	uint16_t port;
	char proxy[HOST_MAX + 1];  /* "": none */
	uint16_t proxy_port;
	char *proxy_auth;          /* NULL: none */
	const struct tls_context *tls;
	char *target;
	char *headers;
	uint32_t connect_timeout_ms;
	uint32_t upgrade_timeout_ms;
	struct resolver *resolver;
	struct resolver *own;      /* ... when nobody shares one with us */
	struct resolve *resolve;
	struct race *race;
	struct tunnel *tunnel;     /* the proxy was asked */
	struct upgrade *upgrade;
};

/* What only a server's side that is not upgraded yet needs. */
struct websocket_serve {
	struct list item;       /* of the server's, until the request came */
	struct websocket *ws;   /* it is part of */
	struct websocket_server *server; /* NULL: it is gone */
	struct upgrade_server *upgrade;
	struct buf answer;
	bool accepted;          /* the answer is a 101: the owner holds us */
	struct buf early;       /* came while the answer waits */
};

struct websocket {
	uv_loop_t *loop;
	uv_timer_t timer;       /* its close callback frees */
	struct websocket_cb cb;
	void *arg;
	enum {
		WS_RESOLVE, /* client */
		WS_CONNECT, /* client: TCP */
		WS_PROXY,   /* client: asked for the way through */
		WS_TLS,
		WS_UPGRADE,
		WS_OPEN,
		WS_FINISHING, /* our close is out */
		WS_OVER,
	} state;
	bool server;
	bool closing;
	bool linger;            /* what is queued shall reach the peer */
	bool above;             /* the queue was above low_water */
	bool pinged;
	bool paused;
	size_t low_water;
	uint32_t ping_ms;
	unsigned finish_code;
	uint64_t started_ms;
	uint64_t heard_ms;      /* when the last bytes came */
	struct websocket_phases phases;
	struct stream *stream;
	struct frames *frames;
	struct buf out;
	struct websocket_dial *dial;
	struct websocket_serve *serve;
};

/* websocket.c */
int websocket_new(struct websocket **out, uv_loop_t *loop, bool server);
/** It is over, and not by us: closed() is the last line. */
void websocket_over(struct websocket *ws, const struct reason *why);
/** Upgraded: `rest` came behind the answer or the request. */
void websocket_opened(struct websocket *ws, const uint8_t *rest, size_t len);
/** Bytes once it is open. */
void websocket_input(struct websocket *ws, const uint8_t *data, size_t len);
void websocket_drained(void *arg);

/* websocket_client.c */
/** No callback of DNS or TCP any more. */
void websocket_dial_stop(struct websocket_dial *d);
void websocket_dial_free(struct websocket_dial *d);
/* websocket_server.c */
void websocket_serve_free(struct websocket_serve *v);
