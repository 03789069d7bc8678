/**
 * @file look.h  How it stands with calls and legs right now, for operators
 *
 * Values, good until the loop goes on.  Nothing here changes anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/call/call.h"
#include "daemon/call/history.h"

struct leg_look {
	const char *id;
	enum role role;
	const char *asr;         /**< The asr's name, or "none" */
	const char *state;       /**< INTERFACES' list; NULL: no ASR */
	const char *unusable;    /**< "encrypted", "codec"; NULL: it is not */
	bool media;              /**< A packet came */
	bool ended;              /**< Its last words are awaited */
	bool stream;             /**< No RTP: none of its figures */
	struct event_rtp rtp;
	uint64_t backlog;        /**< Not sent yet [samples] */
	struct event_leg_end so_far; /**< As leg.end would have it now */
	uint64_t now_us;         /**< Media clock, for the history */
	const struct history *history;
};

struct call_look {
	const char *id, *source, *from, *to; /**< "": not known */
	uint64_t number;         /**< Of all calls, rising with their age */
	uint64_t age_us;
	bool ended;              /**< Its last words are awaited */
	unsigned legs;           /**< Not over yet */
	const struct call *call; /**< For legs_look() */
};

/** Return false to end it. */
typedef bool call_look_fn(const struct call_look *c, void *arg);
typedef bool leg_look_fn(const struct leg_look *l, void *arg);

/** Calls numbered above `after`, oldest first. */
void calls_look(const struct calls *cs, uint64_t after, call_look_fn *fn,
		void *arg);
/** One call, by its id or that of one of its legs.  @return false: none is
 * called so */
bool call_look(const struct calls *cs, const char *id, struct call_look *out);
/** Its legs, oldest first. */
void legs_look(const struct call *c, leg_look_fn *fn, void *arg);
