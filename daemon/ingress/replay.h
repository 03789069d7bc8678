/**
 * @file replay.h  A capture file as a way in, on the capture's own clock
 *
 * Puts the capture's packets and clock in place of the network's: behind it is
 * the same tap as behind a mirrored port.  The media clock moves with the
 * capture; while legs hold it up (they connect, or have more than 2 s unsent)
 * it stands still, unless the replay runs at real speed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/reason.h"
#include "daemon/base/timers.h"
#include "daemon/call/call.h"

struct config;
struct replay;

struct replay_config {
	uv_loop_t *loop;
	struct timers *timers;   /**< The media clock; the replay moves it */
	struct calls *calls;
	const struct config *config; /**< For what is read; NULL: none */
	const char *path;
	double speed;            /**< Times real time; 0: as fast as it goes */
	/**
	 * The capture is at its end and its last call is over; comes once.
	 *
	 * @param damaged NULL, or what was wrong with the file
	 */
	void (*finished)(const struct reason *damaged, void *arg);
	void *arg;
};

/** @return 0 or -errno with `why` (no such file, no capture ...) */
int replay_open(struct replay **out, const struct replay_config *cfg,
		struct reason *why);
/** NULL is fine; no callback afterwards. */
void replay_close(struct replay *r);

/** Begin to move the clock. */
void replay_start(struct replay *r);
/** End here, as if the capture were at its end. */
void replay_stop(struct replay *r);
/** Legs hold it up, or do so no longer (struct calls_config.busy). */
void replay_hold(struct replay *r, bool busy);
/** The last call is over (struct calls_config.idle). */
void replay_idle(struct replay *r);
