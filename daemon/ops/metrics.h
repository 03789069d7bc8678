/**
 * @file metrics.h  Figures for Prometheus, counted from the events
 *
 * What happened to calls, legs and segments is counted from the very events
 * that subscribers get, so both agree exactly.  What is rather a state (ports,
 * subscribers, certificates) is asked for when somebody looks.  Text format
 * 0.0.4, base units, all series there from the start where their labels are
 * known; no label tells of a call, a number or an address.
 *
 * Reference: reliability section 4, with the label `asr` for a configured
 * service.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/event.h"

struct metrics;

/** @param asrs Names of the configured services; copied
 * @return 0 or -ENOMEM */
int metrics_new(struct metrics **out, const char *const *asrs, size_t n);
/** Another asr; one that is known stays.  @return 0 or -ENOMEM */
int metrics_add(struct metrics *m, const char *asr);
/** NULL is fine. */
void metrics_free(struct metrics *m);

/** Every event, once, in order. */
void metrics_event(struct metrics *m, const struct event *e);

enum { METRICS_NAMES = 32 };

/** Of one configured service. */
struct metrics_asr {
	bool used;                /**< A route or a fallback names it */
	bool open;                /**< Its circuit: nobody may connect */
	uint64_t not_after_s;     /**< Its certificate's end; 0: not known */
};

/** What is asked for when somebody looks. */
struct metrics_now {
	const char *version;
	uint64_t calls_limit;             /**< 0: none */
	bool draining;
	bool reload_failed;               /**< The last one changed nothing */
	uint64_t reloaded_s;              /**< When it was read last [Unix time] */
	bool ports;                       /**< The next two are known */
	uint64_t ports_used, ports_limit; /**< Pairs */
	uint64_t rtp_foreign;             /**< Packets of nobody's source */
	bool capture, capture_up;         /**< It is configured; it can see */
	uint64_t capture_frames, capture_dropped, capture_tunnelled,
		 capture_copies, capture_malformed;
	uint64_t subscribers, subscribers_lost;
	uint64_t journal_first, journal_next;
	bool journal_on_disk, journal_degraded;
	uint64_t journal_bytes, journal_oldest_us; /**< 0: nothing on disk */
	uint64_t journal_write_errors, journal_unwritten, journal_syncs;
	struct metrics_lag {
		const char *name;
		uint64_t events;
	} lag[METRICS_NAMES];             /**< Of named subscribers */
	size_t n_lag;
	uint64_t longest_turn_us;         /**< CPU of one turn of the loop */
	uint64_t insecure;                /**< asrs with insecure = yes */
	const struct metrics_asr *asr;    /**< In the order they were named */
};

/** Append all families. */
void metrics_print(const struct metrics *m, const struct metrics_now *now,
		   struct buf *out);
