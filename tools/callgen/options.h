/** @file options.h  The command line */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "tools/callgen/plan.h"

enum { LEGS_MAX = 8, EXIT_RUN = 2, EXIT_INPUT = 3, EXIT_USAGE = 64 };

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

/** Strings are the command line's. */
struct options {
	bool help;
	/* where to: one of them; `to` also with --write */
	struct addr to;          /**< Family 0: not said */
	const char *control;     /**< Path of a control socket */
	struct addr sip;         /**< Family 0: not said */
	enum transport transport;
	const char *siprec;      /**< File of the dialect */
	const char *write;       /**< Capture instead of sending */

	struct addr from;
	unsigned sockets;
	const char *audio;       /**< NULL: made */
	const char *report;
	const char *name;
	const char *user;        /**< Called party of SIP */

	uint64_t calls;
	unsigned legs;           /**< Of each call */
	uint64_t rate_milli;     /**< Calls in 1000 s */
	uint64_t length_ms;
	enum law law[LEGS_MAX];
	unsigned ptime_ms[LEGS_MAX];
	uint64_t seed;
	struct addr spoof_from;  /**< Family 0: nobody spoofs */
	uint64_t hold_at_ms, hold_ms, ssrc_at_ms, jump_at_ms, digits_at_ms;
	uint64_t talk_ms, quiet_ms;
	struct plan_options plan; /**< What holds for every leg */
};

/** @return 0 or an exit code; what is wrong was said on stderr */
int options_read(struct options *o, int argc, char **argv);
/** What leg `k` of a call does. */
struct plan_options options_plan(const struct options *o, unsigned k);
/** "callgen: ..." on stderr.  @return `code` */
int complain(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
extern const char options_usage[];
