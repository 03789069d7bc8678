/**
 * @file resolve.h  A host name's addresses, off the loop
 *
 * A resolver is shared by all that ask for the same few hosts (the legs of a
 * service): however many ask, a host is one job of the thread pool at a time,
 * and what it answers goes to all who wait.  The last answer is kept: when the
 * name servers fail or say nothing it serves for an hour more (RFC 8767).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"

enum { RESOLVE_MAX = 16, HOST_MAX = 253 };

struct resolver;
struct resolve;

/** [ms]; 0: the default. */
struct resolver_options {
	uint32_t wait_ms;  /**< For an answer, 10 s */
	uint32_t old_ms;   /**< ... when an old one is there, 1.8 s (RFC 8767
				section 5) */
	uint32_t keep_ms;  /**< An old answer is used so long, 1 h */
};

/** @param o NULL: the defaults.  @return 0 or -ENOMEM */
int resolver_open(struct resolver **out, uv_loop_t *loop,
		  const struct resolver_options *o);
/** NULL is fine.  Who still asks gets no answer any more. */
void resolver_close(struct resolver *r);

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
int resolve_open(struct resolve **out, struct resolver *r, const char *host,
		 uint16_t port, resolve_fn *fn, void *arg);
/** NULL is fine; also inside and after its callback, also after
 * resolver_close(). */
void resolve_close(struct resolve *q);
