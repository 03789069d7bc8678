/**
 * @file disk_worker.h  What may wait for the disk, on a thread of its own
 *
 * For disk*.c.  All functions are the loop's; `wake` is sent when something
 * came of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"

struct worker {
	int dir;
	size_t segment_size;
	uint64_t sync_ns, retry_ns;
	uv_async_t *wake;
	uv_thread_t thread;
	bool started;
	uv_mutex_t lock;       /**< Of all below */
	uv_cond_t work;
	bool stop;
	struct list finish;    /**< Segments written to their end */
	unsigned n_finish;
	struct list remove;    /**< Segments to take away */
	bool dirty, urgent;
	int fd;                /**< What to sync ... */
	uint64_t next;         /**< ... and then all before this one is safe */
	uint64_t sync_at;      /**< [ns] */
	int named;             /**< The thread's: its name is on disk, too */
	uint64_t synced;
	int sync_err;          /**< Until worker_sync_error() took it */
	bool want_spare;
	int spare;             /**< Ready to be used; -1 */
	int spare_err;
	struct buf cursors;
	bool want_cursors;
	uint64_t syncs, longest_ns, failures;
};

/** @return 0 or -errno */
int worker_start(struct worker *w, int dir, size_t segment_size,
		 uint32_t sync_ms, uint64_t next, uv_async_t *wake);
/** Do what is asked for, then end. */
void worker_stop(struct worker *w);

/** Events before `next` are written to `fd`. */
void worker_dirty(struct worker *w, int fd, uint64_t next, bool urgent);
/** Sync, cut to `size` and close; the worker owns `fd` then. */
void worker_finish(struct worker *w, int fd, uint64_t size, uint64_t next);
void worker_remove(struct worker *w, uint64_t first);
/** Make a file ready (anew, if that failed before). */
void worker_want_spare(struct worker *w);
/** @return its descriptor, then the caller's; -EAGAIN: not yet; or -errno */
int worker_take_spare(struct worker *w);
/** @return 0, or the error of a sync, once; all before `*safe` are on disk */
int worker_sync_error(struct worker *w, uint64_t *safe);
void worker_keep_cursors(struct worker *w, const struct buf *text);
/** Allocate a segment under the name of the spare.  @return fd or -errno */
int worker_make_spare(int dir, size_t size);
