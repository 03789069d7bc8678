/** @file services.h  The configured ASR services, and which leg gets which */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/call/service.h"
#include "daemon/cfg/config.h"
#include "daemon/ops/metrics.h"

struct services;

/**
 * @param only An asr's name: all legs get it; "none": none do; NULL: the
 *             routes decide
 * @param why On error, a whole line for people: FILE:LINE where a file's fault
 *
 * @return 0 or -errno
 */
int services_open(struct services **out, const struct config *config,
		  const char *only, uv_loop_t *loop, struct buf *why);
/**
 * Other asrs and routes for the legs to come, their keys and CAs read anew.
 * What is in use stays until its last leg is over.  What was known of the
 * services (down, slow) is forgotten.
 *
 * @param config Taken over on success
 */
int services_reload(struct services *s, struct config *config,
		    struct buf *why);
/** Whose asrs and routes new legs get. */
const struct config *services_config(const struct services *s);
/** Sets of services that still have legs, the present one not counted. */
unsigned services_old(const struct services *s);
/** No leg lives any more: close what is on the loop. */
void services_stop(struct services *s);
/** Once the loop has run dry. */
void services_close(struct services *s);

typedef void services_tell_fn(const struct service *s, const char *what,
			      const struct reason *why, void *arg);
/** Be told what becomes of them (struct service.tell). */
void services_watch(struct services *s, services_tell_fn *tell, void *arg);

/**
 * Has every asr that calls of one of these sources could get, fallbacks
 * included, been down for longer than this?  A route to "none" is never down.
 *
 * @param sources NULL-ended
 */
bool services_down(const struct services *s, const char *const *sources,
		   uint64_t longer_ms);

/** The one named, or NULL: no leg could get it. */
struct service *services_find(const struct services *s, const char *name);
/**
 * New legs get its fallback instead, or no ASR at all; those that have it keep
 * it.  It stays so over reloads, not over a restart.
 *
 * @return 0, -ENOENT (no asr is called so) or -ENOMEM
 */
int services_enable(struct services *s, const char *name, bool on);
/** Of the asr named; nothing of one that is not, or no more, configured. */
struct metrics_asr services_figures(const struct services *s, const char *name);

/** For struct calls_config.choose; `chooser` is the services. */
struct service *services_choose(const struct leg_facts *f, void *chooser);
/** For struct calls_config.release. */
void services_release(struct service *one, void *chooser);
