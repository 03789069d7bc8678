/**
 * @file record.h  The bytes of the journal's files
 *
 * A segment file is a head, records one behind the other, and zeros up to its
 * end (it is allocated before it is used).  All numbers are big-endian.
 *
 *    head    "TSJRNL1\n" epoch[8] first[8] created_us[8] boot[16] booted_us[8]
 *            size[8] flags[4] crc[4]
 *    record  length[4] crc[4] seq[8] at_us[8] kind[1] key_len[1] 0[2]
 *            key NUL line
 *
 * `length` counts what follows the first 8 bytes, `crc` (CRC-32, zlib's) covers
 * it.  Events bear their number; records of other kinds (RECORD_OPEN ...) that
 * of the event that follows them.  What is read is believed only whole: a
 * record with a wrong sum does not exist.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_HEAD = 28,            /**< Bytes before the key */
	RECORD_LINE_MAX = 256 * 1024,
	RECORD_MAX = RECORD_HEAD + 256 + RECORD_LINE_MAX,
	SEGMENT_HEAD = 72,
	SEGMENT_BOOT = 16,
};

/** Kinds that are no enum event_type. */
enum {
	RECORD_EVENTS = 64,          /**< Below: an event's type */
	RECORD_OPEN = 64,            /**< A call or leg open when the segment
					  began (open_calls.h) */
	RECORD_OPEN_END,             /**< That was all of them */
	RECORD_SEAL,                 /**< The journal was closed in order */
	RECORD_KINDS,
};

struct record {
	uint64_t seq;
	uint64_t at_us;              /**< Wall clock */
	uint8_t kind;
	const char *key;             /**< With a NUL behind it; 0..255 bytes */
	const char *line;            /**< No NUL behind it */
	size_t len;                  /**< Of the line, 0..RECORD_LINE_MAX */
};

/** Bytes that it takes in a file. */
size_t record_size(const struct record *r);
/** Write it at `out`.  @return record_size() */
size_t record_put(uint8_t *out, const struct record *r);
/**
 * The record that begins at `data`.
 *
 * @param out Borrows from `data`
 *
 * @return its size; 0: more than `len` bytes are needed; -ENODATA: there is
 *         none, it begins with zeros; -EBADMSG
 */
int record_get(struct record *out, const uint8_t *data, size_t len);

/** A whole segment's records in order, whatever became of some. */
struct record_scan {
	const uint8_t *data;         /**< Behind the head */
	size_t len;
	uint64_t next;               /**< No event has a lower number ... */
	uint64_t end;                /**< ... and none this one or a higher */
	size_t at;                   /**< Behind the last good one */
	bool damaged;                /**< Something that was there is not good */
};
/** @return false: no more; then `at` is where what is good ends */
bool record_scan(struct record_scan *s, struct record *out);

enum { SEGMENT_LEFT = 1 };           /**< Later events went out without being
					  written: the numbering is broken */

struct segment_head {
	uint64_t epoch;
	uint64_t first;              /**< Number of its first event */
	uint64_t created_us;         /**< Wall clock */
	uint8_t boot[SEGMENT_BOOT];  /**< The kernel's boot_id; zeros: unknown */
	uint64_t booted_us;          /**< Wall clock */
	uint64_t size;               /**< Allocated [bytes] */
	uint32_t flags;
};

void segment_head_put(uint8_t out[SEGMENT_HEAD], const struct segment_head *h);
/** @return 0 or -EBADMSG, `out` untouched */
int segment_head_get(struct segment_head *out, const uint8_t *data, size_t len);

enum { SEGMENT_NAME = 32 };
/** "00000000000000000001.log" of its first event. */
void segment_name(char out[SEGMENT_NAME], uint64_t first);
/** @return 0 or -EBADMSG: another file's name */
int segment_name_parse(uint64_t *first, const char *name);
