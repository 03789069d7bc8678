/** @file app_run.c  The service: ways in, until it is told to stop */
#include "daemon/app_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app_calls.h"
#include "daemon/app_doctor.h"
#include "daemon/app_ports.h"
#include "daemon/app_reload.h"
#include "daemon/app_status.h"
#include "daemon/app_watch.h"
#include "daemon/base/log.h"
#include "daemon/call/look.h"
#include "daemon/cfg/ports.h"
#include "daemon/core.h"
#include "daemon/ingress/way.h"
#include "daemon/net/clock.h"
#include "daemon/net/timer.h"
#include "daemon/ops/control.h"
#include "daemon/options.h"
#include "daemon/services.h"

enum {
	SIGNALS = 3,
	WAYS_MAX = 16,
	KEPT_MS = 30000,
	HURRY_MS = 2000,          /* for goodbyes and events of the end, when
				     asked twice */
};

struct run {
	struct core core;
	struct clock_live *clock;
	struct rtp_ports *ports;  /* NULL: no rtp section */
	struct control *control;
	struct watch *watch;
	uint64_t started_ms;
	uv_signal_t signals[SIGNALS];
	struct {
		const struct way *way;
		void *opened;
	} ways[WAYS_MAX];
	size_t n_ways;
	bool draining, stopping;
	bool ended;               /* the ways were told to end their calls */
	struct timer_once *wait;  /* while stopping */
	int code;
};

static void close_ways(struct run *r)
{
	for (size_t i = 0; i < r->n_ways; i++)
		r->ways[i].way->close(r->ways[i].opened);
	r->n_ways = 0;
}

static void set_draining(struct run *r, bool on)
{
	for (size_t i = 0; i < r->n_ways; i++) {
		const struct way *w = r->ways[i].way;

		if (on)
			w->drain(r->ways[i].opened);
		else if (w->resume)
			w->resume(r->ways[i].opened);
	}
	r->draining = on;
}

/* Nobody has anything to say any more. */
static bool is_quiet(const struct run *r)
{
	for (size_t i = 0; i < r->n_ways; i++)
		if (r->ways[i].way->busy &&
		    r->ways[i].way->busy(r->ways[i].opened))
			return false;
	return !calls_count(r->core.calls);
}

/* Comes from within a way: what ends the ways has to wait for the loop. */
static void on_quiet(void *arg)
{
	struct run *r = arg;

	if (r->ended && is_quiet(r))
		uv_stop(&r->core.loop);
	else if (r->stopping && !r->ended && !calls_count(r->core.calls))
		timer_once_start(r->wait, 0);
}

/* Calls end, their last words come; when the last is over the loop stops. */
static void end_calls(struct run *r, const char *reason)
{
	for (size_t i = 0; i < r->n_ways; i++)
		r->ways[i].way->end(r->ways[i].opened, reason);
	/* the last call's end has started it, but there are goodbyes yet */
	timer_once_stop(r->wait);
	r->ended = true;
	on_quiet(r);
}

static void on_wait(void *arg)
{
	struct run *r = arg;

	if (r->ended)
		uv_stop(&r->core.loop);
	else
		end_calls(r, "drain");
}

static void begin_stop(struct run *r)
{
	r->stopping = true;
	core_tell(&r->core, "stopping", NULL);
	set_draining(r, true);
}

static void stop(struct run *r, const char *reason)
{
	if (r->ended) { /* asked twice: at once */
		uv_stop(&r->core.loop);
		return;
	}
	if (!r->stopping)
		begin_stop(r);
	end_calls(r, reason);
}

/* No new calls, and those there are may end of themselves. */
static void stop_in_time(struct run *r)
{
	const uint32_t ms = services_config(r->core.services)
				    ->control.drain_timeout_ms;

	if (r->stopping && !r->ended) {
		log_info("run", "asked twice: the calls are ended");
		end_calls(r, "drain");
		timer_once_start(r->wait, HURRY_MS);
	} else if (r->stopping || !ms || !calls_count(r->core.calls)) {
		stop(r, "drain");
	} else {
		begin_stop(r);
		log_info("run", "%u calls may go on for %u s",
			 calls_count(r->core.calls), ms / 1000);
		timer_once_start(r->wait, ms);
	}
}

static void on_signal(uv_signal_t *h, int number)
{
	struct run *r = h->data;

	if (number == SIGHUP)
		app_reload(&r->core, r->watch, NULL);
	else if (number == SIGTERM)
		stop_in_time(r);
	else
		stop(r, "drain");
}

static void on_failed(const char *way, const struct reason *why, void *arg)
{
	struct run *r = arg;

	log_error(way, "%s", why->text);
	r->code = EXIT_RUNTIME;
	stop(r, "error");
}

