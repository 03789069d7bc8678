/** @file stream_impl.h  Shared by stream.c and stream_tls.c only */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/net/stream.h"
#include "daemon/net/tls.h"

struct stream_job;

struct stream {
	uv_tcp_t tcp;
	uv_timer_t timer;
	unsigned handles;       /* not yet closed; the last one frees */
	struct stream_cb cb;
	void *arg;

	bool closing;           /* by the owner: no callback any more */
	bool ended;             /* by stream_end(): what comes is not read */
	bool over;              /* closed() was called, or will be */
	bool up;                /* open() was called, and no TLS has begun */
	bool paused;
	struct reason why;      /* once `over` */

	uv_connect_t connect;
	uv_shutdown_t shutdown;
	uv_write_t write;
	bool writing;
	struct buf sending;     /* in the hands of libuv */
	struct buf pending;     /* behind it */

	struct tls_session *tls;
	struct stream_job *job; /* a step that runs; it owns `tls` meanwhile */
	struct buf in;          /* came during that step */
	bool eof;               /* likewise */
	struct buf plain;
	char peer[ADDR_TEXT];
};

/* stream.c */
void stream_flush(struct stream *s);
/** Report the end; the caller touches the stream no more. */
void stream_over(struct stream *s);
/** Report it from the loop, soon: callable from stream_write(). */
void stream_over_later(struct stream *s);
void stream_up(struct stream *s);

/* stream_tls.c */
/** TCP is up: begin.  @return 0 or -errno: nothing runs */
int stream_tls_start(struct stream *s);
void stream_tls_input(struct stream *s, const uint8_t *data, size_t len);
/** The peer ended TCP: is a step still running, which tells more? */
bool stream_tls_eof(struct stream *s);
int stream_tls_write(struct stream *s, const void *data, size_t len);
void stream_tls_free(struct stream *s);
