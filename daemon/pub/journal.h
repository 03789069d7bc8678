/**
 * @file journal.h  The one log of events; readers are cursors on it
 *
 *    journal_emit() -> line -+-> store (durable ones, by number)  <- cursors
 *                            +-> taps, at once, in order
 *
 * Durable events get `seq`, from 1, each one higher than the last.  The store
 * keeps as many as fit, the newest; a cursor that is behind the oldest has
 * lost [cursor, journal_first()) exactly.  Partials and `speech` have no
 * number and are not kept: whoever wants them taps.
 *
 * With journal_open_disk() every durable event is also in a file (disk.h) when
 * its reader gets it: the numbers, what readers have acknowledged, and which
 * calls were open survive the end of the process, and a cursor may be as far
 * behind as the files reach.  While the disk refuses, the memory holds the
 * newest as it does without one, and what it still holds is written later.
 *
 * A tap is for the few who need every line at once: --events FILE, and the
 * subscribers' wake-up.  It must be quick and must not emit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/base/event.h"
#include "daemon/base/list.h"

struct journal;

/** One line of the journal. */
struct journal_line {
	uint64_t seq;          /**< 0: not durable */
	enum event_type type;
	const char *key;       /**< The call's id; of EVENT_DAEMON its `what` */
	const char *text;      /**< With its line feed; no NUL behind it */
	size_t len;            /**< [bytes] */
};

/** Owned by the caller, in place until journal_untap(). */
struct journal_tap {
	struct list in;        /**< Ours */
	/** `l` and `e` are borrowed.  Taps may be taken out inside, this one
	 * too; events may not be emitted. */
	void (*line)(const struct journal_line *l, const struct event *e,
		     void *arg);
	void *arg;
	bool durable_only;     /**< Spares printing partials for nobody */
	/** NULL or: what journal_read() said may have changed. */
	void (*ready)(void *arg);
};

/**
 * @param size Of the lines kept [bytes]: 4 KiB to 1 GiB, or 0: none is kept,
 *             for a replay without sockets
 * @param epoch 64 random bits, naming this numbering
 *
 * @return 0, -EINVAL or -ENOMEM
 */
int journal_new(struct journal **out, size_t size, uint64_t epoch);
/** Taps are forgotten.  NULL is fine. */
void journal_free(struct journal *j);

/**
 * Publish one event.  Cannot fail for the caller: if memory is short its
 * number is used and readers are told that it was lost.
 */
void journal_emit(struct journal *j, const struct event *e);
/** For struct event_sink: `arg` is the journal. */
void journal_sink(const struct event *e, void *arg);

/**
 * The wall clock was set: times of events emitted from now on are written down
 * so much later (or earlier) than they say.
 */
void journal_shift(struct journal *j, int64_t delta_us);

/** See every line from now on. */
void journal_tap(struct journal *j, struct journal_tap *t);
/** Twice is fine. */
void journal_untap(struct journal_tap *t);

uint64_t journal_epoch(const struct journal *j);
/** The oldest number kept, or journal_next(): none is. */
uint64_t journal_first(const struct journal *j);
/** The number that the next durable event gets. */
uint64_t journal_next(const struct journal *j);
/**
 * One kept line.
 *
 * @param out Borrowed until the next journal_emit(), journal_read() or turn
 *            of the loop
 *
 * @return 0; -ENOENT: dropped, or not there yet; -EAGAIN: it comes from a file,
 *         the taps' ready() tells when
 */
int journal_read(struct journal *j, uint64_t seq, struct journal_line *out);
/** When `seq` is not there: the next one that may be, or journal_next(). */
uint64_t journal_after(const struct journal *j, uint64_t seq);
/** Events older than this are not kept in memory.  0: however old. */
void journal_set_age(struct journal *j, uint64_t age_us);
/** Drop what is too old now; journal_emit() does it, too. */
void journal_expire(struct journal *j, uint64_t now_us);
/** Durable events that no reader can get any more or that never were kept. */
uint64_t journal_dropped(const struct journal *j);

struct journal_disk {
	uv_loop_t *loop;
	const char *directory; /**< Made when its parent is there */
	uint64_t size, age_us; /**< struct disk_options */
	bool text;             /**< No: what was said stays in memory only */
	uint32_t retry_ms;     /**< 0: 5000 */
};

/**
 * Keep it on disk from now on, numbers going on where an earlier run ended.
 * Trouble with the directory is no error: daemon.journal tells it, again when
 * it ends.  Before the first event, on a journal that keeps lines.
 *
 * @return 0, -ENOMEM or -errno of starting a thread
 */
int journal_open_disk(struct journal *j, const struct journal_disk *o);
/** Publish the end of the calls and legs that an earlier run left open, and
 * trouble there was at the start. */
void journal_begin(struct journal *j, uint64_t now_us);
/** All that was emitted is synced; later events stay in memory.  The loop must
 * run before journal_free(). */
void journal_close_disk(struct journal *j);

/** The epoch of the numbers an earlier run gave; 0: there was none. */
uint64_t journal_epoch_before(const struct journal *j);
/** The first number that this run gives. */
uint64_t journal_began(const struct journal *j);
/** Keep them over a restart, soon; nothing without a disk. */
void journal_keep_cursors(struct journal *j, const struct buf *text);
/** What was kept; empty: nothing. */
void journal_load_cursors(const struct journal *j, struct buf *out);

struct journal_stats {
	bool on_disk;          /**< It should be */
	int trouble;           /**< 0, or -errno: it is not */
	uint64_t bytes;        /**< Of the files */
	unsigned segments;
	uint64_t oldest_us;    /**< 0: nothing on disk */
	uint64_t unwritten;    /**< Events that never came to disk */
	uint64_t write_errors, syncs, sync_longest_us;
};
void journal_stats(const struct journal *j, struct journal_stats *out);