static void on_tell(const char *what, const char *text, void *arg)
{
	struct run *r = arg;

	core_tell(&r->core, what, text);
}

/* -- the control socket ---------------------------------------------------- */

static void drain(struct run *r, const struct command *c, struct answer *a)
{
	if (r->stopping) {
		answer_error(a, "it is stopping already");
		return;
	}
	if (r->draining != !c->cancel) {
		set_draining(r, !c->cancel);
		core_tell(&r->core, r->draining ? "draining" : "resumed", NULL);
		log_info("run", r->draining ? "draining: no new calls"
					    : "new calls again");
	}
}

static void fill_status(const struct run *r, struct status *s)
{
	s->draining = r->draining;
	s->uptime_s = (uv_now(&r->core.loop) - r->started_ms) / 1000;
	s->calls = calls_count(r->core.calls);
}

/* What the ways know of it is asked for as by an operator. */
static void on_status(struct status *out, void *arg)
{
	const struct command c = { .kind = COMMAND_STATUS };
	const struct run *r = arg;
	struct answer a = {0};

	for (size_t i = 0; i < r->n_ways; i++)
		if (r->ways[i].way->command)
			r->ways[i].way->command(r->ways[i].opened, &c, &a);
	fill_status(r, &a.status);
	*out = a.status;
}

static bool ask_ways(struct run *r, const struct command *c, struct answer *a)
{
	bool answered = false;

	for (size_t i = 0; i < r->n_ways && !answered; i++)
		if (r->ways[i].way->command)
			answered = r->ways[i].way->command(r->ways[i].opened,
							   c, a);
	return answered;
}

static void hang_up(struct run *r, const struct command *c, struct answer *a)
{
	struct command to = *c;
	struct call_look look;

	if (!call_look(r->core.calls, c->target, &look)) {
		app_calls_unknown(c, a);
		return;
	}
	to.call = look.id;
	if (!look.ended && !ask_ways(r, &to, a))
		answer_error(a, "%s is only looked on: the source \"%s\" has "
			     "no way to end it", c->target, look.source);
}

static void enable_asr(struct run *r, const struct command *c,
		       struct answer *a)
{
	const int err = services_enable(r->core.services, c->asr, c->enable);
	const struct event e = {
		.type = EVENT_DAEMON,
		.now_us = timers_now_us(r->core.timers),
		.daemon = { .what = c->enable ? "asr_enabled" : "asr_disabled",
			    .asr = c->asr },
	};

	if (!err)
		core_emit(&r->core, &e);
	else if (err == -ENOENT)
		answer_error(a, "no asr is called so; status names them");
	else
		answer_error(a, "%s", strerror(-err));
}

/* What is asked of the service, not of its ways.  @return false: it is theirs */
static bool own_command(struct run *r, const struct command *c,
			struct answer *a)
{
	struct status s;

	switch (c->kind) {
	case COMMAND_CALLS:
		app_calls_list(r->core.calls, c, a);
		return true;
	case COMMAND_CALL_SHOW:
		app_calls_one(r->core.calls, c, a);
		return true;
	case COMMAND_HANGUP:
		hang_up(r, c, a);
		return true;
	case COMMAND_PAUSE:
		if (calls_pause(r->core.calls, c->target, "ctl"))
			app_calls_unknown(c, a);
		return true;
	case COMMAND_RESUME:
		if (calls_resume(r->core.calls, c->target, "ctl"))
			app_calls_unknown(c, a);
		return true;
	case COMMAND_RELOAD:
		app_reload(&r->core, r->watch, a);
		return true;
	case COMMAND_ASR:
		enable_asr(r, c, a);
		return true;
	case COMMAND_LOGLEVEL:
		log_set_level((enum log_level)log_level_by_name(c->level));
		return true;
	case COMMAND_DOCTOR:
		on_status(&s, r);
		app_doctor(&r->core, &s, a);
		return true;
	case COMMAND_METRICS:
		watch_answer(r->watch, c, a);
		return true;
	default:
		return false;
	}
}

static void on_command(const struct command *c, struct answer *a, void *arg)
{
	struct run *r = arg;

	clock_live_run(r->clock);
	if (own_command(r, c, a))
		return;
	if (c->kind == COMMAND_DRAIN)
		drain(r, c, a);
	const bool answered = ask_ways(r, c, a);
	if (c->kind == COMMAND_STATUS || c->kind == COMMAND_DRAIN) {
		fill_status(r, &a->status);
		app_status(&r->core, watch_problems(r->watch), a);
	} else if (!answered) {
		answer_error(a, "nothing here takes that: add a section rtp to "
			     "the configuration and restart");
	}
}

