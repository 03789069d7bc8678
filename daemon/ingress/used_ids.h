/**
 * @file used_ids.h  Names of calls that came from outside, each used once
 *
 * A PBX may name a second call as the first (a UUID written into the dial
 * plan); then, and while another way has a call of that name, a few random
 * digits are put behind it.  The last 4,096 names are remembered.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/call/call.h"

enum { USED_IDS = 4096, USED_ID_NAME = 48 };

/** `{0}` to begin. */
struct used_ids {
	uint64_t hash[USED_IDS];
	unsigned next;
};

/**
 * A name for a new call.
 *
 * @param name 1 to 47 of [A-Za-z0-9._-]
 */
void used_ids_take(struct used_ids *u, char out[EVENT_ID], const char *name,
		   const struct calls *calls);
