/**
 * @file core.h  What a replay and the service have in common
 *
 * Loop, media clock's timers, journal, event socket, services, calls: opened
 * in this order, closed in reverse.  Ways in are the user's.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "daemon/base/timers.h"
#include "daemon/call/call.h"
#include "daemon/cfg/config.h"
#include "daemon/pub/journal.h"

struct clock_step;
struct services;
struct subscribers;
struct turns;

struct core {
	const struct config *config;
	uv_loop_t loop;
	struct turns *turns;
	struct timers *timers;
	struct journal *journal;
	void (*seen)(const struct event *e, void *arg);
	void *seen_arg;
	struct redact *redact;   /**< NULL: nothing is masked */
	struct subscribers *subscribers;
	struct clock_step *step;
	struct services *services;
	struct calls *calls;
};

struct core_options {
	const char *asr;         /**< Of all legs; "none"; NULL: the routes */
	bool socket;             /**< Serve the event socket */
	bool service;            /**< Sections that are not given hold their
				      defaults: a journal on disk */
	bool paced;              /**< The next four: struct calls_config */
	bool hopeless_is_final;
	uint32_t give_up_ms;
	struct audio_sink audio;
	/** Every event, before it is published.  NULL: nobody. */
	void (*seen)(const struct event *e, void *arg);
	void *seen_arg;
	void (*busy)(bool busy, void *arg); /**< `arg` as below */
	void (*idle)(void *arg);
	void *arg;
};

/** The loop alone.  @return 0 or -errno */
int core_init(struct core *x, const struct config *config);
/**
 * Everything else; what is wrong goes to stderr.
 *
 * @return EXIT_OK, EXIT_CONFIG or EXIT_RUNTIME (options.h); core_close() in
 *         any case
 */
int core_open(struct core *x, const struct core_options *o);
/** Serve the event socket: when everything else stands. */
int core_listen(struct core *x);
/**
 * Take over what may change while it runs: asrs, routes, digits.
 *
 * @param next Taken over on success
 * @param why On error: as services_open()
 */
int core_reload(struct core *x, struct config *next, struct buf *why);
/** Publish an event of the daemon's own. */
void core_emit(struct core *x, const struct event *e);
/** Publish daemon.<what>. */
void core_tell(struct core *x, const char *what, const char *text);
/** Run the loop dry; the user has closed what is its own, and taps the journal
 * no more. */
void core_close(struct core *x);