static int open_control(struct run *r)
{
	const struct config *c = r->core.config;
	struct buf why = {0};
	const int err = control_open(&r->control, &r->core.loop,
				     c->control.socket, c->control.mode,
				     on_command, r, &why);

	if (err)
		fprintf(stderr, "trunkscribed: control: %s\n",
			why.len ? buf_str(&why) : strerror(-err));
	buf_free(&why);
	return err ? EXIT_RUNTIME : EXIT_OK;
}

/* -- ways in --------------------------------------------------------------- */

static int open_ports(struct run *r)
{
	const struct config *c = r->core.config;
	struct ports range;
	struct addr at;
	struct buf warnings = {0};

	if (!c->rtp.given && !c->sip.given)
		return EXIT_OK;
	app_ports_warn(&warnings, c);
	if (warnings.len)
		log_warn("run", "%.*s", (int)warnings.len - 1,
			 buf_str(&warnings));
	buf_free(&warnings);
	int err = ports_parse(&range, c->rtp.ports);
	if (!err)
		err = addr_parse(&at, c->rtp.address, strlen(c->rtp.address));
	if (!err)
		err = rtp_ports_new(&r->ports, &at, range.first, range.last,
				    r->core.timers);
	if (!err)
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: rtp: %s\n", strerror(-err));
	return EXIT_RUNTIME;
}

/* For longer than a leg keeps its audio: what came now would be lost. */
static bool on_asr_down(void *arg)
{
	static const char *const sources[] = { "sip", "siprec", NULL };
	const struct run *r = arg;

	return services_down(r->core.services, sources, KEPT_MS);
}

static int open_ways(struct run *r)
{
	const struct way_config wc = {
		.loop = &r->core.loop, .config = r->core.config,
		.timers = r->core.timers, .clock = r->clock,
		.calls = r->core.calls, .ports = r->ports, .failed = on_failed,
		.asr_down = on_asr_down, .quiet = on_quiet, .tell = on_tell, .arg = r,
	};
	const struct way *w;

	for (size_t i = 0; (w = way_at(i)) && r->n_ways < WAYS_MAX; i++) {
		struct reason why = {0};

		if (!w->wanted(r->core.config))
			continue;
		if (w->open(&r->ways[r->n_ways].opened, &wc, &why)) {
			fprintf(stderr, "trunkscribed: %s: %s\n", w->name,
				why.text);
			return EXIT_RUNTIME;
		}
		r->ways[r->n_ways++].way = w;
	}
	if (r->n_ways)
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: %s: no way in is configured: add a "
		"sip, rtp, audiosocket, websocket, oreka or capture section, or "
		"replay a file with --replay\n",
		r->core.config->file);
	return EXIT_CONFIG;
}

static int open_all(struct run *r)
{
	const struct core_options co = {
		.socket = true, .service = true, .paced = true, .seen = watch_event,
		.seen_arg = r->watch, .idle = on_quiet, .arg = r,
	};
	int code = core_open(&r->core, &co);

	if (!code && clock_live_open(&r->clock, &r->core.loop, r->core.timers))
		code = EXIT_RUNTIME;
	if (!code)
		code = open_ports(r);
	if (!code)
		code = open_ways(r);
	if (!code)
		code = core_listen(&r->core);
	if (!code)
		code = watch_listen(r->watch);
	return code ? code : open_control(r);
}

static void open_signals(struct run *r)
{
	static const int numbers[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&r->core.loop, &r->signals[i]);
		r->signals[i].data = r;
		uv_signal_start(&r->signals[i], on_signal, numbers[i]);
	}
}

int app_run(const struct config *c)
{
	struct run r = { .code = EXIT_OK };

	if (core_init(&r.core, c))
		return EXIT_RUNTIME;
	const struct watch_config wc = { &r.core, on_status, &r };
	if (watch_new(&r.watch, &wc)) {
		core_close(&r.core);
		return EXIT_RUNTIME;
	}
	if (timer_once_open(&r.wait, &r.core.loop, on_wait, &r)) {
		watch_free(r.watch);
		core_close(&r.core);
		return EXIT_RUNTIME;
	}
	open_signals(&r);
	r.started_ms = uv_now(&r.core.loop);
	const int code = open_all(&r);
	if (!code) {
		core_tell(&r.core, "started", NULL);
		log_info("run", "ready");
		uv_run(&r.core.loop, UV_RUN_DEFAULT);
	}
	control_close(r.control);
	watch_stop(r.watch);
	close_ways(&r);
	rtp_ports_free(r.ports);
	clock_live_close(r.clock);
	for (int i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&r.signals[i], NULL);
	timer_once_close(r.wait);
	core_close(&r.core);
	watch_free(r.watch);
	return code ? code : r.code;
}
