/**
 * @file gate.h  Who may connect to one ASR service, and when
 *
 * Shared by all legs of a service: a few handshakes at a time, so many
 * connections a second, and none while the service is known to be down (then
 * one leg tries for all).  Those who wait keep their audio; the longest
 * waiting goes first.
 *
 *   closed --(5 failures of 3 legs in 10 s, or a hopeless one)--> open
 *   open   --(5 s, doubling to 60 s; hopeless: 30 s to 60 s)----> one probe
 *   probe  --(success)--> closed          --(failure)--> open
 *
 * A quota answer (429, 1013 ...) halves the rate; each success brings a tenth
 * of the full rate back.  Quota answers and 503 are told of, once a minute.
 * Reference: the retry table, reliability section 2.2.
 * Pure: time and chance are arguments, granting is a callback.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/list.h"
#include "daemon/base/reason.h"

struct gate;

/** Part of whoever wants to connect; `{0}` before first use. */
struct gate_ticket {
	struct list waiting;
	enum { TICKET_IDLE, TICKET_WAITING, TICKET_INSIDE } state;
	uint64_t leg;             /**< Tells legs apart, for the breaker */
	void (*granted)(struct gate_ticket *t); /**< May leave or cancel */
};

struct gate_config {
	unsigned handshakes;      /**< At a time; 0: 8 */
	double per_second;        /**< Connections; 0: 50 */
	/** The service is believed down, or up again. */
	void (*changed)(bool down, const struct reason *why, void *arg);
	/** The service asks for fewer connections; at most once a minute. */
	void (*slow)(const struct reason *why, void *arg);
	void *arg;
};

int gate_new(struct gate **out, const struct gate_config *cfg);
/** Nobody may be waiting or inside. */
void gate_free(struct gate *g);

/** Wait for one's turn; granted() comes from gate_run(). */
void gate_enter(struct gate *g, struct gate_ticket *t);
/** Give the turn up, or stop waiting.  Any state is fine. */
void gate_cancel(struct gate *g, struct gate_ticket *t);
/** The connection is ready. */
void gate_success(struct gate *g, struct gate_ticket *t);
/** It failed. */
void gate_failure(struct gate *g, struct gate_ticket *t,
		  const struct reason *why, uint64_t now_ms, uint32_t random);
/** A connection that had been ready was lost: what that says of the service.
 * Protocol errors count as failures, a quota slows the rate, what is hopeless
 * opens the circuit; restarts and the network say nothing. */
void gate_lost(struct gate *g, uint64_t leg, const struct reason *why,
	       uint64_t now_ms, uint32_t random);
/** What made it open is mended (a new key): try again now. */
void gate_reopen(struct gate *g);

/**
 * Grant what may be granted now.
 *
 * @return when to call again [ms, same clock], or UINT64_MAX: when something
 *         happens
 */
uint64_t gate_run(struct gate *g, uint64_t now_ms);

/**
 * Has the service been down for longer than this, and will nobody who comes now
 * be the one to try it?  (False as soon as a try is due and nobody is there to
 * make it.)
 */
bool gate_down_long(const struct gate *g, uint64_t now_ms, uint64_t longer_ms);
/** Why nobody gets in, or NULL: the service is believed up. */
const struct reason *gate_down(const struct gate *g);
