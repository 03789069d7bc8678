/**
 * @file head.h  The head of an HTTP message, read in pieces within limits
 *
 * Shared by both sides of the upgrade.  http_parser reads the grammar; this
 * puts its pieces together: at most UPGRADE_HEAD bytes, UPGRADE_HEADERS
 * headers.  What comes behind the blank line is not touched.
 */
#pragma once

#include <http_parser.h>
#include <stdbool.h>

#include "daemon/base/buf.h"
#include "daemon/ws/accept.h"

/** Zero-filled but for the parser; see head_init(). */
struct head {
	http_parser parser;
	struct buf text;      /**< Each: name NUL value NUL; first the target */
	uint32_t name[UPGRADE_HEADERS];  /**< Where in `text` */
	uint32_t value[UPGRADE_HEADERS];
	unsigned n;           /**< Headers */
	size_t seen;          /**< [bytes] of the head */
	enum { HEAD_START, HEAD_NAME, HEAD_VALUE } at;
	bool done;            /**< The blank line was read */
	bool tunnel;          /**< Set it: the answer to a CONNECT */
	bool too_many;
	struct buf body;      /**< The first HEAD_BODY bytes behind it */
	bool message_done;
};

enum { HEAD_BODY = 1024 };

void head_init(struct head *h, enum http_parser_type type);
void head_free(struct head *h);

/**
 * @param used How many of `len` bytes belong to the message
 *
 * @return 1 (the head is whole, or `message_done`), 0 (more), -EBADMSG (not
 *         HTTP), -EMSGSIZE (over a limit) or -ENOMEM
 */
int head_feed(struct head *h, const uint8_t *data, size_t len, size_t *used);

/** The request's target; "" in an answer. */
const char *head_target(const struct head *h);
/** The `skip`-th header of that name (any case), or NULL. */
const char *head_get(const struct head *h, const char *name, unsigned skip);
/** Does a header of that name hold `token` in its comma-separated list?
 * Case does not matter (RFC 9110 section 5.6.1). */
bool head_has_token(const struct head *h, const char *name, const char *token);
/** Is `token` in a comma-separated list? */
bool head_list_has(const char *list, const char *token, size_t token_len);
