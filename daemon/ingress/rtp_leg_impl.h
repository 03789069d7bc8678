/** @file rtp_leg_impl.h  Inside a leg that receives on ports of its own */
#pragma once

#include "daemon/base/log.h"
#include "daemon/ingress/early.h"
#include "daemon/ingress/held.h"
#include "daemon/ingress/learn.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/media/report.h"
#include "daemon/media/source.h"
#include "daemon/media/srtp.h"
#include "daemon/net/udp.h"

enum { RTP_LEG_SILENT_US = 5 * 1000 * 1000 };

struct rtp_leg {
	struct rtp_leg_config cfg;
	uint16_t port;           /* 0: none taken */
	struct udp *rtp, *rtcp;
	struct leg *leg;
	struct rtp_remote remote;
	struct srtp_in srtp;
	struct srtp_out srtp_out;
	struct early early;

	bool locked;             /* to `from` */
	bool moving;             /* another address was signalled since */
	struct addr from;
	struct learn learn;
	struct source source;
	struct held_set held;
	bool told;               /* leg_set_rtp() was called */
	unsigned others;         /* packets of no audio in a row */

	struct timer silence;
	uint64_t heard_us;
	bool no_rtp;             /* was told */
	bool timed_out;
	struct timer reports;
	struct report report;
	uint32_t ssrc;           /* ours, in RTCP */
	char cname[REPORT_CNAME];
	struct rtp_leg_stats stats;
	struct rtp_totals *totals;
	struct rtp_totals own;   /* where there are no ports */
	struct log_limit foreign, refused, dropped;
	uint64_t spoof_us;       /* told of then; 0: not yet */
	uint64_t spoof_packets;  /* foreign ones, then */
};

/* Datagrams of the two ports, and those of before anybody was signalled. */
udp_fn rtp_leg_on_rtp, rtp_leg_on_rtcp, rtp_leg_on_early;
