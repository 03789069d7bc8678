/**
 * @file way_capture.c  Live capture: a mirrored port, or the PBX host itself
 *
 * The replay's path, fed by an interface instead of a file.  The media clock
 * is the daemon's own; what the kernel stamped is not needed.
 *
 * An interface that goes away or down is waited for; calls go on when it is
 * back.  What the kernel had no room for is told as daemon.capture_dropped: the
 * call itself may have been whole.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/ingress/recording.h"
#include "daemon/ingress/tap.h"
#include "daemon/ingress/way.h"
#include "daemon/net/capture_live.h"
#include "daemon/net/decap.h"
#include "daemon/net/timer.h"

enum {
	TICK_MS = 1000,
	TOLD_MS = 10 * 1000,       /* between two tellings of drops */
};

struct capture {
	struct way_config cfg;
	struct capture_live *live; /* NULL: the interface is away or down */
	struct timer_once *tick;
	struct decap *decap;
	struct tap *tap;
	uint64_t dropped;          /* of live ones that are closed */
	uint64_t dropped_told;
	uint64_t told_ms;          /* when; 0: never */
	uint64_t unwanted;         /* unwrapped, and not what the filter says */
	struct recording_config recording;
};

static const char *interface(const struct capture *c)
{
	return c->cfg.config->capture.interface;
}

static uint64_t dropped(const struct capture *c)
{
	return c->dropped + (c->live ? capture_live_dropped(c->live) : 0);
}

static void on_frame(const struct frame *f, void *arg)
{
	struct capture *c = arg;
	const uint64_t now_us = clock_live_run(c->cfg.clock);
	struct decap_packet p;

	if (decap_feed(c->decap, f->link_type, now_us, f->data, f->len,
		       f->wire_len, &p) != 1)
		return;
	if (capture_live_wants(c->live, f, &p))
		tap_packet(c->tap, &p, now_us);
	else
		c->unwanted++;
}

static void on_failed(const struct reason *why, void *arg)
{
	struct capture *c = arg;

	c->dropped = dropped(c);
	capture_live_close(c->live);
	c->live = NULL;
	log_error("capture", "%s", why->text);
	c->cfg.tell("capture_down", why->text, c->cfg.arg);
}

static int watch(struct capture *c, struct reason *why)
{
	static const struct capture_live_cb cb = { on_frame, on_failed };

	return capture_live_open(&c->live, c->cfg.loop, interface(c),
				 c->cfg.config->capture.filter, &cb, c, why);
}

static void watch_again(struct capture *c)
{
	struct reason why;
	char text[96];

	if (watch(c, &why)) {
		c->live = NULL;
		log_debug("capture", "%s", why.text);
		return;
	}
	snprintf(text, sizeof(text), "interface %s is back", interface(c));
	log_warn("capture", "%s", text);
	c->cfg.tell("capture_up", text, c->cfg.arg);
}

static void tell_drops(struct capture *c)
{
	const uint64_t now_ms = uv_now(c->cfg.loop), all = dropped(c);
	char text[256];

	if (all <= c->dropped_told ||
	    (c->told_ms && now_ms - c->told_ms < TOLD_MS))
		return;
	snprintf(text, sizeof(text), "interface %s: %llu frames came faster "
		 "than they could be read and are missing here: narrow the "
		 "filter of section capture, or give the daemon a faster core",
		 interface(c), (unsigned long long)(all - c->dropped_told));
	c->dropped_told = all;
	c->told_ms = now_ms;
	log_warn("capture", "%s", text);
	c->cfg.tell("capture_dropped", text, c->cfg.arg);
}

static void on_tick(void *arg)
{
	struct capture *c = arg;

	clock_live_run(c->cfg.clock);
	tell_drops(c);
	if (!c->live)
		watch_again(c);
	timer_once_start(c->tick, TICK_MS);
}

static bool wanted(const struct config *c)
{
	return c->capture.given;
}

static void log_all(const struct capture *c)
{
	struct decap_stats ds;
	struct tap_stats ts;

	decap_stats(c->decap, &ds);
	tap_stats(c->tap, &ts);
	log_info("capture", "%llu frames, %llu malformed, %llu with tunnels, "
		 "%llu mirrored twice, %llu dropped by the kernel; %llu RTP, "
		 "%llu SIP, %llu of nobody",
		 (unsigned long long)ds.frames,
		 (unsigned long long)ds.malformed,
		 (unsigned long long)ds.tunnelled,
		 (unsigned long long)ds.copies,
		 (unsigned long long)dropped(c), (unsigned long long)ts.rtp,
		 (unsigned long long)ts.sip, (unsigned long long)ts.foreign);
}

static void close_capture(void *way)
{
	struct capture *c = way;

	if (!c)
		return;
	if (c->tick) /* it was open */
		log_all(c);
	timer_once_close(c->tick);
	capture_live_close(c->live);
	tap_free(c->tap);
	decap_free(c->decap);
	free(c);
}

static int open_capture(void **out, const struct way_config *cfg,
			struct reason *why)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	recording_configure(&c->recording, cfg->config);

	const struct tap_config tc = {
		.calls = cfg->calls, .timers = cfg->timers, .source = "capture",
		.recording = &c->recording,
	};
	int err = decap_new(&c->decap);
	if (!err)
		err = tap_new(&c->tap, &tc);
	if (!err)
		err = watch(c, why);
	if (!err)
		err = timer_once_open(&c->tick, cfg->loop, on_tick, c);
	if (err) {
		close_capture(c);
		return err;
	}
	timer_once_start(c->tick, TICK_MS);
	*out = c;
	return 0;
}

static bool command(void *way, const struct command *cmd, struct answer *a)
{
	const struct capture *c = way;
	struct status *const s = &a->status;
	struct decap_stats ds;
	struct tap_stats ts;

	if (cmd->kind == COMMAND_HANGUP)
		return tap_hang_up(c->tap, cmd->call, "ctl");
	if (cmd->kind != COMMAND_STATUS && cmd->kind != COMMAND_DRAIN)
		return false;
	decap_stats(c->decap, &ds);
	tap_stats(c->tap, &ts);
	s->capture = true;
	s->capture_up = c->live != NULL;
	s->captured.frames = ds.frames;
	s->captured.dropped = dropped(c);
	s->captured.tunnelled = ds.tunnelled;
	s->captured.copies = ds.copies;
	s->captured.malformed = ds.malformed;
	s->captured.rtp = ts.rtp;
	s->captured.sip = ts.sip;
	s->captured.foreign = ts.foreign + c->unwanted;
	return false; /* others have their part of it, too */
}

/* Nobody asks us before a call, but another instance may be there for it. */
static void drain(void *way)
{
	struct capture *c = way;

	tap_drain(c->tap, true);
}

static void resume(void *way)
{
	struct capture *c = way;

	tap_drain(c->tap, false);
}

static void end(void *way, const char *reason)
{
	struct capture *c = way;

	tap_end(c->tap, reason);
}

const struct way way_capture = {
	.name = "capture", .wanted = wanted, .open = open_capture,
	.drain = drain, .resume = resume, .command = command, .end = end, .close = close_capture,
};
