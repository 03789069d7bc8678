/**
 * @file sdp_lines.h  The lines of an SDP that we use, in RFC 8866's order
 *
 * In front of libosip2: bounds (32 KiB, 500 lines, 8 m-lines, 32 formats) and
 * a text that it can read whatever order, blanks and line ends the sender
 * used.  v=, o=, s= and t= are written anew, nobody reads them.
 */
#pragma once

#include <stddef.h>

#include "daemon/base/buf.h"

enum { SDP_MAX = 32 * 1024, SDP_LINES_MAX = 500 };

/**
 * @param out Empty; the text. Freed by the caller, on error too
 *
 * @return 0, -EBADMSG (does not begin with v=0, a line that is no
 *         "x=value", a NUL), -EMSGSIZE or -ENOMEM
 */
int sdp_lines(struct buf *out, const char *text, size_t len);
