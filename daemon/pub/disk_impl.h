/** @file disk_impl.h  Inside the journal on disk; for disk_*.c */
#pragma once

#include "daemon/base/list.h"
#include "daemon/pub/disk.h"
#include "daemon/pub/disk_worker.h"

#define DISK_SPARE "spare.new"
#define DISK_NEXT "next.new"
#define DISK_CURSORS "cursors"

enum {
	SEGMENT_MAX = 8 * 1024 * 1024,
	SEGMENT_MIN = 272 * 1024, /**< The longest record fits */
	SEGMENT_FILE_MAX = SEGMENT_MAX + 4096,
	SEAL_ROOM = 2 * RECORD_HEAD,
	BLOCKS_MAX = 16,
	WANTS_MAX = 64,
	DISK_TICK_MS = 1000,
};

struct segment {
	uint64_t first, end;   /**< Events; `end` is behind the last */
	uint64_t bytes;        /**< Of the file */
	uint64_t newest_us;
};

/** Events of one segment in memory: all there are in [first, end). */
struct block {
	struct list in;        /**< Used longest ago first */
	uint64_t segment;
	uint64_t first, end;
	size_t n;
	struct entry {
		uint64_t seq;
		uint64_t at_us;
		uint32_t key, line, len; /**< In `bytes` */
		uint8_t kind;
	} *entries;
	size_t n_room;
	struct buf bytes;
	uint64_t behind;       /**< Where in the file it ends */
};

struct load {
	int dir;
	uint64_t segment;      /**< Its first event names the file */
	uint64_t end;          /**< Of the segment */
	uint64_t limit;        /**< Bytes of the file that may be read */
	uint64_t from;         /**< Where in the file to look first */
	uint64_t wanted;
	struct block *block;
	int err;
};

struct reader {
	struct list blocks;
	unsigned n_blocks;
	bool busy;
	uv_work_t work;
	struct load load;
	uint64_t wants[WANTS_MAX];
	unsigned n_wants;
};

enum disk_state {
	DISK_GOOD,
	DISK_WAITING,          /**< For a new segment, after trouble */
	DISK_TROUBLE,
};

struct disk {
	struct disk_options o;
	int dir;               /**< Locked; -1: there is none */
	size_t segment_size;
	struct segment *segments; /**< Oldest first; the last is written */
	size_t n, room;
	uint64_t epoch;
	uint8_t boot[SEGMENT_BOOT];
	uint64_t booted_us;
	int fd;                /**< -1: none is being written */
	size_t at;             /**< In it */
	uint64_t begun_us;     /**< Of its first event; 0: none yet */
	bool left;             /**< Its head says SEGMENT_LEFT */
	uint64_t next;
	enum disk_state state;
	int err;               /**< Of the last trouble, until it is good */
	bool hopeless;         /**< Until the next start */
	uint64_t since_ms;     /**< State entered, loop's time */
	uint64_t write_errors;
	uv_async_t async;
	uv_timer_t timer;
	unsigned handles;      /**< Open ones */
	bool closing;
	struct worker worker;
	struct reader reader;
	uint8_t out[RECORD_MAX];
};

/** Into the list; one of the same number is replaced.  @return 0 or -ENOMEM */
int disk_add_segment(struct disk *d, const struct segment *s);
/** Take a new segment into use.  @return as disk_put() */
int disk_rotate(struct disk *d, uint64_t now_us);
/** The one that may hold it, or NULL. */
struct segment *disk_segment_of(const struct disk *d, uint64_t seq);
/** All of `n` bytes.  @return 0 or -errno */
int disk_write_at(int fd, const void *data, size_t n, uint64_t at);

/** It is not written any more, until a retry; told by ready(). */
void disk_fail(struct disk *d, int err);
/** Into the segment being written.  @return 0 or -errno */
int disk_append(struct disk *d, const struct record *r);
/** What is being written ends here. */
void disk_finish(struct disk *d);
void disk_on_async(uv_async_t *h);
void disk_on_tick(uv_timer_t *h);

/** Read what is there; `d->dir` is open.  @return 0 or -errno */
int disk_recover(struct disk *d, uint64_t fresh, struct disk_found *found,
		 void (*record)(const struct record *r, void *arg), void *arg);

void disk_reader_init(struct disk *d);
/** When nothing is being read. */
void disk_reader_fini(struct disk *d);
