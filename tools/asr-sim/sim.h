/**
 * @file sim.h  The simulator: what its connections share
 *
 * One loop; every connection is on a list until it is over and reported.
 */
#pragma once

#include <stdio.h>
#include <uv.h>

#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/net/websocket.h"
#include "tools/asr-sim/dialect.h"
#include "tools/asr-sim/script.h"

struct sim {
	uv_loop_t *loop;
	const struct dialect *dialect;
	const char *flavour;      /**< "" when the dialect has none */
	unsigned words;           /**< Per segment; 0: name the samples */
	struct script script;
	FILE *report;             /**< NULL: none */
	const char *dump;         /**< Directory, or NULL */
	char *expect_key;         /**< NULL: any key will do */

	struct list conns;
	uint64_t n_conns;         /**< Upgrade requests so far */
	struct map ids;           /**< Ids that no two connections may share */
	struct websocket_server *server;
};

/** Begin to serve.  @return 0 or -errno */
int sim_open(struct sim *s, const struct addr *at,
	     const struct tls_context *tls);
/** End and report what is left. */
void sim_close(struct sim *s);

/** Has this id been seen before?  Remembers it.  Copied. */
bool sim_id_seen(struct sim *s, const char *id);
