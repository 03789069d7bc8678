/** @file http.c  Figures, health and a page to leave open, over HTTP */
#include "daemon/ops/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/ops/page.h"

enum {
	CONNECTIONS = 64,
	STREAMS = 16,
	STREAM_MAX = 256 * 1024,  /* waiting for one reader [bytes] */
	IDLE_S = 30,
	HEAD_MAX = 16 * 1024,     /* of a request, with MHD's own state */
	ALIVE_MS = 15000,         /* a comment, so that dead readers show */
};

struct http {
	struct http_config cfg;
	struct MHD_Daemon *mhd;
	uv_poll_t poll;
	uv_timer_t timer, alive;
	struct addr at;
	struct list streams;
	unsigned n_streams;
	bool running;             /* in MHD_run(): it is not called again */
	bool again, full;
	bool closing;
	unsigned handles;         /* not yet closed */
};

struct stream {
	struct list in_http;
	struct http *http;        /* NULL: it has been closed */
	struct MHD_Connection *connection;
	struct buf out;
	bool waits;               /* suspended */
	bool slow;                /* ends when what waits is sent */
};

/* -- the loop ------------------------------------------------------------------ */

static void run(struct http *h);

static void on_poll(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	run(p->data);
}

static void on_timer(uv_timer_t *t)
{
	run(t->data);
}

static bool is_full(const struct http *h)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		h->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info && info->num_connections >= CONNECTIONS;
}

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (h->running || h->closing) {
		h->again = true;
		return;
	}
	h->running = true;
	do {
		h->again = false;
		MHD_run(h->mhd);
		/* only the next run listens again when it was full */
		h->again |= is_full(h) != h->full;
		h->full = is_full(h);
	} while (h->again);
	h->running = false;
	if (MHD_get_timeout(h->mhd, &ms) == MHD_YES)
		uv_timer_start(&h->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&h->timer);
}

/* -- streams -------------------------------------------------------------------- */

static struct stream *stream_of(struct list *in_http)
{
	return list_item(in_http, struct stream, in_http);
}

static ssize_t on_read(void *arg, uint64_t pos, char *to, size_t max)
{
	struct stream *s = arg;
	const size_t n = s->out.len < max ? s->out.len : max;

	(void)pos;
	if (n) {
		memcpy(to, s->out.data, n);
		buf_shift(&s->out, n);
		return (ssize_t)n;
	}
	if (s->slow || !s->http || s->out.err)
		return MHD_CONTENT_READER_END_OF_STREAM;
	s->waits = true;
	MHD_suspend_connection(s->connection);
	return 0;
}

static void on_stream_over(void *arg)
{
	struct stream *s = arg;

	if (s->http)
		s->http->n_streams--;
	list_remove(&s->in_http);
	buf_free(&s->out);
	free(s);
}

static void wake(struct stream *s)
{
	if (!s->waits)
		return;
	s->waits = false;
	MHD_resume_connection(s->connection);
}

/* Server-sent events: a line is a message. */
static void stream_add(struct stream *s, const char *line, size_t len)
{
	if (s->slow)
		return;
	if (s->out.len + len > STREAM_MAX) {
		s->slow = true;
		return;
	}
	buf_puts(&s->out, "data: ");
	buf_add(&s->out, line, len);
	buf_puts(&s->out, "\n");
}

static bool may_be_seen(const struct http *h, enum event_type type)
{
	return h->cfg.transcripts ||
	       (type != EVENT_SEGMENT && type != EVENT_SPEECH &&
		type != EVENT_DTMF);
}

/* What was added goes out soon, whoever called. */
static void run_soon(struct http *h)
{
	if (!h->running)
		uv_timer_start(&h->timer, on_timer, 0, 0);
	else
		h->again = true;
}

void http_publish(struct http *h, enum event_type type, const char *line,
		  size_t len)
{
	if (!h || !h->n_streams || !may_be_seen(h, type))
		return;
	list_each(&h->streams, item) {
		stream_add(stream_of(item), line, len);
		wake(stream_of(item));
	}
	run_soon(h);
}

