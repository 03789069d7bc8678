/**
 * @file multipart.h  The parts of a multipart body (RFC 2046 section 5.1)
 *
 * Limits: boundary of 1..70 characters, 8 parts, 64 KiB each.  A part that is
 * multipart itself is handed out whole, nobody looks into it.  The closing
 * boundary may be missing.  Lines end with CRLF or LF.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,
	MULTIPART_PARTS_MAX = 8,
	MULTIPART_PART_MAX = 64 * 1024,
};

struct multipart {
	const char *p, *end;
	const char *boundary;
	size_t boundary_len;
	unsigned parts;
	bool ended;
};

/** Views into the body. */
struct multipart_part {
	const char *type;      /**< "application/sdp", parameters cut off; ""
				    when it has none */
	size_t type_len;
	const char *data;
	size_t len;
};

/**
 * @param boundary As in Content-Type, without quotes; borrowed like `body`
 *
 * @return 0 or -EBADMSG: no such boundary may be
 */
int multipart_begin(struct multipart *m, const char *boundary,
		    size_t boundary_len, const char *body, size_t len);

/** @return 1, 0: no more, or -EMSGSIZE: a limit */
int multipart_next(struct multipart *m, struct multipart_part *out);
