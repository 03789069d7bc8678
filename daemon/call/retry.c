/** @file retry.c  What follows a failed or lost connection to an ASR service */
#include "daemon/call/retry.h"

#include "daemon/base/array.h"

enum {
	FIRST_MS = 250,
	LAST_MS = 5000,
	SPREAD_MS = 1000,      /* a redeployed service gets all legs back */
	OVERLOAD_MS = 1000,
	RETRY_AFTER_MS = 60000,
	HOPELESS_MS = 30000,
};

bool retry_is_hopeless(enum reason_class c)
{
	return c == REASON_AUTH || c == REASON_PAYMENT || c == REASON_TLS ||
	       c == REASON_CONFIG;
}

static uint32_t share(uint32_t of, uint32_t random)
{
	return (uint32_t)((uint64_t)of * random >> 32);
}

uint32_t retry_delay_ms(const struct reason *why, unsigned tries,
			uint32_t random)
{
	uint32_t window = FIRST_MS;

	for (unsigned i = 1; i < tries && window < LAST_MS; i++)
		window *= 2;
	window = MIN(window, (uint32_t)LAST_MS);

	if (retry_is_hopeless(why->class))
		return HOPELESS_MS + share(HOPELESS_MS, random);
	if (why->retry_after_ms) {
		const uint32_t ms = MIN(why->retry_after_ms,
					(uint32_t)RETRY_AFTER_MS);

		return ms + share(ms / 10, random);
	}
	switch (why->class) {
	case REASON_NETWORK:
		return tries <= 1 ? 0 : share(window, random);
	case REASON_RESTART:
	case REASON_SESSION:
		return tries <= 1 ? share(SPREAD_MS, random)
				  : SPREAD_MS + share(window, random);
	case REASON_QUOTA:
		return OVERLOAD_MS + share(window, random);
	default:
		return share(window, random);
	}
}
