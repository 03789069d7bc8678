/**
 * @file problems.h  The last things that went wrong, as the events told them
 *
 * One told again is moved to the end and counted, so a hundred legs that lose
 * the same service are one problem.  Texts say what to do (base/reason.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"

enum { PROBLEMS = 5, PROBLEM_WHAT = 32, PROBLEM_ASR = 65, PROBLEM_TEXT = 256 };

struct problem {
	char what[PROBLEM_WHAT];  /**< "asr_down"; of a leg its reason: "auth" */
	char asr[PROBLEM_ASR];    /**< "": not about one */
	char text[PROBLEM_TEXT];  /**< In words; "": there are none */
	uint64_t times;
	uint64_t at_us;           /**< The last time, the events' clock */
};

/** `{0}` to begin. */
struct problems {
	struct problem kept[PROBLEMS]; /**< The latest last */
	size_t n;
};

/** Every event; those that are no problem change nothing. */
void problems_event(struct problems *p, const struct event *e);
/** The i-th, the latest first; NULL: there are no more. */
const struct problem *problems_at(const struct problems *p, size_t i);
