/**
 * @file udp.h  A UDP socket on the loop, a call per datagram
 *
 * Nothing is allocated per datagram: all sockets of a thread receive into one
 * buffer, which is the callback's while that runs.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/packet.h"
#include "daemon/base/timers.h"
#include "daemon/net/clock.h"

struct udp;

/** Arrival times come from `clock`, or, where that is NULL, from where the
 * timers stand. */
struct udp_options {
	uv_loop_t *loop;
	struct addr at;          /**< Port 0: the kernel chooses */
	struct clock_live *clock;
	struct timers *timers;
	int queue;               /**< The kernel's, of what came [bytes]; it may
				      give less; 0: as usual */
};

/** May close the socket. */
typedef void udp_fn(const struct packet *p, void *arg);

/** @return 0, -EADDRINUSE, -EADDRNOTAVAIL or -errno */
int udp_open(struct udp **out, const struct udp_options *o, udp_fn *fn,
	     void *arg);
/**
 * Hand over at once what has come already, before the loop's turn: the other
 * side may say by another socket that this was all.  At most 1,024 datagrams;
 * their time is where the timers stand (needed).  The callback may not close
 * it; nothing that is due runs meanwhile.
 */
void udp_drain(struct udp *u);
/** NULL is fine; no callback afterwards. */
void udp_close(struct udp *u);
/** Where it is bound. */
struct addr udp_address(const struct udp *u);
/** Send at once or not at all.  @return 0 or -errno (-EAGAIN: full) */
int udp_send(struct udp *u, const struct addr *to, const void *data,
	     size_t len);
