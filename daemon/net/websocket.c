/** @file websocket.c  A websocket that is open: messages, pings, the end */
#include "daemon/base/log.h"
#include "daemon/net/websocket.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/net/random.h"
#include "daemon/net/websocket_impl.h"

enum {
	PING_MS = 5000,   /* nothing received this long: a ping; twice: dead */
	FINISH_MS = 2000, /* the peer's answer to our close */
	LOW_WATER = 16 * 1024,
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* -- the end -------------------------------------------------------------- */

static void on_freed(uv_handle_t *h)
{
	struct websocket *ws = h->data;

	websocket_dial_free(ws->dial);
	websocket_serve_free(ws->serve);
	frames_free(ws->frames);
	buf_free(&ws->out);
	free(ws);
}

static void drop_stream(struct websocket *ws)
{
	if (ws->linger)
		stream_end(ws->stream);
	else
		stream_close(ws->stream);
	ws->stream = NULL;
}

static void stop(struct websocket *ws)
{
	ws->state = WS_OVER;
	uv_timer_stop(&ws->timer);
	if (ws->frames)
		frames_stop(ws->frames);
	if (ws->dial)
		websocket_dial_stop(ws->dial);
	drop_stream(ws);
}

void websocket_over(struct websocket *ws, const struct reason *why)
{
	if (ws->state == WS_OVER)
		return;
	/* a server's that the owner never heard of is ours to end */
	const bool ours = ws->serve && !ws->serve->accepted;
	const struct reason copy = *why;

	stop(ws);
	if (ours)
		websocket_close(ws);
	else if (ws->cb.closed)
		ws->cb.closed(&copy, ws->arg);
}

void websocket_close(struct websocket *ws)
{
	if (!ws || ws->closing)
		return;
	ws->closing = true;
	if (ws->serve)
		list_remove(&ws->serve->item);
	stop(ws);
	uv_close((uv_handle_t *)&ws->timer, on_freed);
}

void websocket_reset(struct websocket *ws)
{
	stream_reset(ws->stream);
	ws->stream = NULL;
	stop(ws);
}

/* -- out ------------------------------------------------------------------ */

static int write_out(struct websocket *ws, int err)
{
	if (!err)
		err = ws->out.err;
	if (!err)
		err = stream_write(ws->stream, ws->out.data, ws->out.len);
	buf_clear(&ws->out);
	if (stream_queued(ws->stream) > ws->low_water)
		ws->above = true;
	return err;
}

static void send_close(struct websocket *ws, unsigned code, const char *text)
{
	write_out(ws, frames_close(ws->frames, code, text, &ws->out));
}

size_t websocket_unacknowledged(const struct websocket *ws)
{
	return ws->stream ? stream_unacknowledged(ws->stream) : 0;
}

/* Answers to pings, when the network takes them. */
static void send_pongs(struct websocket *ws)
{
	if (stream_queued(ws->stream))
		return;
	frames_pongs(ws->frames, &ws->out);
	if (ws->out.len)
		write_out(ws, 0);
}

int websocket_send(struct websocket *ws, bool text, const void *data,
		   size_t len)
{
	if (!data || len == 0)
		return -EINVAL;
	if (ws->state != WS_OPEN)
		return -ENOTCONN;
	send_pongs(ws); /* the ping came before what this answers */
	return write_out(ws, frames_message(ws->frames, text, data, len,
					    &ws->out));
}

int websocket_ping(struct websocket *ws)
{
	if (ws->state != WS_OPEN)
		return -ENOTCONN;
	return write_out(ws, frames_ping(ws->frames, &ws->out));
}

int websocket_send_raw(struct websocket *ws, const void *data, size_t len)
{
	if (!ws->stream)
		return -ENOTCONN;
	return stream_write(ws->stream, data, len);
}

size_t websocket_queued(const struct websocket *ws)
{
	return ws->stream ? stream_queued(ws->stream) : 0;
}

void websocket_drained(void *arg)
{
	struct websocket *ws = arg;

	if (ws->state != WS_OPEN && ws->state != WS_FINISHING)
		return;
	send_pongs(ws);
	if (!ws->above || stream_queued(ws->stream) > ws->low_water)
		return;
	ws->above = false;
	if (ws->cb.writable && ws->state == WS_OPEN)
		ws->cb.writable(ws->arg);
}

/* -- time ----------------------------------------------------------------- */

static void on_idle(uv_timer_t *t);

static void watch(struct websocket *ws)
{
	const uint64_t idle = now_ms() - ws->heard_ms;
	const uint64_t until = (ws->pinged ? 2u : 1u) * (uint64_t)ws->ping_ms;

	uv_timer_start(&ws->timer, on_idle, idle < until ? until - idle : 1, 0);
}

static void on_idle(uv_timer_t *t)
{
	struct websocket *ws = t->data;
	const uint64_t idle = now_ms() - ws->heard_ms;
	struct reason why;

	if (ws->paused)
		ws->heard_ms = now_ms(); /* we do not listen: no proof */
	else if (idle >= 2 * (uint64_t)ws->ping_ms && ws->pinged) {
		reason_set(&why, REASON_NETWORK, 1006,
			   "nothing received for %llu ms, not even a pong",
			   (unsigned long long)idle);
		websocket_over(ws, &why);
		return;
	} else if (idle >= ws->ping_ms && !ws->pinged) {
		ws->pinged = true;
		websocket_ping(ws);
	}
	watch(ws);
}

static void on_finish(uv_timer_t *t)
{
	struct websocket *ws = t->data;
	struct reason why;

	if (ws->stream)
		reason_set(&why, REASON_NETWORK, 1006,
			   "the peer did not answer our close within %d ms",
			   FINISH_MS);
	else
		reason_set(&why, REASON_NONE, 0, "given up before it was open");
	websocket_over(ws, &why);
}

void websocket_finish(struct websocket *ws, unsigned code)
{
	websocket_finish_with(ws, code, NULL);
}

void websocket_finish_with(struct websocket *ws, unsigned code,
			   const char *reason)
{
	if (ws->state == WS_FINISHING || ws->state == WS_OVER)
		return;
	if (ws->state == WS_OPEN) {
		send_close(ws, code, reason);
		ws->finish_code = code;
	} else {
		stop(ws); /* nothing was open: soon over */
	}
	ws->state = WS_FINISHING;
	uv_timer_start(&ws->timer, on_finish, ws->stream ? FINISH_MS : 0, 0);
}

/* -- in ------------------------------------------------------------------- */

static void peer_closed(struct websocket *ws, const struct frames_end *end)
{
	const char *text = *end->text ? end->text : "no reason given";
	struct reason why;

	ws->linger = true;
	if (ws->state == WS_FINISHING) {
		const bool echo = end->code == 1000 || end->code == 1005 ||
				  end->code == ws->finish_code;

		reason_set(&why, echo ? REASON_NONE : reason_of_close(end->code),
			   end->code, "closed: %u, %s", end->code, text);
	} else {
		send_pongs(ws); /* pings that came with it */
		send_close(ws, end->code == 1005 ? 0 : end->code, NULL);
		reason_set(&why,
			   reason_of_close(end->code == 1005 ? 1000 : end->code),
			   end->code, "the peer closed: %u, %s", end->code, text);
	}
	websocket_over(ws, &why);
}

static struct log_limit broken; /* one for all: a service breaks many */

static void broke_rules(struct websocket *ws, const struct frames_end *end)
{
	char kinds[FRAMES_KINDS];
	struct reason why;
	uint64_t kept_back;

	if (log_limited(&broken, now_ms() * 1000, &kept_back)) {
		frames_kinds(ws->frames, kinds);
		log_info("ws", "%s; the last frames were of kinds %s (%llu more "
			 "since the last such line)", end->text, kinds,
			 (unsigned long long)kept_back);
	}
	if (ws->state == WS_OPEN)
		send_close(ws, end->code, end->text);
	ws->linger = true;
	reason_set(&why, REASON_PROTOCOL, end->code,
		   "the peer broke the websocket protocol: %s", end->text);
	websocket_over(ws, &why);
}

void websocket_input(struct websocket *ws, const uint8_t *data, size_t len)
{
	struct frames_end end;
	struct reason why;

	ws->heard_ms = now_ms();
	ws->pinged = false;
	switch (frames_feed(ws->frames, data, len, uv_hrtime() / 1000, &end)) {
	case 0:
		if (ws->stream)
			send_pongs(ws);
		break;
	case 1:
		peer_closed(ws, &end);
		break;
	case -EPROTO:
		broke_rules(ws, &end);
		break;
	case -ENOMEM:
		reason_set(&why, REASON_NETWORK, 1006, "out of memory");
		websocket_over(ws, &why);
		break;
	}
}

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct websocket *ws = arg;

