/** @file connection.c  One websocket of a leg to an ASR service */
#include "daemon/call/connection.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/array.h"
#include "daemon/base/log.h"
#include "daemon/net/random.h"
#include "daemon/net/timer.h"
#include "daemon/net/websocket.h"

enum {
	BAD_IN_A_ROW = 5,
	QUEUE_MS = 1000,       /* audio the socket's queue may hold */
	TICK_MS = 100,
	UNHEARD_MAX = 5,       /* lock-step answers missing in a row */
	ANSWER_MS = 2000,      /* a lock-step service is not waited for longer */
	CLOSE_MS = 2000,       /* after an in-band error, or after done() */
	CLOSE_NORMAL = 1000,
};

enum state { CONNECTING, WAITING, STREAMING, DRAINING, CLOSING };

struct connection {
	const struct service *service;
	struct connection_cb cb;
	void *arg;
	uv_loop_t *loop;
	struct websocket *ws;
	struct timer_once *timer; /* ready, answer, drain, close: one at a time */
	struct timer_once *ticker;
	struct asr_session session;
	char id[UUID_TEXT];
	void *state_of_vendor;

	enum state state;
	bool opened;
	bool done;             /* the vendor said so */
	struct reason refused; /* told in-band; class NONE: not */
	bool unanswered;       /* the last audio, by a lock-step service */
	unsigned bad;          /* messages in a row */
	bool unbelievable;     /* times in the message being read */
	unsigned unheard;      /* lock-step: unanswered in a row */
	uint64_t drain_until_ms;
	bool over;             /* the last callback was made */
	struct asr_message message;
	struct websocket_phases phases; /* once the websocket is gone */
};

static const struct asr_vendor *vendor(const struct connection *c)
{
	return c->service->vendor;
}

static void end(struct connection *c, const struct reason *why, bool drained)
{
	if (c->over)
		return;
	struct reason told = *why;

	reason_strike(&told, c->service->settings.key);
	c->over = true;
	websocket_phases(c->ws, &c->phases);
	websocket_close(c->ws);
	c->ws = NULL;
	timer_once_stop(c->timer);
	timer_once_stop(c->ticker);
	c->cb.over(&told, drained, c->arg); /* may close c: last line */
}

static void end_with(struct connection *c, enum reason_class class,
		     const char *text)
{
	struct reason why;

	reason_set(&why, class, 0, "%s", text);
	end(c, &why, false);
}

static void send_message(struct connection *c)
{
	if (c->message.bytes.len && !c->message.bytes.err)
		websocket_send(c->ws, !c->message.binary, c->message.bytes.data,
			       c->message.bytes.len);
	buf_clear(&c->message.bytes);
}

/* -- what the vendor's parser reports -------------------------------------- */

static void on_ready(void *arg)
{
	struct connection *c = arg;

	if (c->state == WAITING) {
		c->state = STREAMING;
		timer_once_stop(c->timer);
		c->cb.ready(c->arg);
	}
}

static void on_session(const char *id, void *arg)
{
	struct connection *c = arg;

	c->cb.session(id, c->arg);
}

static void on_result(const struct asr_result *r, void *arg)
{
	struct connection *c = arg;

	c->unbelievable |= !c->cb.result(r, c->arg);
}

static void on_speech(enum speech_event e, int64_t at_us, void *arg)
{
	struct connection *c = arg;

	c->cb.speech(e, at_us, c->arg);
}

static void on_flushed(void *arg)
{
	(void)arg; /* nobody asks for a flush yet */
}

static void on_refused(enum reason_class class, unsigned code, const char *text,
		       void *arg)
{
	struct connection *c = arg;

	if (c->refused.class == REASON_NONE)
		reason_set(&c->refused, class, code, "%s", text);
}

static void on_done(void *arg)
{
	struct connection *c = arg;

	c->done = true;
}

static struct asr_sink sink(struct connection *c)
{
	return (struct asr_sink){
		.ready = on_ready, .session = on_session, .result = on_result,
		.speech = on_speech, .flushed = on_flushed,
		.refused = on_refused, .done = on_done, .arg = c,
	};
}

static void last_tick(struct connection *c)
{
	const struct asr_sink s = sink(c);

	if (vendor(c)->tick && c->opened)
		vendor(c)->tick(&c->session, uv_now(c->loop) * 1000, true, &s);
}

/* -- the websocket's callbacks --------------------------------------------- */

static void on_tick(void *arg)
{
	struct connection *c = arg;
	const struct asr_sink s = sink(c);

	timer_once_start(c->ticker, TICK_MS);
	vendor(c)->tick(&c->session, uv_now(c->loop) * 1000, false, &s);
}

static void on_open(void *arg)
{
	struct connection *c = arg;

	c->opened = true;
	if (vendor(c)->hello) {
		vendor(c)->hello(&c->session, &c->message);
		send_message(c);
	}
	if (vendor(c)->tick)
		timer_once_start(c->ticker, TICK_MS);
	c->state = WAITING;
	if (vendor(c)->ready_ms)
		timer_once_start(c->timer, vendor(c)->ready_ms);
	else
		on_ready(c); /* may close c: last line */
}

