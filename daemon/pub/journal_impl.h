/** @file journal_impl.h  Inside the journal; for journal*.c */
#pragma once

#include "daemon/base/log.h"
#include "daemon/pub/disk.h"
#include "daemon/pub/journal.h"
#include "daemon/pub/open_calls.h"
#include "daemon/pub/store.h"

struct journal {
	struct store *store;   /* NULL: nothing is kept */
	uint64_t next;
	uint64_t epoch;
	uint64_t age_us;
	int64_t shift_us;      /* Wall clock, less that of the events */
	struct list taps;
	struct buf line;       /* The one being emitted */
	bool emitting;
	struct log_limit memory;
	/* NULL without a disk, as all below */
	struct disk *disk;
	struct open_calls *open;
	bool closed;           /* No more goes to the disk */
	bool text;
	bool degraded;         /* ... and that was told */
	struct buf bare;       /* A line without its text */
	uint64_t unwritten, unwritten_told;
	uint64_t epoch_before, last_us, began;
};

/** The event that was just put into the store: to disk, if it takes it. */
void journal_write(struct journal *j, const struct event *e, uint64_t seq);
/** journal_read() for what is not in memory. */
int journal_read_disk(struct journal *j, uint64_t seq,
		      struct journal_line *out);
