/**
 * @file listener.h  A TCP port: each connection is handed to its owner
 *
 * The owner takes it by stream_accept(), and closes at once whom it does not
 * want: a connection that is not taken stays in the kernel's queue and would
 * be offered for ever.
 */
#pragma once

#include <uv.h>

#include "daemon/base/addr.h"

struct listener;

/** @param from For stream_accept(), during the call */
typedef void listener_fn(uv_stream_t *from, void *arg);

/** @return 0 or -errno (address in use, not this machine's ...) */
int listener_open(struct listener **out, uv_loop_t *loop,
		  const struct addr *at, listener_fn *fn, void *arg);
/** Where it listens (the port chosen when 0 was asked for). */
struct addr listener_address(const struct listener *l);
/** NULL is fine; no callback afterwards.  Connections live on. */
void listener_close(struct listener *l);
