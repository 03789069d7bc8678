/**
 * @file names.h  Where each named subscriber goes on
 *
 * Kept for the life of the process, and over it with a journal on disk; at most
 * NAMES_MAX, those nobody holds go first, the one used longest ago before the
 * others.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/base/list.h"

enum { NAMES_MAX = 256 };

struct named {
	struct list in;
	char name[EVENT_ID];
	uint64_t next;      /**< The event wanted next; 0: never was here */
	bool reset;         /**< That is less than it had: to be told */
	void *holder;       /**< Connection that has the name; NULL: none */
};

/** `{0}` is not enough: names_init(). */
struct names {
	struct list all;    /**< Used longest ago first */
	unsigned n;
};

void names_init(struct names *n);
void names_fini(struct names *n);
/** Find or make.  @return NULL: no memory, or all are held */
struct named *names_use(struct names *n, const char *name);
