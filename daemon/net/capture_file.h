/**
 * @file capture_file.h  A pcap or pcapng file through libpcap
 *
 * Micro- and nanosecond files of both byte orders.  The only other file that
 * knows libpcap is net/decap.c, for its link types.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/reason.h"

struct capture_file;

/** One frame as captured.  Borrowed until the next call. */
struct frame {
	uint64_t at_us;      /**< Capture's clock, since the Unix epoch */
	int link_type;       /**< DLT_* */
	const uint8_t *data;
	size_t len;          /**< Bytes present */
	size_t wire_len;     /**< Bytes there were */
};

/**
 * @param why On error: what is wrong with the file and how to cure it (no
 *            such file; gzip: "gunzip it first"; not a capture; a link type
 *            we cannot read)
 *
 * @return 0, -ENOENT, -EACCES, -EBADMSG (no capture), -ENOTSUP (link type) or
 *         -ENOMEM
 */
int capture_file_open(struct capture_file **out, const char *path,
		      struct reason *why);
void capture_file_close(struct capture_file *f);

/**
 * The next frame.  None is longer than 256 KiB: libpcap takes a record that
 * says so for damage, and so do we.
 *
 * @return 1, 0 at the end, or -EBADMSG: the file is damaged from here on (cut
 *         off, mixed link types, ...), `why` says what and the cure
 */
int capture_file_next(struct capture_file *f, struct frame *out,
		      struct reason *why);
