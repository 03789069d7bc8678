/**
 * @file race.h  TCP to whichever of a host's addresses answers first
 *
 * RFC 8305 ("Happy Eyeballs") sections 4 and 5: the families take turns, the
 * next address is tried when the one before has not answered within 250 ms, or
 * at once when it has failed; the others go on meanwhile.  The first to connect
 * wins and the rest is dropped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/reason.h"

enum { RACE_MAX = 16, RACE_NEXT_MS = 250 };

struct race;
struct stream;

/**
 * Once, the last; race_close() is still to be called.
 *
 * @param s The winner, open and now the receiver's: stream_adopt() it before
 *          returning.  NULL: none connected, and `why` (REASON_TCP) tells of
 *          the first address that was tried.
 */
typedef void race_fn(struct stream *s, const struct reason *why, void *arg);

struct race_options {
	const struct addr *to;  /**< In the order of preference (RFC 6724) */
	size_t n;               /**< Up to RACE_MAX are tried */
	uint32_t timeout_ms;    /**< Of each attempt */
	uint32_t next_ms;       /**< Until the next one; 0: RACE_NEXT_MS */
};

/** @return 0, -EINVAL (no address) or -ENOMEM */
int race_open(struct race **out, uv_loop_t *loop, const struct race_options *o,
	      race_fn *fn, void *arg);
/** Any time, also inside `fn`: no callback afterwards.  NULL is fine. */
void race_close(struct race *r);

/** Let the families take turns, beginning with the first one's. */
void race_order(struct addr *a, size_t n);
