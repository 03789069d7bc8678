/**
 * @file bare.h  The line of a segment without what was said
 *
 * For a journal that keeps no transcript text on disk: `text` becomes "", and
 * `text_omitted` its length in bytes; `words` go, and `words_omitted` counts
 * them.  All else, numbers and times included, stays byte for byte.  Pure.
 */
#pragma once

#include <stddef.h>

#include "daemon/base/buf.h"

/**
 * Append it.
 *
 * @param line One of line_print()'s
 *
 * @return 0, -EBADMSG (it is no such line) or -ENOMEM; then `out` ends where
 *         it ended before
 */
int bare_line(struct buf *out, const char *line, size_t len);
