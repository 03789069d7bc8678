/**
 * @file file.h  Every event line into a file or to stdout (--events FILE|-)
 *
 * One write() a line, so whoever reads the pipe sees each at once; a reader
 * that is slow slows the writer (this is for replay, not for the service).
 * SIGPIPE must be ignored by the program.
 */
#pragma once

struct event_file;
struct journal;

/** Writing failed (-EPIPE: the reader went away, -ENOSPC ...): told once, no
 * line is written after it.  Neither emit nor close inside. */
typedef void event_file_failed_fn(int err, void *arg);

/**
 * @param path Made or emptied (mode 0600: transcripts); "-" is stdout
 *
 * @return 0 or -errno
 */
int event_file_open(struct event_file **out, struct journal *j,
		    const char *path, event_file_failed_fn *failed, void *arg);
/**
 * Before journal_free().  NULL is fine.
 *
 * @return 0, or the first error there was, closing included
 */
int event_file_close(struct event_file *f);
