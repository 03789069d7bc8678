/**
 * @file stream.h  Bytes over TCP, with or without TLS
 *
 * The handshake of TLS runs in the thread pool, a step a job over memory
 * buffers; closing meanwhile is safe.
 *
 *   open()    write and expect data(): TCP is up, or TLS in what was accepted;
 *             once more when what stream_secure() began is done
 *   closed()  once, the last; the owner still calls stream_close()
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/reason.h"

struct stream;
struct tls_context;
struct tls_session;

/** Copied; any may be NULL.  Every one may close the stream. */
struct stream_cb {
	void (*open)(void *arg);
	void (*data)(const uint8_t *data, size_t len, void *arg); /**< Borrowed */
	/** Queued bytes were taken by the kernel. */
	void (*drained)(void *arg);
	/** REASON_TCP before open(), REASON_TLS, REASON_NETWORK. */
	void (*closed)(const struct reason *why, void *arg);
};

/**
 * TCP to one address; see net/race.h for several.
 *
 * @param timeout_ms Until open()
 *
 * @return 0 or -errno; errors of the network come by closed(), later
 */
int stream_connect(struct stream **out, uv_loop_t *loop, const struct addr *to,
		   uint32_t timeout_ms, const struct stream_cb *cb, void *arg);
/** From now on these are called. */
void stream_adopt(struct stream *s, const struct stream_cb *cb, void *arg);
/**
 * Begin TLS as a client, after open(): no data() and no stream_write() until
 * open() comes again.
 *
 * @param tls Must outlive the stream
 *
 * @return 0, -ENOTCONN, -EALREADY, -EINVAL (no name) or -ENOMEM
 */
int stream_secure(struct stream *s, const struct tls_context *tls,
		  const char *tls_name);
/** Take the next connection of a listener, with or without TLS. */
int stream_accept(struct stream **out, uv_stream_t *listener,
		  const struct tls_context *tls, const struct stream_cb *cb,
		  void *arg);

/** After open().  @return 0, -ENOTCONN or -ENOMEM */
int stream_write(struct stream *s, const void *data, size_t len);
/** Bytes the kernel has not taken. */
size_t stream_queued(const struct stream *s);
/** The same and what the peer's host has not acknowledged. */
size_t stream_unacknowledged(const struct stream *s);
/** Stop and resume reading. */
void stream_pause(struct stream *s, bool paused);
struct addr stream_peer(const struct stream *s);
/** Our end. */
struct addr stream_local(const struct stream *s);
/** NULL without TLS, or before open(). */
const struct tls_session *stream_tls(const struct stream *s);

/* Each ends it, without a callback; NULL is fine. */

/** At once. */
void stream_close(struct stream *s);
/** What is queued goes out first; closed when the peer does, or in 1 s. */
void stream_end(struct stream *s);
/** With a TCP reset. */
void stream_reset(struct stream *s);
