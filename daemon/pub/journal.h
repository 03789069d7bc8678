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
 * A tap is for the few who need every line at once: --events FILE, and the
 * subscribers' wake-up.  It must be quick and must not emit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
 * @param out Borrowed until the next journal_emit()
 *
 * @return 0 or -ENOENT: dropped, or not there yet
 */
int journal_read(const struct journal *j, uint64_t seq,
		 struct journal_line *out);
/** Durable events that no reader can get any more or that never were kept. */
uint64_t journal_dropped(const struct journal *j);
