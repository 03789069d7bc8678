/** @file used_ids.c  Names of calls that came from outside, each used once */
#include "daemon/ingress/used_ids.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/net/random.h"

static bool has(const struct used_ids *u, uint64_t hash)
{
	for (unsigned i = 0; i < USED_IDS; i++)
		if (u->hash[i] == hash)
			return true;
	return false;
}

static void put(struct used_ids *u, uint64_t hash)
{
	u->hash[u->next] = hash;
	u->next = (u->next + 1) % USED_IDS;
}

void used_ids_take(struct used_ids *u, char out[EVENT_ID], const char *name,
		   const struct calls *calls)
{
	uint64_t hash = hash_bytes(name, strlen(name));
	uint32_t more;

	snprintf(out, EVENT_ID, "%.*s", USED_ID_NAME - 1, name);
	while (has(u, hash) || calls_know(calls, out)) {
		random_bytes(&more, sizeof(more));
		snprintf(out, EVENT_ID, "%.*s-%08" PRIx32, USED_ID_NAME - 1,
			 name, more);
		hash = hash_bytes(out, strlen(out));
	}
	put(u, hash);
}
