/** @file held.h  Packets that wait for the next one to decide (media/source.h) */
#pragma once

#include "daemon/media/rtp.h"
#include "daemon/media/source.h"

struct held {
	struct rtp h;
	uint64_t at_us;
	uint8_t payload[];
};

/** The first packets of SSRCs not in force; `{0}` is empty. */
struct held_set {
	struct held *at[SOURCE_CANDIDATES];
};

/** A copy, or NULL: no memory, or its payload is no packet of ours. */
struct held *held_new(const struct rtp *h, uint64_t at_us);
/** Keep it in place of an older one of its SSRC, or of the oldest. */
void held_keep(struct held_set *s, const struct rtp *h, uint64_t at_us);
/** The one of this SSRC, the caller's to free; NULL: none. */
struct held *held_take(struct held_set *s, uint32_t ssrc);
void held_clear(struct held_set *s);
