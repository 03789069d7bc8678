/**
 * @file disk.h  The journal on disk: segment files in a directory of its own
 *
 *    00000000000000000001.log ...   segments (record.h), each named by its
 *                                   first event; up to 8 MiB
 *    spare.new                      the next one, allocated beforehand (next.new
 *                                   where that came too late)
 *    cursors                        where named subscribers go on
 *
 * The directory is locked (flock) by who writes there.
 *
 * The loop's thread only write()s, into the page cache and into space that is
 * allocated already: what was written survives the death of the process.  A
 * thread of ours does all that may wait for the disk (fdatasync every 200 ms
 * and when asked, allocating, removing); reading is libuv's threads' work, a
 * block at a time, and no more than 16 blocks are kept whoever reads.
 *
 * When writing fails nothing ends: disk_put() refuses, the trouble is told, and
 * every 5 s it is tried again (but a directory that could not be opened or read
 * at the start is left alone until the next).  What was written but not yet synced when
 * syncing failed is wanted once more: disk_next() goes back.
 *
 * A start reads the newest segment (and those before it up to one whose state
 * lines are whole), cuts off what a crash left torn, and goes on behind the
 * last whole event in a segment of its own.  The epoch stays, unless events
 * that went out may be missing: after the death of the whole machine, when the
 * end of the file is damaged, when events went out that could not be written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/pub/record.h"

struct disk;

/** One state line of what is open now. */
typedef bool disk_put_open_fn(const char *key, const char *line, size_t len,
			      void *arg);

struct disk_options {
	uv_loop_t *loop;
	const char *directory;   /**< Made when its parent is there */
	uint64_t size;           /**< Of all files [bytes], from 1 MiB */
	uint64_t age_us;         /**< Whole segments go when they are older, the
				      last at most an eighth later; 0: never */
	uint32_t sync_ms;        /**< 0: 200 */
	uint32_t retry_ms;       /**< 0: 5000 */
	/** Print what is open, for the head of a segment.  false: not all. */
	bool (*open)(disk_put_open_fn *put, void *put_arg, void *arg);
	/** From the loop: disk_put() may succeed again, a block has come, or
	 * what disk_trouble() and disk_first() say has changed. */
	void (*ready)(void *arg);
	void *arg;
};

/** What was found at the start. */
struct disk_found {
	bool any;                /**< Events or state of an earlier run */
	uint64_t epoch;          /**< To go on with */
	uint64_t epoch_before;   /**< What the files say; 0: nothing */
	uint64_t next;           /**< Number of the next event, from 1 */
	uint64_t last_us;        /**< Last sign of life [wall clock] */
	size_t cut;              /**< Bytes of the end that were no good */
};

/**
 * Reads what is there and makes ready to write.  Trouble with the directory is
 * no error here: disk_trouble() tells it.
 *
 * @param record Called for the state lines and, behind them, the events of the
 *               newest segments, in order
 * @param fresh  An epoch to use if one is needed
 *
 * @return 0, -ENOMEM or what starting a thread returns
 */
int disk_open(struct disk **out, const struct disk_options *o, uint64_t fresh,
	      struct disk_found *found,
	      void (*record)(const struct record *r, void *arg), void *arg);
/** Everything that was written is synced and the end marked.  Only disk_free()
 * may follow, when the loop has run.  NULL is fine. */
void disk_close(struct disk *d);
void disk_free(struct disk *d);

/** The number of the event that disk_put() takes next. */
uint64_t disk_next(const struct disk *d);
/** The events before `seq` that were not put are lost. */
void disk_skip(struct disk *d, uint64_t seq);
/** @return 0; -EAGAIN: wait for ready(); or -errno, what disk_trouble() says */
int disk_put(struct disk *d, const struct record *r);
/** All events that went out are written: until this is said after trouble, a
 * crash begins an epoch. */
void disk_caught_up(struct disk *d);
/** Call ready() in the loop's next turn. */
void disk_wake(struct disk *d);
/** Do not wait for the 200 ms. */
void disk_sync_soon(struct disk *d);
/** 0 or -errno: it is not being written. */
int disk_trouble(const struct disk *d);

/** The oldest event kept, or disk_next(). */
uint64_t disk_first(const struct disk *d);
/**
 * @param out Borrowed until the next disk_*() or turn of the loop
 *
 * @return 0; -EAGAIN: it is being fetched, wait for ready(); -ENOENT: it is not
 *         there (any more)
 */
int disk_get(struct disk *d, uint64_t seq, struct record *out);
/** The next one behind `seq` that may be there, or disk_next(). */
uint64_t disk_after(const struct disk *d, uint64_t seq);

/** Keep these bytes in the file "cursors"; replaced whole, soon. */
void disk_keep_cursors(struct disk *d, const struct buf *text);
/** What is in it, at most 1 MiB; empty when there is none. */
void disk_load_cursors(const struct disk *d, struct buf *out);

struct disk_stats {
	uint64_t bytes;          /**< Of all segments */
	unsigned segments;
	uint64_t oldest_us;      /**< Newest event of the oldest segment; 0: none */
	uint64_t write_errors;
	uint64_t syncs;
	uint64_t sync_longest_us;
};
void disk_stats(struct disk *d, struct disk_stats *out);
