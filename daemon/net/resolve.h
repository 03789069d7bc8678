/**
 * @file resolve.h  A host name's addresses, off the loop
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"

enum { RESOLVE_MAX = 8, HOST_MAX = 253 };

struct resolve;

/**
 * Once.
 *
 * @param n 0: it failed, and `error` says why
 */
typedef void resolve_fn(const struct addr *a, size_t n, const char *error,
			void *arg);

/**
 * May this be given to the resolver?  Letters, digits, '-', '_' and '.', at
 * most HOST_MAX bytes; or an IP address.  What only looks like an address
 * ("0x7f.1", "127.1") is refused: resolvers read such names in surprising ways.
 */
bool resolve_host_ok(const char *host);

/** @return 0, -EINVAL (see resolve_host_ok()) or -errno */
int resolve_open(struct resolve **out, uv_loop_t *loop, const char *host,
		 uint16_t port, resolve_fn *fn, void *arg);
/** NULL is fine; also after it has called back. */
void resolve_close(struct resolve *r);