	if (ws->cb.message)
		ws->cb.message(text, data, len, ws->arg);
}

static void on_dropped(size_t len, void *arg)
{
	struct websocket *ws = arg;

	if (ws->cb.dropped)
		ws->cb.dropped(len, ws->arg);
}

static void mask(uint8_t *out, size_t len, void *arg)
{
	(void)arg;
	random_bytes(out, len);
}

void websocket_opened(struct websocket *ws, const uint8_t *rest, size_t len)
{
	ws->state = WS_OPEN;
	ws->heard_ms = now_ms();
	watch(ws);
	if (ws->cb.open)
		ws->cb.open(ws->arg);
	if (len && (ws->state == WS_OPEN || ws->state == WS_FINISHING))
		websocket_input(ws, rest, len);
}

/* -- the beginning -------------------------------------------------------- */

int websocket_new(struct websocket **out, uv_loop_t *loop, bool server)
{
	const struct frames_cb cb = { .message = on_message,
				      .dropped = on_dropped };
	struct websocket *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return -ENOMEM;
	if (frames_new(&ws->frames, server, mask, &cb, ws)) {
		free(ws);
		return -ENOMEM;
	}
	ws->loop = loop;
	ws->server = server;
	ws->low_water = LOW_WATER;
	ws->ping_ms = PING_MS;
	ws->started_ms = now_ms();
	uv_timer_init(loop, &ws->timer); /* cannot fail */
	ws->timer.data = ws;
	*out = ws;
	return 0;
}

void websocket_pause(struct websocket *ws, bool paused)
{
	ws->paused = paused;
	if (ws->stream)
		stream_pause(ws->stream, paused);
}

void websocket_phases(const struct websocket *ws, struct websocket_phases *out)
{
	*out = ws->phases;
}

const struct tls_session *websocket_tls(const struct websocket *ws)
{
	return ws->stream ? stream_tls(ws->stream) : NULL;
}
