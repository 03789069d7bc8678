/**
 * @file request.h  What a subscriber may say: one line of JSON -> value
 *
 *    {"hello":1,"name":"crm","from":"resume|now|oldest|EPOCH:SEQ",
 *     "types":["segment","gap"],"calls":["*"],"partials":true,"ack":true}
 *    {"ack":SEQ}
 *
 * Members we do not know are ignored; one we know must be right.  Absent:
 * `from` is "resume" with a name and "now" without, `types` and `calls` are
 * all, `partials` true, `ack` false.  Events that belong to no call (daemon.*)
 * pass any `calls`.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"

enum {
	REQUEST_LINE_MAX = 4096,  /**< [bytes] without its line feed */
	REQUEST_CALLS = 32,
	REQUEST_DAEMON_TYPES = 8, /**< Single daemon.<what>; "daemon.*" is all */
	REQUEST_ERROR = 160,
};

enum request_kind { REQUEST_HELLO, REQUEST_ACK };
enum request_from { FROM_NOW, FROM_OLDEST, FROM_RESUME, FROM_SEQ };

struct request {
	enum request_kind kind;
	uint64_t ack_seq;         /**< REQUEST_ACK; the rest is HELLO's */
	char name[EVENT_ID];      /**< "": none */
	enum request_from from;
	uint64_t epoch, seq;      /**< FROM_SEQ */
	uint32_t types;           /**< Bits 1 << enum event_type */
	char daemon[REQUEST_DAEMON_TYPES][EVENT_ID];
	size_t n_daemon;          /**< 0: any, where the bit is set */
	char calls[REQUEST_CALLS][EVENT_ID];
	size_t n_calls;           /**< 0: all */
	bool partials, ack;
};

/** What holds for a client that says nothing. */
void request_default(struct request *out);

/**
 * @param error On -EBADMSG: what is wrong and what to do
 *
 * @return 0 or -EBADMSG, `out` untouched
 */
int request_parse(struct request *out, const char *line, size_t len,
		  char error[REQUEST_ERROR]);

/** Did the subscriber choose events of this type and key (journal_line)? */
bool request_wants(const struct request *r, enum event_type type,
		   const char *key);
