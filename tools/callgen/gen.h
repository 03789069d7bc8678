/**
 * @file gen.h  Calls and legs under way
 *
 *   gen      begins calls at their rate, one timer heap for all
 *   way      how a call is set up and ended: plain, control socket, SIP
 *   leg      its plan's packets, when they are due, to the sender
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#include "daemon/base/list.h"
#include "daemon/base/timers.h"
#include "tools/callgen/options.h"
#include "tools/callgen/plan.h"
#include "tools/callgen/sender.h"

struct call;
struct gen;

enum { CALL_ID = 64, LEG_NAME = 128, TURN_MS = 5 };

struct leg {
	struct call *call;
	unsigned k;              /**< Which of the call */
	unsigned number;         /**< Which of all */
	struct plan plan;
	struct plan_packet next;
	struct addr to;          /**< The other side may change it */
	uint64_t begun_us;
	bool running;            /**< Packets are left */
	bool begun, cut;         /**< cut: not all was sent */
	struct timer timer;
	char name[LEG_NAME];     /**< At the other side, or "" */
	char label[32];
};

struct call {
	struct list in_gen;
	struct gen *gen;
	uint64_t number;         /**< From 1 */
	char id[CALL_ID];
	struct leg legs[LEGS_MAX];
	unsigned running;        /**< Legs with packets left */
	struct timer hold;
	bool on_hold;
	bool good;               /**< Taken, and ended in order */
	json_t *told;            /**< Members of the way for the report; NULL */
	void *priv;              /**< The way's */
};

/** How calls are set up.  Every begun call is ended once: gen_call_over(). */
struct way {
	/** Set up; call_legs_begin() or gen_call_over() later, or now. */
	void (*begin)(struct call *c);
	/** All packets are sent: end it; gen_call_over() later, or now. */
	void (*end)(struct call *c);
	/** NULL: nobody is told. */
	void (*hold)(struct call *c, bool held);
};

extern const struct way way_plain, way_control, way_sip;

struct gen {
	uv_loop_t *loop;
	const struct options *o;
	const struct way *way;
	struct sound sound;
	struct sender *sender, *spoofer; /**< NULL: nobody spoofs */
	struct timers *timers;
	struct timer next_call;
	uv_timer_t turn;
	FILE *report;            /**< NULL: none */
	struct list calls;
	uint64_t begun, over, bad;
	uint64_t first_us;
	bool stopping;           /**< No more calls */
	void (*ended)(struct gen *g); /**< The last call is over */
	void *way_state;
};

/** Begin the first call; g->ended() when all are over.  Everything above
 * `calls` and `way_state` is set; `turn` is initialised here. */
void gen_begin(struct gen *g);
/** The same without loop, as fast as it goes, for --write. */
void gen_run_now(struct gen *g);
/** No more calls, those under way end now. */
void gen_stop(struct gen *g);
uint64_t gen_now_us(const struct gen *g);

/** Every leg's `to` is set: go. */
void call_legs_begin(struct call *c);
/** Send no more of it; way->end() does not follow. */
void call_legs_stop(struct call *c);
/** @param good It was taken and ended in order.  Frees it. */
void gen_call_over(struct call *c, bool good);

/** The leg's line of the report; a new reference. */
json_t *leg_report(const struct leg *l);
