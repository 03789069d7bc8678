/**
 * @file retry.h  What follows a failed or lost connection to an ASR service
 *
 * Full-jitter back-off: a random share of 250 ms, 500 ms, ... 5 s; restarts of
 * the service are spread over a second, quotas wait at least one.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/reason.h"

/**
 * Would the next try end the same way unless a person does something?  (Wrong
 * key, no credit, a certificate that is not trusted, a wrong address.)
 */
bool retry_is_hopeless(enum reason_class c);

/**
 * How long to wait before the next connection [ms].
 *
 * @param tries Failures in a row, this one included, from 1
 * @param random Any 32 random bits
 */
uint32_t retry_delay_ms(const struct reason *why, unsigned tries,
			uint32_t random);
