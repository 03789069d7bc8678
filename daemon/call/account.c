/** @file account.c  A leg's figures */
#include "daemon/call/account.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"

void account_segment(struct account *a, enum segment_state state,
		     uint64_t media_ms, uint64_t latency_ms)
{
	if (state == SEGMENT_PARTIAL) {
		a->partials++;
		if (!a->first_partial_ms)
			a->first_partial_ms = media_ms + 1;
	}
	if (state != SEGMENT_FINAL)
		return;
	a->finals++;
	if (latency_ms != EVENT_UNKNOWN)
		a->latency_ms[a->latencies++ % ACCOUNT_LATENCIES] =
			(uint32_t)MIN(latency_ms, (uint64_t)UINT32_MAX);
}

void account_inserted(struct account *a, unsigned connection, uint64_t at,
		      uint64_t samples)
{
	if (a->n_inserted == ACCOUNT_INSERTED)
		return;
	if (!a->inserted)
		a->inserted = calloc(ACCOUNT_INSERTED, sizeof(*a->inserted));
	if (a->inserted)
		a->inserted[a->n_inserted++] =
			(struct event_inserted){ connection, at, samples };
}

static int rising(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint64_t p95(const struct account *a)
{
	uint32_t sorted[ACCOUNT_LATENCIES];
	const size_t n =
		(size_t)MIN(a->latencies, (uint64_t)ACCOUNT_LATENCIES);

	if (!n)
		return EVENT_UNKNOWN;
	memcpy(sorted, a->latency_ms, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), rising);
	return sorted[(n * 95 + 99) / 100 - 1]; /* nearest rank */
}

void account_print(const struct account *a, struct event_leg_end *out,
		   const struct receiver_stats *rs)
{
	out->received = a->received;
	out->sent = a->sent;
	out->lost = a->lost;
	out->paused = a->paused;
	out->replayed = a->replayed;
	out->concealed = a->concealed;
	out->rtp_packets = rs->packets;
	out->rtp_lost = rs->lost;
	out->rtp_late = rs->late;
	out->rtp_duplicate = rs->duplicate;
	out->rtp_reordered = rs->reordered;
	/* nothing heard: nothing judged */
	out->jitter_ms = rs->samples ? rs->jitter_ms : -1;
	out->mos = rs->samples ? rs->mos : -1;
	out->connections = a->connections;
	out->partials = a->partials;
	out->finals = a->finals;
	out->first_partial_ms = a->first_partial_ms ? a->first_partial_ms - 1
						    : EVENT_UNKNOWN;
	out->final_latency_p95_ms = p95(a);
	out->inserted = a->inserted;
	out->n_inserted = a->n_inserted;
}

void account_free(struct account *a)
{
	free(a->inserted);
	a->inserted = NULL;
}
