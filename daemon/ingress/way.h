/**
 * @file way.h  One way in: how calls reach the service
 *
 * To add one: write daemon/ingress/way_<name>.c defining `way_<name>`; the
 * Makefile puts it into the registry.  A way that the configuration does not
 * ask for says so by `wanted`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "daemon/base/reason.h"
#include "daemon/base/timers.h"
#include "daemon/call/call.h"
#include "daemon/cfg/config.h"
#include "daemon/ingress/rtp_ports.h"
#include "daemon/net/clock.h"
#include "daemon/ops/control.h"

struct way_config {
	uv_loop_t *loop;
	const struct config *config;
	struct timers *timers;
	struct clock_live *clock;
	struct calls *calls;
	struct rtp_ports *ports; /**< NULL: no rtp and no sip section */
	/** It cannot go on; once. */
	void (*failed)(const char *way, const struct reason *why, void *arg);
	/** Has every asr that a call could get been down for longer than what
	 * is kept of its audio?  NULL: nobody knows. */
	bool (*asr_down)(void *arg);
	/** A way that was busy after end() is so no more. */
	void (*quiet)(void *arg);
	/** Publish daemon.<what>.  @param text In words, with what to do */
	void (*tell)(const char *what, const char *text, void *arg);
	void *arg;
};

struct way {
	const char *name;
	/** Does the configuration ask for it? */
	bool (*wanted)(const struct config *c);
	/**
	 * @param why On error: what is wrong and what to do
	 * @return 0 or -errno
	 */
	int (*open)(void **out, const struct way_config *cfg,
		    struct reason *why);
	/** No new calls from here on; those there are go on. */
	void (*drain)(void *way);
	/** New calls again.  NULL: it never refused any. */
	void (*resume)(void *way);
	/**
	 * What came by the control socket; of status its part.  `hangup` names
	 * a call that is there, perhaps another way's.  NULL: nothing is its
	 * own.
	 *
	 * @return true: it was its own, and is answered
	 */
	bool (*command)(void *way, const struct command *c, struct answer *a);
	/** End what is left, with this reason. */
	void (*end)(void *way, const char *reason);
	/** Has it still something to say after end() (goodbyes that nobody has
	 * confirmed; 2 s at most)?  NULL: never. */
	bool (*busy)(const void *way);
	/** Everything; no callback afterwards. */
	void (*close)(void *way);
};

/** The i-th, or NULL. */
const struct way *way_at(size_t i);
