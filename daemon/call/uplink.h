/**
 * @file uplink.h  A leg's way to its ASR service, over any number of connections
 *
 * Owns the backlog, the connection of the moment and the transcript: audio
 * waits from the first packet on, is sent when a connection is ready, is sent
 * again from the last settled position when one is lost, and whatever can be
 * neither is told as a gap.
 *
 *   connecting -> streaming / catching_up -> reconnecting -> ... -> over()
 *                                         -> failed
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/event.h"
#include "daemon/base/reason.h"
#include "daemon/base/timers.h"
#include "daemon/call/feeder.h"
#include "daemon/call/service.h"
#include "daemon/call/transcript.h"

struct uplink;

/** A segment to be published; everything borrowed. */
struct uplink_segment {
	const struct transcript_segment *segment;
	const struct asr_result *result; /**< NULL: closed by the daemon */
	struct service *service;         /**< Whose */
	const struct positions *map;     /**< For the words' times */
	uint64_t arrived_us;   /**< Arrival of the last covered sample; 0 */
	const char *session;   /**< The service's id of it; NULL */
	unsigned connection;
};

/** Every member is set; over() alone may close it. */
struct uplink_cb {
	/** @param state A word of INTERFACES' list; @param why NULL: none */
	void (*state)(const char *state, const struct reason *why, void *arg);
	void (*segment)(const struct uplink_segment *s, void *arg);
	void (*speech)(enum speech_event e, uint64_t at, void *arg);
	/** Audio went out. */
	void (*taken)(const struct feeder_taken *t, void *arg);
	/** A hole was cut short. */
	void (*skipped)(const struct feeder_skip *s, void *arg);
	/** `samples` of the received audio were given up ... */
	void (*lost)(uint64_t samples, void *arg);
	/** ... and this is the stretch they were in, once it is over. */
	void (*gap)(uint64_t start, uint64_t end, const char *cause, void *arg);
	/** A message of the service made no sense. */
	void (*bad)(void *arg);
	/** Something to know while the state stays as it is: "no_results",
	 * "rollover". */
	void (*note)(const char *reason, void *arg);
	/** It began or ceased to hold up a replay: connecting, or more than
	 * 2 s unsent. */
	void (*busy)(bool busy, void *arg);
	/** Keep-alive silence that one connection got, when it is over. */
	void (*inserted)(unsigned connection, uint64_t at, uint64_t samples,
			 void *arg);
	/** All that could be said was said (after uplink_finish()). */
	void (*over)(void *arg);
};

struct uplink_config {
	uv_loop_t *loop;
	struct timers *timers;          /**< Media clock */
	struct service *service;
	uint64_t leg;                   /**< Tells legs apart */
	uint64_t backlog;               /**< [samples]; 30 s */
	bool paced;                     /**< Keep the service's catch-up rate;
					     else as fast as it takes it */
	bool hopeless_is_final;         /**< A replay: give up at once where a
					     person has to act */
	uint32_t give_up_ms;            /**< So long without a connection that
					     lasts or brings a final: give up;
					     0: never while the leg lives */
};

/** @return 0 or -errno */
int uplink_open(struct uplink **out, const struct uplink_config *cfg,
		const struct uplink_cb *cb, void *arg);
/** Drop it; no callback afterwards.  NULL is fine. */
void uplink_close(struct uplink *u);

/** The next span of the leg. */
void uplink_span(struct uplink *u, const struct span *s);
/** The leg is over: send the rest, wait for the last words, then over(). */
void uplink_finish(struct uplink *u);
/** Connections that became ready so far. */
unsigned uplink_connections(const struct uplink *u);
/** Audio not sent yet, of this leg [samples]. */
uint64_t uplink_backlog(const struct uplink *u);
/** The last state told of; a word of INTERFACES' list. */
const char *uplink_state(const struct uplink *u);
