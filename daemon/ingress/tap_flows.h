/** @file tap_flows.h  A 5-tuple with RTP on it; for the files of the tap */
#pragma once

#include "daemon/ingress/held.h"
#include "daemon/ingress/tap_calls.h"
#include "daemon/media/rtp.h"

enum {
	UNANNOUNCED = 4,        /* packets in order that make a call */
	RUNS = 2,               /* SSRCs that are counted side by side */
	SECONDS_MAX = 3,        /* further SSRCs beside the first */
};

/** Unannounced: packets in order of one SSRC. */
struct run {
	uint32_t ssrc;
	unsigned n;             /* 0: free */
	struct held *held[UNANNOUNCED];
};

struct second {
	uint32_t ssrc;
	struct tap_leg *leg;
};

struct tap_flow {
	struct list in_tap;
	struct addr from, to;
	uint64_t hash;
	uint64_t heard_us;
	uint32_t generation;         /* of the tap, when it was matched */
	bool matched;                /* to an announced call, by that */
	struct tap_match match;
	struct tap_leg *leg;         /* NULL: none (yet) */
	struct second second[SECONDS_MAX];
	struct held_set candidates;  /* first ones of an SSRC */
	struct run runs[RUNS];
	bool encrypted;              /* unannounced, and ZRTP was seen */
};
