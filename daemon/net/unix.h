/**
 * @file unix.h  Programs on the same machine: UNIX stream sockets on the loop
 *
 * A connection's output is bounded and never waits for its reader: what does
 * not fit is refused with -ENOBUFS, so the owner looks at unix_queued() first
 * and goes on in writable().
 *
 * A socket that systemd listens on (activated.h) is taken as it is: its mode and
 * group are its unit's matter, and it stays when the listener closes.
 *
 * SIGPIPE must be ignored by the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "daemon/base/buf.h"

struct unix_listener;
struct unix_conn;

/** Copied. */
struct unix_options {
	const char *path;        /**< 1 to 107 bytes */
	unsigned mode;           /**< Of the file, 0660 */
	const char *group;       /**< NULL or "": as the process */
	unsigned max;            /**< Connections at once */
	unsigned max_per_uid;
	size_t out_max;          /**< Bytes queued in one connection */
};

/**
 * @param accepted A new connection, from now on the callee's: unix_start() or
 *                 unix_close() it before returning.  With `over_limits` say
 *                 why and unix_finish() it.
 * @param why On error: what is wrong and what to do
 *
 * @return 0 or what unix_bind() returns
 */
int unix_listen(struct unix_listener **out, uv_loop_t *loop,
		const struct unix_options *o,
		void (*accepted)(struct unix_conn *c, bool over_limits,
				 void *arg),
		void *arg, struct buf *why);
/** Stop listening and remove the path.  Connections live on with their
 * owners.  NULL is fine. */
void unix_listener_close(struct unix_listener *l);
/** Connections that were over the limits. */
uint64_t unix_refused(const struct unix_listener *l);

/** Copied by unix_start().  The connection may be closed inside any. */
struct unix_conn_cb {
	/** Borrowed. */
	void (*received)(const uint8_t *data, size_t len, void *arg);
	/** The peer sends no more; it may still read.  Once. */
	void (*ended)(void *arg);
	/** All that was queued went to the kernel, after some waited. */
	void (*writable)(void *arg);
	/** The last callback: the connection broke.  Close it. */
	void (*closed)(int err, void *arg);
};
void unix_start(struct unix_conn *c, const struct unix_conn_cb *cb, void *arg);

uid_t unix_uid(const struct unix_conn *c);

/** Queue bytes.  @return 0, -ENOBUFS (none was queued) or -ENOMEM */
int unix_put(struct unix_conn *c, const void *data, size_t len);
/** Hand what was queued to the kernel.  Errors come by closed(), later. */
void unix_flush(struct unix_conn *c);
/** Bytes that the kernel has not taken. */
size_t unix_queued(const struct unix_conn *c);

/** Drop it at once; no callback afterwards.  NULL is fine. */
void unix_close(struct unix_conn *c);
/** Like it, but what is queued may go out within 2 s. */
void unix_finish(struct unix_conn *c);