static void close_soon(struct connection *c)
{
	c->state = CLOSING;
	timer_once_start(c->timer, CLOSE_MS);
}

/* After a message while draining: is it over, and how long to wait on? */
static void drain_on(struct connection *c)
{
	if (c->done) {
		if (vendor(c)->closer == ASR_CLIENT_CLOSES)
			websocket_finish(c->ws, CLOSE_NORMAL);
		close_soon(c);
		return;
	}

	const uint64_t now_ms = uv_now(c->loop);
	const uint64_t left = c->drain_until_ms > now_ms
				      ? c->drain_until_ms - now_ms
				      : 0;
	timer_once_start(c->timer, MIN(left, (uint64_t)vendor(c)->drain_ms));
}

/* false: that was the end, and c may be gone. */
static bool on_bad(struct connection *c)
{
	c->cb.bad(c->arg);
	if (++c->bad < BAD_IN_A_ROW)
		return true;
	end_with(c, REASON_PROTOCOL, "five messages in a row made no sense");
	return false;
}

/* As on_bad(). */
static bool read_message(struct connection *c, const uint8_t *data, size_t len)
{
	const struct asr_sink s = sink(c);

	if (vendor(c)->parse(&c->session, (const char *)data, len,
			     uv_now(c->loop) * 1000, &s) < 0)
		return on_bad(c);
	if (c->over)
		return false; /* closed on becoming ready */
	if (c->unbelievable) {
		c->unbelievable = false;
		return on_bad(c);
	}
	c->bad = 0;
	if (c->refused.class != REASON_NONE && c->state != CLOSING)
		close_soon(c);
	else if (c->state == DRAINING)
		drain_on(c);
	if (!c->done || c->state != STREAMING)
		return true;
	/* it ended the stream before we did: whatever was sent since its last
	 * words has to be sent again */
	end_with(c, REASON_RESTART, "the service ended the stream");
	return false;
}

/* It has answered, or is not going to. */
static void go_on(struct connection *c)
{
	c->unanswered = false;
	timer_once_stop(c->timer);
	c->cb.room(c->arg);
}

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct connection *c = arg;

	if (!text || c->state == CONNECTING)
		return; /* no service sends binary: benign */
	c->unheard = 0;
	c->cb.heard(c->arg);
	if (read_message(c, data, len) && c->unanswered &&
	    c->state == STREAMING)
		go_on(c);
}

static void on_dropped(size_t len, void *arg)
{
	struct connection *c = arg;

	(void)len;
	on_bad(c);
}

static void on_writable(void *arg)
{
	struct connection *c = arg;

	c->cb.room(c->arg);
}

/* The vendor's own reading of a status or code, where it has one. */
static void by_vendor(const struct connection *c, struct reason *why)
{
	const char *text = NULL;
	const uint32_t retry_after_ms = why->retry_after_ms;

	if (!why->code || !vendor(c)->meaning)
		return;

	const enum reason_class class = vendor(c)->meaning(why->code, &text);
	if (class != REASON_NONE)
		why->class = class;
	if (text) {
		reason_set(why, why->class, why->code, "%u: %s", why->code,
			   text);
		why->retry_after_ms = retry_after_ms;
	}
}

static void on_closed(const struct reason *from, void *arg)
{
	struct connection *c = arg;
	struct reason why = *from;
	const bool ended = c->state == DRAINING || c->state == CLOSING;

	by_vendor(c, &why);
	if (c->refused.class != REASON_NONE)
		why = c->refused;

	const bool drained =
		ended && c->refused.class == REASON_NONE &&
		(c->done || (vendor(c)->close_is_done &&
			     (from->class == REASON_NONE ||
			      from->code == CLOSE_NORMAL)));
	if (drained)
		last_tick(c);
	end(c, &why, drained);
}

static void on_timer(void *arg)
{
	struct connection *c = arg;
	const bool drained = c->done && c->refused.class == REASON_NONE;

	if (c->state == DRAINING || (c->state == CLOSING && drained))
		last_tick(c);
	switch (c->state) {
	case STREAMING:
		if (++c->unheard < UNHEARD_MAX)
			go_on(c);
		else
			end_with(c, REASON_TIMEOUT,
				 "the service does not answer any more");
		return;
	case WAITING:
		end_with(c, REASON_TIMEOUT,
			 "connected, but the service did not become ready");
		return;
	case DRAINING:
		end_with(c, REASON_TIMEOUT,
			 "the last words did not come in time");
		return;
	default:
		end(c, &c->refused, drained);
	}
}

/* -- for the owner ---------------------------------------------------------- */

static const struct websocket_cb websocket_cb = {
	.open = on_open, .message = on_message, .dropped = on_dropped,
	.writable = on_writable, .closed = on_closed,
};

