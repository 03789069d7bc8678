/**
 * @file anchors.h  Places in a stream of audio by which it is known again
 *
 * Every run of 64 bytes of payload has a hash; those with six certain bits are
 * anchors, one in 64 on average.  They depend on the bytes alone, not on how
 * packets cut them up: a PBX that hands audio on in other packets hands on the
 * same anchors, one that transcodes does not.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/media/rtp.h"

enum { ANCHORS_WINDOW = 64 };

/** `{0}`: nothing was heard. */
struct anchors {
	uint8_t window[ANCHORS_WINDOW];
	unsigned at, n;
	uint64_t hash;
	uint16_t seq;
	bool begun;
};

typedef void anchors_fn(uint64_t value, void *arg);

/** The next packet of one SSRC.  One that is there already is ignored; behind a
 * hole a new run begins. */
void anchors_feed(struct anchors *a, const struct rtp *h, anchors_fn *found,
		  void *arg);
