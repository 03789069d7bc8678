/**
 * @file control.h  The control socket (INTERFACES section 4)
 *
 * One JSON object a line each way; every line is answered, in order, at once.
 * A line over COMMAND_LINE_MAX ends the connection, as does a client that does
 * not read its answers.  32 connections, 16 of one user (SO_PEERCRED).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/ops/command.h"

struct control;

/** How it stands with the daemon. */
struct status {
	bool draining;
	uint64_t uptime_s;
	unsigned calls;                 /**< Not yet told of as ended */
	bool rtp;                       /**< The next are known */
	unsigned rtp_legs, ports_used, ports;
	/** Of all live legs, those of SIP and those that are gone, too:
	 * theirs, nobody's, SRTP that is not authentic, no RTP at all. */
	uint64_t rtp_packets, rtp_foreign, rtp_refused, rtp_odd;
	bool sip;                       /**< The next are known */
	unsigned sip_calls, sip_legs, sip_connections;
	uint64_t sip_requests, sip_refused;
	bool capture;                   /**< The next are known */
	bool capture_up;                /**< The interface is there and up */
	struct {
		uint64_t frames;
		uint64_t dropped;       /**< The kernel had no room */
		uint64_t tunnelled, copies, malformed;
		uint64_t rtp, sip, foreign;
	} captured;
};

struct answer {
	char error[COMMAND_ERROR];      /**< "": it was done */
	char leg[EVENT_ID];             /**< leg.add ... */
	struct addr address;            /**< ... and where it receives */
	struct status status;           /**< status, drain */
	const char *name;               /**< What `body` is called; NULL: its
					     members are the status' */
	void *body;                     /**< json_t, the answer's own */
	uint64_t next;                  /**< 0, or where to go on */
};

/** What was wrong and what to do. */
void answer_error(struct answer *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** @param a Zero-filled */
typedef void control_fn(const struct command *c, struct answer *a, void *arg);

/** The answer as a line.  @param id As command_parse() gave it */
void control_print(struct buf *out, const char *id, const struct command *c,
		   const struct answer *a);

/**
 * @param why On error: what is wrong and what to do
 * @return 0 or -errno
 */
int control_open(struct control **out, uv_loop_t *loop, const char *path,
		 unsigned mode, control_fn *fn, void *arg, struct buf *why);
/** NULL is fine; no callback afterwards. */
void control_close(struct control *c);