void http_send_past(void *stream, enum event_type type, const char *line,
		    size_t len)
{
	struct stream *s = stream;

	if (may_be_seen(s->http, type))
		stream_add(s, line, len);
}

static void on_alive(uv_timer_t *t)
{
	struct http *h = t->data;

	list_each(&h->streams, item) {
		struct stream *s = stream_of(item);

		if (!s->out.len)
			buf_puts(&s->out, ":\n\n");
		wake(s);
	}
	run_soon(h);
}

/* -- requests ------------------------------------------------------------------- */

static void headers(struct MHD_Response *r, const char *type)
{
	static const char *const all[][2] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'self'; style-src 'self'; "
		  "connect-src 'self'; base-uri 'none'; form-action 'none'; "
		  "frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Cache-Control", "no-store" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		MHD_add_response_header(r, all[i][0], all[i][1]);
	MHD_add_response_header(r, "Content-Type", type);
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned code,
			      const char *type, const void *data, size_t len,
			      enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r =
		MHD_create_response_from_buffer(len, (void *)(uintptr_t)data,
						mode);

	if (!r)
		return MHD_NO;
	headers(r, type);
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD");
	const enum MHD_Result done = MHD_queue_response(c, code, r);

	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result say(struct MHD_Connection *c, unsigned code,
			   const char *text)
{
	return answer(c, code, "text/plain; charset=utf-8", text, strlen(text),
		      MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result give_metrics(const struct http *h,
				    struct MHD_Connection *c)
{
	struct buf out = {0};

	h->cfg.metrics(&out, h->cfg.arg);
	const enum MHD_Result done =
		out.err ? MHD_NO
			: answer(c, MHD_HTTP_OK,
				 "text/plain; version=0.0.4; charset=utf-8",
				 buf_str(&out), out.len, MHD_RESPMEM_MUST_COPY);
	buf_free(&out);
	return done;
}

static enum MHD_Result give_readiness(const struct http *h,
				      struct MHD_Connection *c)
{
	struct buf why = {0};
	const bool ready = h->cfg.ready(&why, h->cfg.arg);
	const enum MHD_Result done =
		say(c, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		    ready ? "ready\n" : buf_str(&why));

	buf_free(&why);
	return done;
}

static enum MHD_Result give_stream(struct http *h, struct MHD_Connection *c)
{
	if (h->n_streams >= STREAMS)
		return say(c, MHD_HTTP_SERVICE_UNAVAILABLE,
			   "16 pages are open already; close one\n");
	struct stream *s = calloc(1, sizeof(*s));
	if (!s)
		return MHD_NO;
	s->connection = c;
	s->http = h;
	list_init(&s->in_http);
	list_add(&h->streams, &s->in_http);
	h->n_streams++;
	buf_puts(&s->out, "retry: 2000\n\n");
	struct MHD_Response *r = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 32 * 1024, on_read, s, on_stream_over);
	if (!r) {
		on_stream_over(s);
		return MHD_NO;
	}
	headers(r, "text/event-stream; charset=utf-8");
	h->cfg.past(s, h->cfg.arg);
	const enum MHD_Result done = MHD_queue_response(c, MHD_HTTP_OK, r);

	MHD_destroy_response(r);
	return done;
}

/* A name of somebody's own may lead to our loopback address. */
static bool host_is_ours(const struct http *h, struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND,
						       "Host");
	struct addr at;

	if (!addr_is_loopback(&h->at))
		return true;
	if (!host)
		return false;
	const bool six = *host == '[';
	const size_t len = six ? strcspn(host, "]") : strcspn(host, ":");

	return (len == 9 && !strncasecmp(host, "localhost", len)) ||
	       (len > 0 && !addr_parse(&at, host + six, len - six));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *body,
				  size_t *body_len, void **state)
{
	static char begun;
	struct http *h = arg;

	(void)version;
	(void)body;
	if (!*state) { /* only its head is there */
		*state = &begun;
		return MHD_YES;
	}
	if (*body_len) {
		*body_len = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "reads only\n");
	if (!host_is_ours(h, c))
		return say(c, MHD_HTTP_FORBIDDEN,
			   "ask by address, or as localhost\n");
	if (!strcmp(url, "/metrics"))
		return give_metrics(h, c);
	if (!strcmp(url, "/healthz"))
		return say(c, MHD_HTTP_OK, "ok\n");
	if (!strcmp(url, "/readyz"))
		return give_readiness(h, c);
	if (!strcmp(url, "/stream"))
		return give_stream(h, c);
	for (const struct page_file *f = page_files; f->path; f++)
		if (!strcmp(url, f->path))
			return answer(c, MHD_HTTP_OK, f->type, f->data,
				      (size_t)(f->end - f->data),
				      MHD_RESPMEM_PERSISTENT);
	return say(c, MHD_HTTP_NOT_FOUND,
		   "here are /, /metrics, /healthz and /readyz\n");
}

/* -- its life ------------------------------------------------------------------- */

static void on_log(void *arg, const char *fmt, va_list ap)
{
	/* texts of requests could be in it */
	(void)arg;
	(void)fmt;
	(void)ap;
}

static int listening_socket(struct http *h, const struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&sa, at);
	const int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC |
			      SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sa, len) || listen(fd, 64)) {
		const int err = -errno;

		close(fd);
		return err;
	}
	len = sizeof(sa);
	if (!getsockname(fd, (struct sockaddr *)&sa, &len))
		addr_from_sockaddr(&h->at, (struct sockaddr *)&sa);
	return fd;
}

