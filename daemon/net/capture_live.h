/**
 * @file capture_live.h  A network interface watched through libpcap
 *
 * A ring of TPACKET_V3, whose blocks come within 10 ms; libpcap's immediate
 * mode would take TPACKET_V2, with a slot of the largest size for each packet.
 * Needs CAP_NET_RAW and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/reason.h"
#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"

struct capture_live;

struct capture_live_cb {
	/** One frame; its time is the kernel's wall-clock stamp. */
	void (*frame)(const struct frame *f, void *arg);
	/** The interface went away or down: says so and what to do; comes
	 * last. */
	void (*failed)(const struct reason *why, void *arg);
};

/**
 * @param filter pcap-filter(7); "": everything.  What comes in tunnels or
 *               fragments passes, too: capture_live_wants() judges it
 * @param why On error: no such interface, no capability, a wrong filter, and
 *            what to do
 *
 * @return 0 or -errno
 */
int capture_live_open(struct capture_live **out, uv_loop_t *loop,
		      const char *interface, const char *filter,
		      const struct capture_live_cb *cb, void *arg,
		      struct reason *why);
/** Is there such an interface, and is it up?  @param why If not: what to do */
bool capture_live_sees(const char *interface, struct reason *why);
/** NULL is fine. */
void capture_live_close(struct capture_live *c);

/** Is this packet, unwrapped from the frame at hand, what the filter asks for? */
bool capture_live_wants(const struct capture_live *c, const struct frame *f,
			const struct decap_packet *p);

/** Frames that the kernel, or the interface, had no room for since the start:
 * they are missing here only, the call may have been whole. */
uint64_t capture_live_dropped(const struct capture_live *c);
