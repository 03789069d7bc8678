/**
 * @file writer.h  JSON text straight into a buffer
 *
 * Thousands of legs make tens of thousands of lines a second; a tree of
 * objects for each would cost more than all the rest of an event.  Commas and
 * quoting are ours, order is the order of the calls.
 *
 * Foreign text is made fit: bytes that are not UTF-8 and control characters
 * other than tab, line feed and carriage return become U+FFFD, so one byte in
 * is at most three out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

struct writer {
	struct buf *out;
	bool comma;      /**< The next value needs one before it */
};

/** `c` is '{' or '['; `key` NULL in an array or at the top. */
void writer_open(struct writer *w, const char *key, char c);
/** `c` is '}' or ']'. */
void writer_close(struct writer *w, char c);
/**
 * A string; nothing at all when `text` is NULL or empty.
 *
 * @param max Bytes of `text` at most; cut between characters
 */
void writer_str(struct writer *w, const char *key, const char *text,
		size_t max);
/** The same, but an empty string is written too. */
void writer_text(struct writer *w, const char *key, const char *text,
		 size_t len);
/** Nothing when it is EVENT_UNKNOWN. */
void writer_uint(struct writer *w, const char *key, uint64_t v);
/** Nothing when it is negative or no number. */
void writer_real(struct writer *w, const char *key, double v);
/** `true`; nothing when it is false. */
void writer_true(struct writer *w, const char *key, bool v);
