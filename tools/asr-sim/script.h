/**
 * @file script.h  Faults on purpose, connection by connection
 *
 * A line is the plan of one connection (one upgrade request), in the order in
 * which they come; the last line holds for all that follow.  "3x " in front:
 * for three connections.  '#' begins a comment.  A plan is one or more faults
 * with ';' between them:
 *
 *   ok                        no fault
 *   http STATUS [retry-after SECONDS]   instead of the upgrade
 *   delay TIME                of the answer to the upgrade
 *   wrong-accept              a false accept key
 *   error CODE [other]        in-band error, then close; the service's other
 *                             shape of it
 *   close CODE                close frame, 1000-4999
 *   fin                       end of TCP without a close frame
 *   reset                     TCP reset
 *   stall [TIME]              read nothing, say nothing; for ever or so long
 *   mute                      read on, say nothing more
 *   slow BYTES                read so many bytes a second
 *   pings COUNT               so many pings at once
 *   big BYTES                 one message of an unknown kind of that size
 *   bad-json [COUNT]          messages that are cut off
 *   wild-times                times in results are nonsense from here on
 *   twice                     every final is sent twice from here on
 *   raw HEX                   bytes below the framing
 *   ready-delay TIME          (camb) of its Ready
 *   retract                   (fireworks) the open segment is taken back
 *   grow                      (fireworks) the open segment is told as final,
 *                             and goes on growing
 *
 * followed by WHEN (not after http, delay, wrong-accept,
 * ready-delay): nothing (at once, when
 * the connection is open), "after TIME", "after N samples" (taken up to exactly
 * there; deterministic) or "after eof".  "at" is the same as "after",
 * "at-sample N" as "after N samples".  TIME is "500ms" or "2s".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

enum fault_kind {
	FAULT_OK, FAULT_HTTP, FAULT_DELAY, FAULT_WRONG_ACCEPT,
	FAULT_ERROR, FAULT_CLOSE, FAULT_FIN, FAULT_RESET, FAULT_STALL,
	FAULT_MUTE, FAULT_SLOW, FAULT_PINGS, FAULT_BIG, FAULT_BAD_JSON,
	FAULT_WILD_TIMES, FAULT_TWICE, FAULT_RAW,
	FAULT_READY_DELAY, FAULT_RETRACT, FAULT_GROW,
};

enum fault_when { WHEN_OPEN, WHEN_MS, WHEN_SAMPLES, WHEN_EOF };

enum { PLAN_FAULTS = 8, FAULT_RAW_MAX = 64 };

struct fault {
	enum fault_kind kind;
	enum fault_when when;
	uint64_t at;              /**< [ms] or [samples] */
	uint64_t value;           /**< Status, code, bytes, count, [ms] */
	uint64_t extra;           /**< retry-after [s]; error: other shape */
	uint8_t raw[FAULT_RAW_MAX];
};

struct plan {
	struct fault faults[PLAN_FAULTS];
	size_t n;
	uint64_t times;           /**< Connections it is for */
	char *text;               /**< As written */
};

/** `{0}` has no faults. */
struct script {
	struct plan *plans;
	size_t n;
};

/**
 * Read a script.
 *
 * @param text NUL-terminated
 * @param why  On error: "line 3: what is wrong"
 *
 * @return 0, -EINVAL or -ENOMEM, `out` untouched
 */
int script_parse(struct script *out, const char *text, struct buf *why);
void script_free(struct script *s);

/** The plan of the n-th connection, counted from 0; NULL: no faults. */
const struct plan *script_plan(const struct script *s, uint64_t n);
/** The plan's fault of a kind, or NULL. */
const struct fault *plan_fault(const struct plan *p, enum fault_kind kind);
