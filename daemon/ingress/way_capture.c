/**
 * @file way_capture.c  Live capture: a mirrored port, or the PBX host itself
 *
 * The replay's path, fed by an interface instead of a file.  The media clock
 * is the daemon's own; what the kernel stamped is not needed.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/ingress/tap.h"
#include "daemon/ingress/way.h"
#include "daemon/net/capture_live.h"
#include "daemon/net/decap.h"

struct capture {
	struct way_config cfg;
	struct capture_live *live;
	struct decap *decap;
	struct tap *tap;
};

static void on_frame(const struct frame *f, void *arg)
{
	struct capture *c = arg;
	const uint64_t now_us = clock_live_run(c->cfg.clock);
	struct decap_packet p;

	if (decap_feed(c->decap, f->link_type, now_us, f->data, f->len,
		       f->wire_len, &p) == 1)
		tap_packet(c->tap, &p, now_us);
}

static void on_failed(const struct reason *why, void *arg)
{
	struct capture *c = arg;

	tap_end(c->tap, "capture_end");
	c->cfg.failed("capture", why, c->cfg.arg); /* may close: last line */
}

static bool wanted(const struct config *c)
{
	return c->capture.given;
}

static void close_capture(void *way)
{
	struct capture *c = way;
	struct tap_stats ts;

	if (!c)
		return;
	if (c->tap && c->live) {
		tap_stats(c->tap, &ts);
		log_info("capture", "%llu RTP, %llu SIP, %llu of nobody, %llu "
			 "dropped by the kernel",
			 (unsigned long long)ts.rtp, (unsigned long long)ts.sip,
			 (unsigned long long)ts.foreign,
			 (unsigned long long)capture_live_dropped(c->live));
	}
	capture_live_close(c->live);
	tap_free(c->tap);
	decap_free(c->decap);
	free(c);
}

static int open_capture(void **out, const struct way_config *cfg,
			struct reason *why)
{
	static const struct capture_live_cb cb = { on_frame, on_failed };
	const struct tap_config tc = {
		.calls = cfg->calls, .timers = cfg->timers, .source = "capture",
	};
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	int err = decap_new(&c->decap);
	if (!err)
		err = tap_new(&c->tap, &tc);
	if (!err)
		err = capture_live_open(&c->live, cfg->loop,
					cfg->config->capture.interface,
					cfg->config->capture.filter, &cb, c,
					why);
	if (err) {
		close_capture(c);
		return err;
	}
	*out = c;
	return 0;
}

/* Nobody asks us before a call: there is nothing to refuse. */
static void drain(void *way)
{
	(void)way;
}

static void end(void *way, const char *reason)
{
	struct capture *c = way;

	tap_end(c->tap, reason);
}

const struct way way_capture = {
	.name = "capture", .wanted = wanted, .open = open_capture,
	.drain = drain, .end = end, .close = close_capture,
};
