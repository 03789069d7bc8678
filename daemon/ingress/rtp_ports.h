/**
 * @file rtp_ports.h  The UDP ports that live legs receive on
 *
 * Even/odd pairs out of the configured range, in random order (spraying hits
 * less), not used again for 30 s after the leg is gone (late packets are the
 * old call's), the next pair on EADDRINUSE.  One owner: the service.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/addr.h"
#include "daemon/base/timers.h"

struct rtp_ports;

/** What all legs on these ports were sent, those that are gone too [packets]. */
struct rtp_totals {
	uint64_t packets;      /**< Of a leg's source and SSRC */
	uint64_t foreign;      /**< Anybody else's */
	uint64_t refused;      /**< SRTP: not authentic, or said before */
	uint64_t odd;          /**< Neither RTP nor RTCP */
	uint64_t dropped;      /**< Too many before anybody was signalled */
};

/**
 * @param at Address to bind; its port is not used
 * @param first,last The range, both included
 * @return 0, -EINVAL (no pair fits) or -ENOMEM
 */
int rtp_ports_new(struct rtp_ports **out, const struct addr *at, uint16_t first,
		  uint16_t last, struct timers *timers);
void rtp_ports_free(struct rtp_ports *p);

/**
 * Take a pair.
 *
 * @param rtp Its even port; RTCP's is the next one
 * @return 0 or -EADDRNOTAVAIL: none is free
 */
int rtp_ports_take(struct rtp_ports *p, uint16_t *rtp);
/** Can so many pairs be taken now? */
bool rtp_ports_can(struct rtp_ports *p, unsigned pairs);
/** Its leg is gone, or it could not be bound (somebody else's).  Not given out
 * for 30 s. */
void rtp_ports_give_back(struct rtp_ports *p, uint16_t rtp);

/** Pairs in use, and pairs there are. */
unsigned rtp_ports_used(const struct rtp_ports *p);
unsigned rtp_ports_limit(const struct rtp_ports *p);

/** The legs' to count in. */
struct rtp_totals *rtp_ports_totals(struct rtp_ports *p);
