/** @file frames.c  Websocket frames that come in (RFC 6455 section 5 to 7) */
#include "daemon/ws/frames.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "daemon/ws/frames_impl.h"

enum { KEEP = 64 * 1024, SECOND_US = 1000000 };

bool frames_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
		code != 1006) ||
	       (code >= 3000 && code <= 4999);
}

/* -- in ------------------------------------------------------------------- */

static void fail(struct frames *f, unsigned code, const char *wrong)
{
	if (!f->verdict) {
		f->verdict = code;
		f->wrong = wrong;
	}
	wslay_event_shutdown_read(f->wslay);
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *out, size_t len,
		       int flags, void *arg)
{
	struct frames *f = arg;
	const size_t n = gate_next(&f->gate, &f->in, &f->in_left, out, len);

	(void)flags;
	if (n == 0) {
		f->dry = true;
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	return (ssize_t)n;
}

static void count_control(struct frames *f)
{
	if (f->now_us - f->second_us >= SECOND_US) {
		f->second_us = f->now_us;
		f->controls = 0;
	}
	if (++f->controls > FRAMES_CONTROLS)
		fail(f, 1008, "too many control frames");
}

static void start_data(struct frames *f, uint64_t len)
{
	if (f->opcode != WSLAY_CONTINUATION_FRAME) {
		f->total = 0;
		f->dropping = false;
		f->message.len = 0;
	}
	if (len > FRAMES_MAX - f->total) {
		fail(f, 1009, "a message is over 4 MiB");
		return;
	}
	f->total += (size_t)len;
	f->dropping = f->total > FRAMES_MESSAGE;
	if (f->dropping)
		buf_free(&f->message);
}

static void on_start(wslay_event_context_ptr ctx,
		     const struct wslay_event_on_frame_recv_start_arg *a,
		     void *arg)
{
	struct frames *f = arg;

	(void)ctx;
	f->opcode = a->opcode;
	if (wslay_is_ctrl_frame(a->opcode))
		count_control(f);
	else
		start_data(f, a->payload_length);
	if (a->opcode == WSLAY_CONNECTION_CLOSE)
		f->close_len = 0;
}

static void on_chunk(wslay_event_context_ptr ctx,
		     const struct wslay_event_on_frame_recv_chunk_arg *a,
		     void *arg)
{
	struct frames *f = arg;

	(void)ctx;
	if (f->opcode == WSLAY_CONNECTION_CLOSE) {
		if (a->data_length > CONTROL_MAX - f->close_len)
			return; /* wslay refuses it */
		memcpy(f->close + f->close_len, a->data, a->data_length);
		f->close_len += a->data_length;
	} else if (!wslay_is_ctrl_frame(f->opcode) && !f->dropping) {
		buf_add(&f->message, a->data, a->data_length);
		if (f->message.err)
			wslay_event_shutdown_read(ctx);
	}
}

/* wslay forgets codes 1012 to 1014 and lets some payloads pass: judged here,
 * before it does. */
static void on_end(wslay_event_context_ptr ctx, void *arg)
{
	struct frames *f = arg;

	if (f->opcode != WSLAY_CONNECTION_CLOSE || f->verdict)
		return;
	if (f->close_len == 1)
		fail(f, 1002, "a close frame of one byte");
	else if (f->close_len &&
		 !frames_close_code((unsigned)(f->close[0] << 8 | f->close[1])))
		fail(f, 1002, "a close code that must not be sent");
	else if (f->close_len > 2 &&
		 !utf8_valid((const char *)f->close + 2, f->close_len - 2))
		fail(f, 1007, "a close reason that is not UTF-8");
	else
		f->peer_closed = true;
	wslay_event_shutdown_read(ctx);
}

static void queue_pong(struct frames *f, const uint8_t *data, size_t len)
{
	const uint8_t n = (uint8_t)len;

	if (f->n_pongs == FRAMES_PONGS) {
		f->n_pongs = 0;
		buf_clear(&f->pongs);
	}
	if (!buf_room(&f->pongs, len + 1))
		return;
	buf_add(&f->pongs, &n, 1);
	buf_add(&f->pongs, data, len);
	f->n_pongs++;
}

static void deliver(struct frames *f, bool text)
{
	const uint8_t nothing = 0;

	if (f->dropping && f->cb.dropped)
		f->cb.dropped(f->total, f->arg);
	else if (!f->dropping && f->cb.message)
		f->cb.message(text, f->message.data ? f->message.data : &nothing,
			      f->message.len, f->arg);
	if (f->message.size > KEEP)
		buf_free(&f->message);
	f->message.len = 0;
}

static void on_message(wslay_event_context_ptr ctx,
		       const struct wslay_event_on_msg_recv_arg *a, void *arg)
{
	struct frames *f = arg;

	(void)ctx;
	if (f->stopped || f->verdict || f->peer_closed || f->message.err)
		return;
	if (a->opcode == WSLAY_PING)
		queue_pong(f, a->msg, a->msg_length);
	else if (!wslay_is_ctrl_frame(a->opcode))
		deliver(f, a->opcode == WSLAY_TEXT_FRAME);
}

/* wslay's own answers go nowhere: ours are written below, where their number
 * is bounded.  What it would have closed with is its verdict. */
static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data,
		       size_t len, int flags, void *arg)
{
	(void)ctx;
	(void)data;
	(void)flags;
	(void)arg;
	return (ssize_t)len;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *out, size_t len,
		   void *arg)
{
	(void)ctx;
	(void)arg;
	memset(out, 0, len);
	return 0;
}

