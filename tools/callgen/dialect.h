/**
 * @file dialect.h  SIPREC as others speak it: templates of an INVITE
 *
 * A file: first lines "% WORD VALUE" (they say what the template needs), then
 * header lines, an empty line, the body.  Line ends become CRLF.  In headers
 * and body
 *
 *   @SDP@  the session description, without any blank line
 *   @N@    the call's number      @SESSION@  32 hexadecimal digits of it
 *   @IP@   our address            @FAMILY@   IP4 or IP6
 *   @PORT1@ ...  a leg's port     @FORMAT1@ ... its payload type
 *   @CODEC1@ ... its codec        @PTIME1@ ...
 *   @CALLID@     the Call-ID
 *
 * Words: "contact ;+sip.src" (parameters of our Contact), "labels 1 2" (of
 * the legs; so many legs there are).
 */
#pragma once

#include "daemon/base/buf.h"
#include "tools/callgen/options.h"

enum { LABEL_MAX = 32 };

struct dialect {
	struct buf text;
	size_t at;                /**< Where the headers begin */
	char contact[64];
	char labels[LEGS_MAX][LABEL_MAX];
	unsigned legs;
};

/** What the names in @ stand for in one call. */
struct dialect_values {
	const char *sdp, *call_id;
	uint64_t number;
	struct addr at[LEGS_MAX]; /**< Where each leg sends from */
	enum law law[LEGS_MAX];
	unsigned ptime_ms[LEGS_MAX];
};

/** @param why What is wrong and what to do.  @return 0 or -errno */
int dialect_load(struct dialect *d, const char *path, struct buf *why);
/** The same from memory. */
int dialect_read(struct dialect *d, const char *text, size_t len,
		 struct buf *why);
void dialect_free(struct dialect *d);
/** Filled in; headers with their line ends, without the empty line. */
void dialect_print(const struct dialect *d, const struct dialect_values *v,
		   struct buf *headers, struct buf *body);
