/** @file leg_events.h  A segment of the uplink as an event */
#pragma once

#include "daemon/base/event.h"
#include "daemon/call/uplink.h"

/**
 * Fill in all but coverage and latency; words move to the leg's timeline.
 * leg_events_segment_done() frees what was taken for them.
 */
void leg_events_segment(struct event_segment *out,
			const struct uplink_segment *s);
void leg_events_segment_done(struct event_segment *out);
