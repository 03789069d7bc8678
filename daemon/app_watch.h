/** @file app_watch.h  Figures of the running service: metrics, HTTP, its page */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/core.h"
#include "daemon/ops/control.h"

struct watch;

struct watch_config {
	struct core *core;
	/** How it stands with calls and ports. */
	void (*status)(struct status *out, void *arg);
	void *arg;
};

/** Before core_open(), which is to hand over watch_event().
 * @return 0 or -ENOMEM */
int watch_new(struct watch **out, const struct watch_config *cfg);
/** Every event. */
void watch_event(const struct event *e, void *watch);
/** Serve HTTP, if it is configured; what is wrong goes to stderr.
 * @return an exit code */
int watch_listen(struct watch *w);
/** As /metrics has them. */
void watch_print(struct buf *out, void *watch);
/** metrics: the same, in pieces that fit in a line. */
void watch_answer(struct watch *w, const struct command *c, struct answer *a);
/** The last things that went wrong. */
const struct problems *watch_problems(const struct watch *w);
/** The configuration was read again; when `ok`, it holds. */
void watch_reloaded(struct watch *w, bool ok);
/** HTTP ends; while the loop can still run. */
void watch_stop(struct watch *w);
/** NULL is fine. */
void watch_free(struct watch *w);