static struct MHD_Daemon *start(struct http *h, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, on_request, h,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX,
		MHD_OPTION_END);
}

static void on_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	if (--h->handles == 0)
		free(h);
}

static void close_handle(struct http *h, uv_handle_t *handle)
{
	h->handles++;
	handle->data = h;
	uv_close(handle, on_closed);
}

int http_open(struct http **out, const struct http_config *cfg, struct buf *why)
{
	struct http *h = calloc(1, sizeof(*h));
	char text[ADDR_TEXT];

	if (!h)
		return -ENOMEM;
	h->cfg = *cfg;
	list_init(&h->streams);
	const int fd = listening_socket(h, &cfg->listen);
	if (fd < 0) {
		buf_printf(why, "cannot listen on %s: %s; %s",
			   addr_print(text, &cfg->listen), strerror(-fd),
			   fd == -EADDRINUSE ? "stop what has this port, or "
					       "choose another"
			   : fd == -EADDRNOTAVAIL ? "choose an address of this "
						    "machine"
						  : "choose another");
		free(h);
		return fd;
	}
	h->mhd = start(h, fd);
	const union MHD_DaemonInfo *info =
		h->mhd ? MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)
		       : NULL;
	if (!info || uv_poll_init(cfg->loop, &h->poll, info->epoll_fd)) {
		buf_puts(why, "the HTTP server does not start");
		if (h->mhd)
			MHD_stop_daemon(h->mhd);
		else
			close(fd);
		free(h);
		return -EIO;
	}
	uv_timer_init(cfg->loop, &h->timer);
	uv_timer_init(cfg->loop, &h->alive);
	h->poll.data = h->timer.data = h->alive.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_poll);
	uv_timer_start(&h->alive, on_alive, ALIVE_MS, ALIVE_MS);
	*out = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	h->closing = true;
	list_each(&h->streams, item) { /* MHD frees those that are not asleep */
		struct stream *s = stream_of(item);

		wake(s);
		s->http = NULL;
	}
	uv_poll_stop(&h->poll);
	MHD_stop_daemon(h->mhd);
	close_handle(h, (uv_handle_t *)&h->poll);
	close_handle(h, (uv_handle_t *)&h->timer);
	close_handle(h, (uv_handle_t *)&h->alive);
}

struct addr http_address(const struct http *h)
{
	return h->at;
}

unsigned http_streams(const struct http *h)
{
	return h->n_streams;
}
