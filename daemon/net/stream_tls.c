/** @file stream_tls.c  TLS in a stream: steps of the handshake as pool jobs */
#include <errno.h>
#include <stdlib.h>

#include "daemon/net/stream_impl.h"

enum { IN_MAX = 256 * 1024 }; /* more before the handshake is done: refused */

/* One step.  It owns the session until it is back on the loop. */
struct stream_job {
	uv_work_t work;
	struct stream *owner; /* NULL: the stream is gone */
	struct tls_session *tls;
	struct buf out;
	struct reason why;
	int result;
};

static int step(struct stream *s);

static void work(uv_work_t *w)
{
	struct stream_job *j = w->data;

	j->result = tls_handshake(j->tls, &j->out, &j->why);
}

static void fail(struct stream *s, const char *text)
{
	reason_set(&s->why, REASON_NETWORK, 1006, "%s", text);
	stream_over(s);
}

/* Decrypt what there is and hand it up. */
static void decrypt(struct stream *s, const uint8_t *data, size_t len)
{
	int err = tls_feed(s->tls, data, len);

	s->plain.len = 0;
	if (!err)
		err = tls_read(s->tls, &s->plain, &s->pending);
	stream_flush(s);
	if (s->plain.len && s->cb.data) {
		s->cb.data(s->plain.data, s->plain.len, s->arg);
		if (s->closing || s->over || s->ended)
			return;
	}
	if (err == 1)
		fail(s, "the peer closed TLS");
	else if (err)
		fail(s, err == -ENOMEM ? "out of memory"
				       : "a TLS record makes no sense");
}

static void finished(struct stream *s)
{
	struct buf in = s->in;

	s->in = (struct buf){0};
	stream_up(s);
	if (!s->closing && !s->over && !s->ended)
		decrypt(s, in.data, in.len);
	buf_free(&in);
	if (s->eof && !s->closing && !s->over)
		fail(s, "the peer ended the connection");
}

static void step_or_fail(struct stream *s)
{
	const int err = step(s);

	if (err)
		fail(s, err == -ENOMEM ? "out of memory"
				       : "no thread for the TLS handshake");
}

static void after(uv_work_t *w, int status)
{
	struct stream_job *j = w->data;
	struct stream *s = j->owner;

	if (!s) {
		tls_session_free(j->tls);
		buf_free(&j->out);
		free(j);
		return;
	}
	const int result = status ? status : j->result;

	s->tls = j->tls;
	s->job = NULL;
	s->why = j->why;
	buf_add(&s->pending, j->out.data, j->out.len);
	buf_free(&j->out);
	free(j);
	stream_flush(s);
	if (s->over || s->closing)
		return;
	if (result < 0)
		stream_over(s);
	else if (result == 1)
		finished(s);
	else if (s->in.len)
		step_or_fail(s);
	else if (s->eof)
		fail(s, "the peer ended the connection during the TLS "
			"handshake");
}

static int step(struct stream *s)
{
	struct stream_job *j = calloc(1, sizeof(*j));

	if (!j || tls_feed(s->tls, s->in.data, s->in.len)) {
		free(j);
		return -ENOMEM;
	}
	s->in.len = 0;
	j->owner = s;
	j->tls = s->tls;
	j->work.data = j;
	if (uv_queue_work(s->tcp.loop, &j->work, work, after)) {
		free(j);
		return -EAGAIN;
	}
	s->job = j;
	s->tls = NULL;
	return 0;
}

int stream_tls_start(struct stream *s)
{
	return step(s);
}

void stream_tls_input(struct stream *s, const uint8_t *data, size_t len)
{
	if (s->up) {
		decrypt(s, data, len);
		return;
	}
	if (len > IN_MAX - s->in.len) {
		fail(s, "too many bytes before the TLS handshake was done");
		return;
	}
	buf_add(&s->in, data, len);
	if (s->in.err)
		fail(s, "out of memory");
	else if (!s->job)
		step_or_fail(s);
}

bool stream_tls_eof(struct stream *s)
{
	if (!s->job)
		return false;
	s->eof = true;
	uv_read_stop((uv_stream_t *)&s->tcp);
	return true;
}

int stream_tls_write(struct stream *s, const void *data, size_t len)
{
	return tls_write(s->tls, data, len, &s->pending);
}

void stream_tls_free(struct stream *s)
{
	if (s->job)
		s->job->owner = NULL; /* after() frees both */
	tls_session_free(s->tls);
}