int frames_new(struct frames **out, bool server, frames_random_fn *random,
	       const struct frames_cb *cb, void *arg)
{
	const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.genmask_callback = on_mask,
		.on_frame_recv_start_callback = on_start,
		.on_frame_recv_chunk_callback = on_chunk,
		.on_frame_recv_end_callback = on_end,
		.on_msg_recv_callback = on_message,
	};
	struct frames *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->cb = *cb;
	f->random = random;
	f->arg = arg;
	f->server = server;
	if (server ? wslay_event_context_server_init(&f->wslay, &callbacks, f)
		   : wslay_event_context_client_init(&f->wslay, &callbacks, f)) {
		free(f);
		return -ENOMEM;
	}
	wslay_event_config_set_no_buffering(f->wslay, 1);
	wslay_event_config_set_max_recv_msg_length(f->wslay, FRAMES_MAX);
	*out = f;
	return 0;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	wslay_event_context_free(f->wslay);
	buf_free(&f->message);
	buf_free(&f->pongs);
	free(f);
}

static int end_of_peer(const struct frames *f, struct frames_end *end)
{
	const size_t n = f->close_len > 2 ? f->close_len - 2 : 0;

	end->code = f->close_len ? (unsigned)(f->close[0] << 8 | f->close[1])
				 : 1005;
	memcpy(end->text, f->close + 2, n);
	end->text[n] = 0;
	for (size_t i = 0; i < n; i++)
		if (!end->text[i])
			end->text[i] = '?';
	utf8_clean(end->text);
	return 1;
}

static int end_of_ours(const struct frames *f, struct frames_end *end)
{
	end->code = f->verdict;
	snprintf(end->text, sizeof(end->text), "%s", f->wrong);
	return -EPROTO;
}

static void ask_wslay(struct frames *f)
{
	unsigned code;

	wslay_event_send(f->wslay);
	if (wslay_event_get_read_enabled(f->wslay))
		return;
	/* -400 without a code: length or flags of a frame are impossible */
	code = wslay_event_get_status_code_sent(f->wslay);
	f->verdict = code == 1007 || code == 1009 ? code : 1002;
	f->wrong = code == 1007	  ? "text that is not UTF-8"
		   : code == 1009 ? "a frame is over 4 MiB"
				  : "frames against the rules";
}

int frames_feed(struct frames *f, const uint8_t *data, size_t len,
		uint64_t now_us, struct frames_end *end)
{
	int err = 0;

	f->in = data;
	f->in_left = len;
	f->now_us = now_us;
	f->dry = false;
	/* a short read ends wslay's loop although bytes are left */
	do
		err = wslay_event_recv(f->wslay);
	while (!err && !f->dry && wslay_event_get_read_enabled(f->wslay));
	f->in = NULL;

	if (f->stopped)
		return -ECANCELED;
	if (err == WSLAY_ERR_NOMEM || f->message.err || f->pongs.err)
		return -ENOMEM;
	if (f->peer_closed)
		return end_of_peer(f, end);
	if (!f->verdict)
		ask_wslay(f);
	return f->verdict ? end_of_ours(f, end) : 0;
}

void frames_kinds(const struct frames *f, char out[FRAMES_KINDS])
{
	const struct gate *g = &f->gate;
	const size_t n = g->frames < GATE_KINDS ? g->frames : GATE_KINDS;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x",
			 g->kinds[(g->frames - n + i) % GATE_KINDS]);
}

void frames_stop(struct frames *f)
{
	f->stopped = true;
	wslay_event_shutdown_read(f->wslay);
}
