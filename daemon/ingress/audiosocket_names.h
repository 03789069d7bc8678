/**
 * @file audiosocket_names.h  Whose an AudioSocket will be
 *
 * An AudioSocket tells a UUID and nothing else.  What call.register said of it
 * (call, parties, role) waits here until it connects, for ten minutes.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/list.h"
#include "daemon/base/timers.h"
#include "daemon/ops/command.h"

enum {
	AUDIOSOCKET_NAMES_MAX = 10000,
	AUDIOSOCKET_NAMES_KEEP_US = 600 * 1000 * 1000,
};

struct audiosocket_names {
	struct list all;
	unsigned count;
	struct timers *timers;
};

void audiosocket_names_init(struct audiosocket_names *n, struct timers *ts);
/**
 * @param c A copy is kept; one of the same UUID takes the place of the other
 * @return 0, -ENOSPC or -ENOMEM
 */
int audiosocket_names_add(struct audiosocket_names *n,
			  const uint8_t uuid[16], const struct command *c);
/**
 * What was said of it; then it is forgotten.
 *
 * @param out The caller's, to be freed by command_free()
 * @return 0 or -ENOENT
 */
int audiosocket_names_take(struct audiosocket_names *n, struct command *out,
			   const uint8_t uuid[16]);
void audiosocket_names_clear(struct audiosocket_names *n);
