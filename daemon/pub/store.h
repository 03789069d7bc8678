/**
 * @file store.h  Where the journal keeps its lines
 *
 * In memory: one ring of bytes, taken from the kernel as it fills, and one of
 * places, so any kept sequence number is found at once.  The oldest are
 * dropped for the newest.  Every store_put() uses a number, whether the line
 * could be kept or not.  Pure; owned by the journal.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct store;

struct store_record {
	uint8_t type;      /**< enum event_type */
	uint64_t at_us;    /**< Wall clock */
	const char *key;   /**< What readers select by; at most 255 bytes */
	const char *line;  /**< With its line feed; not NUL-terminated */
	size_t len;        /**< [bytes]; 0: it was lost before it got here */
};

/** @param size [bytes] at most, from 4 KiB to 1 GiB.  @return 0, -EINVAL or
 * -ENOMEM */
int store_new(struct store **out, size_t size);
void store_free(struct store *s);
/** Numbers begin here instead of at 1.  Before the first store_put(). */
void store_begin(struct store *s, uint64_t seq);
/** Those before `seq` are kept no longer. */
void store_drop(struct store *s, uint64_t seq);
/** @return its number; a record that cannot be kept is like one dropped */
uint64_t store_put(struct store *s, const struct store_record *r);
/** The oldest number kept, or store_next(): none is. */
uint64_t store_first(const struct store *s);
/** The number that the next record gets. */
uint64_t store_next(const struct store *s);
/**
 * @param out Borrowed until the next store_put()
 *
 * @return 0 or -ENOENT: not kept (any more), or not there yet
 */
int store_get(const struct store *s, uint64_t seq, struct store_record *out);
