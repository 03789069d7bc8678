/**
 * @file http.h  Figures, health and a page to leave open, over HTTP
 *
 *    GET /metrics   Prometheus, text format 0.0.4
 *    GET /healthz   200 while the loop runs
 *    GET /readyz    200, or 503 and why: draining, no asr ...
 *    GET /          calls as they go on, figures per asr
 *    GET /stream    what feeds it: server-sent events, the lines of the event
 *                   socket; `segment` and `speech` only when configured
 *
 * Reads only.  libmicrohttpd in the loop: its epoll descriptor in a poll, its
 * time-outs in a timer.  64 connections, of them 16 streams; a stream whose
 * reader is slower than the events is ended and comes back by itself.  On a
 * loopback address a request whose Host is neither an address nor localhost is
 * refused: another site's script may not read it (DNS rebinding).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/buf.h"
#include "daemon/base/event.h"

struct http;

struct http_config {
	uv_loop_t *loop;
	struct addr listen;
	bool transcripts;         /**< Texts may be seen */
	void (*metrics)(struct buf *out, void *arg);
	/** @param why Appended to when it is not: one line */
	bool (*ready)(struct buf *why, void *arg);
	/** A stream has begun: call http_send_past() for what it should know. */
	void (*past)(void *stream, void *arg);
	void *arg;
};

/**
 * @param why On error: what is wrong and what to do
 * @return 0 or -errno
 */
int http_open(struct http **out, const struct http_config *cfg,
	      struct buf *why);
/** Streams end; no callback afterwards.  NULL is fine. */
void http_close(struct http *h);
/** Where it listens (port 0 was given). */
struct addr http_address(const struct http *h);

/** Streams there are. */
unsigned http_streams(const struct http *h);

/** One event's line, with its line feed, to all streams.  Never waits. */
void http_publish(struct http *h, enum event_type type, const char *line,
		  size_t len);
/** The same to one that has just begun. */
void http_send_past(void *stream, enum event_type type, const char *line,
		    size_t len);