static size_t queue_max(const struct connection *c)
{
	const struct asr_wire *w = &c->service->settings.wire;
	const size_t bytes = w->encoding == ASR_PCM_S16LE ? 2 : 1;

	return (size_t)w->rate_hz * bytes * QUEUE_MS / 1000;
}

static int connect_now(struct connection *c)
{
	const struct service *s = c->service;
	struct buf target = {0}, headers = {0};

	if (vendor(c)->target)
		vendor(c)->target(&c->session, &target);
	else
		buf_puts(&target, s->target);
	if (vendor(c)->headers)
		vendor(c)->headers(&c->session, &headers);

	const char *name = s->config->tls_server_name;
	const struct websocket_options o = {
		.host = s->host, .port = s->port, .tls = s->tls,
		.resolver = s->resolver,
		.proxy_host = s->proxy_host[0] ? s->proxy_host : NULL,
		.proxy_port = s->proxy_port,
		.proxy_auth = s->proxy_auth.len ? buf_str(&s->proxy_auth)
						: NULL,
		.tls_name = name[0] ? name : NULL, .target = buf_str(&target),
		.headers = buf_str(&headers), .low_water = queue_max(c) / 2,
	};
	const int err = target.err || headers.err
				? -ENOMEM
				: websocket_connect(&c->ws, c->loop, &o,
						    &websocket_cb, c);
	buf_free(&target);
	config_wipe(&headers); /* the key is in them */
	return err;
}

int connection_open(struct connection **out, uv_loop_t *loop,
		    const struct service *s, const struct connection_cb *cb,
		    void *arg)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->service = s;
	c->cb = *cb;
	c->arg = arg;
	c->loop = loop;
	c->state_of_vendor = calloc(1, MAX(s->vendor->state_size, (size_t)1));
	c->session = (struct asr_session){
		.settings = &s->settings, .id = random_uuid(c->id),
		.state = c->state_of_vendor,
	};

	int err = c->state_of_vendor ? 0 : -ENOMEM;
	if (!err)
		err = timer_once_open(&c->timer, loop, on_timer, c);
	if (!err)
		err = timer_once_open(&c->ticker, loop, on_tick, c);
	if (!err)
		err = connect_now(c);
	if (err) {
		connection_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void connection_close(struct connection *c)
{
	if (!c)
		return;
	websocket_close(c->ws);
	timer_once_close(c->timer);
	timer_once_close(c->ticker);
	config_wipe(&c->message.bytes); /* some services take the key in it */
	if (c->state_of_vendor && vendor(c)->close)
		vendor(c)->close(&c->session);
	free(c->state_of_vendor);
	free(c);
}

bool connection_room(const struct connection *c)
{
	return c->state == STREAMING && !c->over && !c->unanswered &&
	       websocket_queued(c->ws) < queue_max(c);
}

size_t connection_unacknowledged(const struct connection *c)
{
	return c->ws && !c->over ? websocket_unacknowledged(c->ws) : 0;
}

int connection_audio(struct connection *c, const uint8_t *data, size_t len)
{
	if (vendor(c)->lock_step) {
		c->unanswered = true;
		timer_once_start(c->timer, ANSWER_MS);
	}
	if (!vendor(c)->audio)
		return websocket_send(c->ws, false, data, len);

	vendor(c)->audio(&c->session, data, len, &c->message);
	if (c->message.bytes.err)
		return -ENOMEM;
	const int err = websocket_send(c->ws, !c->message.binary,
				       c->message.bytes.data,
				       c->message.bytes.len);
	buf_clear(&c->message.bytes);
	return err;
}

void connection_keepalive(struct connection *c)
{
	if (c->state != STREAMING || c->over)
		return;
	if (vendor(c)->idle == ASR_IDLE_PING) {
		websocket_ping(c->ws);
	} else if (vendor(c)->keepalive) {
		vendor(c)->keepalive(&c->session, &c->message);
		send_message(c);
	}
}

void connection_finish(struct connection *c)
{
	if (c->state != STREAMING || c->over)
		return;
	c->state = DRAINING;
	if (vendor(c)->flush_first) {
		vendor(c)->flush(&c->session, &c->message);
		send_message(c);
	}
	vendor(c)->finish(&c->session, &c->message);
	send_message(c);
	c->drain_until_ms = uv_now(c->loop) + vendor(c)->drain_max_ms;
	timer_once_start(c->timer, vendor(c)->drain_ms);
}

bool connection_was_open(const struct connection *c)
{
	return c->opened;
}

void connection_phases(const struct connection *c, struct websocket_phases *out)
{
	if (c->ws)
		websocket_phases(c->ws, out);
	else
		*out = c->phases;
}

bool connection_tls(const struct connection *c, struct tls_facts *out)
{
	const struct tls_session *tls = c->ws ? websocket_tls(c->ws) : NULL;

	if (!tls)
		return false;
	tls_facts(tls, out);
	return true;
}
