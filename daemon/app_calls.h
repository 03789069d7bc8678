/** @file app_calls.h  Answers about calls and their legs */
#pragma once

#include "daemon/call/call.h"
#include "daemon/ops/control.h"

/** No call and no leg is called so. */
void app_calls_unknown(const struct command *c, struct answer *a);
/** calls: those behind `c->next`, as many as fit in a line. */
void app_calls_list(const struct calls *cs, const struct command *c,
		    struct answer *a);
/** call: everything of one that is in its events, and how it stands now. */
void app_calls_one(const struct calls *cs, const struct command *c,
		   struct answer *a);
