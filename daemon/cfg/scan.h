/**
 * @file scan.h  The look at a configuration before libconfuse gets it
 *
 * libconfuse's lexer reads environment variables, writes one byte past its
 * buffer for some comments (3.3), loses count of lines at comments, keeps the
 * last of two equal keys in silence, and tells an unclosed string at the end
 * of the file only.  So the text is checked first, token by token, and its
 * comments are blanked out.
 */
#pragma once

#include <stddef.h>

#include "daemon/base/buf.h"

struct scan {
	unsigned *section_lines; /**< Where each section begins, in order */
	size_t n_sections;
	unsigned long_string;    /**< Line of the first string over more than
				      one line; 0: none.  Often a forgotten
				      quote */
	unsigned error_line;     /**< On error */
};

/**
 * @param text Comments, carriage returns and a byte-order mark are replaced by
 *             blanks, in place
 * @param why On -EBADMSG: what is wrong and what to do, without the place
 *
 * @return 0, -EBADMSG or -ENOMEM
 */
int scan_config(struct scan *out, char *text, size_t len, struct buf *why);
void scan_free(struct scan *s);
