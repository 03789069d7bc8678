/**
 * @file account.h  A leg's figures: what became of every sample
 *
 * received = sent + lost + paused, at every leg.end.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/media/receiver.h"

enum { ACCOUNT_LATENCIES = 512, ACCOUNT_INSERTED = 256 };

/** `{0}` to begin; account_free() at the end. */
struct account {
	uint64_t received, sent, lost, paused; /**< [samples] */
	uint64_t replayed, concealed;          /**< [samples] */
	uint64_t partials, finals, bad_messages;
	uint64_t first_partial_ms;             /**< + 1; 0: none yet */
	unsigned connections;
	uint32_t latency_ms[ACCOUNT_LATENCIES];/**< Ring: of the last finals */
	uint64_t latencies;
	struct event_inserted *inserted;
	size_t n_inserted;
};

/** @param media_ms Since the leg's first audio came */
void account_segment(struct account *a, enum segment_state state,
		     uint64_t media_ms, uint64_t latency_ms);
void account_inserted(struct account *a, unsigned connection, uint64_t at,
		      uint64_t samples);
/** Fill in everything but reason, duration, offset and asr. */
void account_print(const struct account *a, struct event_leg_end *out,
		   const struct receiver_stats *rs);
void account_free(struct account *a);
