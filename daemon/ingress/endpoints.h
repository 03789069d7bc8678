/** @file endpoints.h  Which calls announced an address */
#pragma once

#include "daemon/ingress/tap_calls.h"

struct endpoint_address {
	struct addr at;
	struct list endpoints;    /* oldest first */
};

/**
 * `side` of the call, which has said something, receives at `at` from now on;
 * the oldest of more than ENDPOINTS_MAX is forgotten.
 *
 * @return 1: that is new; 0: it was known; -ENOMEM
 */
int endpoints_add(struct tap_call *c, unsigned media, unsigned side,
		  const struct addr *at);
/** Forget all of a call. */
void endpoints_remove(struct tap_call *c);
const struct endpoint_address *endpoints_find(const struct tap *t,
					      const struct addr *at);
