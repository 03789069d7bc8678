/** @file leg.h  What calls and their legs know of each other */
#pragma once

#include <stdbool.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/call/call.h"
#include "daemon/call/look.h"

struct calls {
	struct calls_config cfg;
	struct list all;      /* of struct call, oldest first */
	unsigned count;
	uint64_t numbered;    /* calls ever */
	unsigned busy;        /* legs that hold up a replay */
	struct log_limit failed;
};

struct call {
	struct list in_calls;
	struct calls *calls;
	uint64_t number;      /* of all, from 1 */
	char id[EVENT_ID];
	char *source, *calling, *called, *language;
	struct addr trunk;
	struct event_id *ids; /* what routes look at */
	size_t n_ids;
	uint64_t started_us;
	struct list legs;     /* not yet told of as ended */
	unsigned opened;      /* legs so far */
	bool ended, paused;
	uint64_t ended_us;
	char reason[32];
};

/** Drop a leg without a word. */
void leg_free(struct leg *l);
/** For calls.c: the link in call->legs, and whether leg_end() was called. */
struct leg *leg_of(struct list *in_call);
bool leg_ended(const struct leg *l);
void leg_pause(struct leg *l, const char *reason);
void leg_resume(struct leg *l, const char *reason);
/** How it stands with it. */
void leg_look(const struct leg *l, struct leg_look *out);
/** For leg.c: the leg was told of as ended and is gone. */
void call_leg_over(struct call *c);
