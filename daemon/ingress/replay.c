/** @file replay.c  A capture file as a way in, on the capture's own clock */
#include "daemon/ingress/replay.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/array.h"
#include "daemon/base/log.h"
#include "daemon/ingress/recording.h"
#include "daemon/ingress/tap.h"
#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"

enum {
	BATCH = 4096,         /* frames between two looks at the loop */
	LOOK_AHEAD_MS = 1000, /* longest sleep: others may arm timers */
};

struct replay {
	struct replay_config cfg;
	struct capture_file *file;
	struct decap *decap;
	struct tap *tap;
	uv_idle_t turn;          /* while there is something to do at once */
	uv_timer_t timer;        /* until the next frame is due */
	int handles;             /* not yet closed */

	struct frame frame;      /* the next one */
	bool have_frame, at_end, told, held, closing;
	bool cut;                /* a frame was shorter than its packet */
	struct reason damage;    /* class NONE: the file is whole */
	uint64_t began_ns;       /* real time at which ... */
	uint64_t began_us;       /* ... the clock stood here */
	struct recording_config recording;
};

static void finish_if_over(struct replay *r)
{
	if (!r->at_end || r->told || calls_count(r->cfg.calls))
		return;
	r->told = true;
	uv_idle_stop(&r->turn);
	uv_timer_stop(&r->timer);
	r->cfg.finished(r->damage.class == REASON_NONE ? NULL : &r->damage,
			r->cfg.arg); /* may close r: last line */
}

static void reach_end(struct replay *r, const char *reason)
{
	struct decap_stats ds;
	struct tap_stats ts;

	uv_idle_stop(&r->turn);
	uv_timer_stop(&r->timer);
	if (r->cut && r->damage.class == REASON_NONE)
		reason_set(&r->damage, REASON_PROTOCOL, 0,
			   "packets were cut off when they were captured "
			   "(snaplen): what is missing of them is told as "
			   "rtp_loss; capture with the whole length "
			   "(tcpdump -s 0)");
	decap_stats(r->decap, &ds);
	tap_stats(r->tap, &ts);
	log_info("replay", "%llu frames, %llu malformed, %llu RTP, %llu RTCP, "
		 "%llu SIP (%llu bad), %llu of nobody",
		 (unsigned long long)ds.frames,
		 (unsigned long long)ds.malformed, (unsigned long long)ts.rtp,
		 (unsigned long long)ts.rtcp, (unsigned long long)ts.sip,
		 (unsigned long long)ts.sip_bad,
		 (unsigned long long)ts.foreign);
	if (ds.tunnelled || ds.copies)
		log_info("replay", "%llu frames held tunnels, %llu packets "
			 "were there twice (mirrored)",
			 (unsigned long long)ds.tunnelled,
			 (unsigned long long)ds.copies);
	if (!ts.rtp && !ts.sip)
		log_warn("replay", "%s holds no call: neither RTP nor SIP was "
			 "found in it", r->cfg.path);
	tap_end(r->tap, reason);
	r->at_end = true; /* not before: the last call may end inside */
	finish_if_over(r); /* may close r: last line */
}

/* Have a frame in hand, or know that there is none. */
static bool read_frame(struct replay *r)
{
	if (r->have_frame)
		return true;
	r->have_frame = capture_file_next(r->file, &r->frame, &r->damage) == 1;
	return r->have_frame;
}

static void take_frame(struct replay *r)
{
	const struct frame *f = &r->frame;
	struct decap_packet p;
	/* a clock that was set back while capturing does not go back here */
	const uint64_t at_us = MAX(f->at_us, timers_now_us(r->cfg.timers));

	r->have_frame = false;
	timers_run(r->cfg.timers, at_us);
	if (decap_feed(r->decap, f->link_type, at_us, f->data, f->len,
		       f->wire_len, &p) != 1)
		return;
	if (p.len < p.wire_len)
		r->cut = true;
	tap_packet(r->tap, &p, at_us);
}

/* Where the clock should stand now. */
static uint64_t due_us(const struct replay *r)
{
	const double ns = (double)(uv_hrtime() - r->began_ns);

	return r->began_us + (uint64_t)(ns * r->cfg.speed / 1000);
}

static void set_clock(struct replay *r)
{
	r->began_ns = uv_hrtime();
	r->began_us = timers_now_us(r->cfg.timers);
}

static void on_turn(uv_idle_t *h);

static void on_timer(uv_timer_t *h)
{
	struct replay *r = h->data;

	uv_idle_start(&r->turn, on_turn);
}

/* Nothing is due at once: sleep until something is. */
static void sleep_until(struct replay *r, uint64_t now_us)
{
	const uint64_t next_us =
		MIN(r->frame.at_us, timers_next_us(r->cfg.timers));
	const double ms = next_us > now_us ? (double)(next_us - now_us) /
						     r->cfg.speed / 1000
					   : 0;

	uv_idle_stop(&r->turn);
	uv_timer_start(&r->timer, on_timer,
		       (uint64_t)MIN(ms + 1, (double)LOOK_AHEAD_MS), 0);
}

static void on_turn(uv_idle_t *h)
{
	struct replay *r = h->data;
	const bool paced = r->cfg.speed > 0;
	const uint64_t now_us = paced ? due_us(r) : UINT64_MAX;

	for (int i = 0; i < BATCH && !r->held; i++) {
		if (!read_frame(r)) {
			reach_end(r, r->damage.class == REASON_NONE
					     ? "capture_end"
					     : "input_error");
			return;
		}
		if (r->frame.at_us > now_us) {
			timers_run(r->cfg.timers, now_us);
			if (!r->held)
				sleep_until(r, now_us);
			return;
		}
		take_frame(r);
	}
}

static void on_closed(uv_handle_t *h)
{
	struct replay *r = h->data;

	if (--r->handles == 0)
		free(r);
}

void replay_close(struct replay *r)
{
	if (!r || r->closing)
		return;
	r->closing = true;
	tap_free(r->tap);
	decap_free(r->decap);
	capture_file_close(r->file);
	uv_close((uv_handle_t *)&r->turn, on_closed);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}

int replay_open(struct replay **out, const struct replay_config *cfg,
		struct reason *why)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	recording_configure(&r->recording, cfg->config);

	const struct tap_config tc = {
		.calls = cfg->calls, .timers = cfg->timers, .source = "replay",
		.recording = &r->recording,
	};
	uv_idle_init(cfg->loop, &r->turn);
	uv_timer_init(cfg->loop, &r->timer);
	r->turn.data = r->timer.data = r;
	r->handles = 2;

	int err = capture_file_open(&r->file, cfg->path, why);
	if (!err)
		err = decap_new(&r->decap);
	if (!err)
		err = tap_new(&r->tap, &tc);
	if (err) {
		replay_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void replay_start(struct replay *r)
{
	if (read_frame(r))
		timers_run(r->cfg.timers, r->frame.at_us);
	set_clock(r);
	uv_idle_start(&r->turn, on_turn);
}

void replay_hold(struct replay *r, bool busy)
{
	/* at real speed the network would not wait either */
	if (r->at_end || r->cfg.speed == 1)
		return;
	r->held = busy;
	if (busy) {
		uv_idle_stop(&r->turn);
		uv_timer_stop(&r->timer);
	} else {
		set_clock(r);
		uv_idle_start(&r->turn, on_turn);
	}
}

void replay_stop(struct replay *r)
{
	if (!r->at_end)
		reach_end(r, "stopped"); /* may close r: last line */
}

void replay_idle(struct replay *r)
{
	finish_if_over(r); /* may close r: last line */
}
