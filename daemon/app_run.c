/** @file app_run.c  The service: ways in, until it is told to stop */
#include "daemon/app_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/core.h"
#include "daemon/ingress/way.h"
#include "daemon/net/clock.h"
#include "daemon/options.h"

enum { WAYS_MAX = 16 };

struct run {
	struct core core;
	struct clock_live *clock;
	uv_signal_t signals[2];
	struct {
		const struct way *way;
		void *opened;
	} ways[WAYS_MAX];
	size_t n_ways;
	bool stopping;
	int code;
};

static void close_ways(struct run *r)
{
	for (size_t i = 0; i < r->n_ways; i++)
		r->ways[i].way->close(r->ways[i].opened);
	r->n_ways = 0;
}

/* Calls end, their last words come; when the last is over the loop stops. */
static void stop(struct run *r, const char *reason)
{
	if (r->stopping) { /* asked twice: at once */
		uv_stop(&r->core.loop);
		return;
	}
	r->stopping = true;
	core_tell(&r->core, "stopping", NULL);
	for (size_t i = 0; i < r->n_ways; i++) {
		r->ways[i].way->drain(r->ways[i].opened);
		r->ways[i].way->end(r->ways[i].opened, reason);
	}
	if (!calls_count(r->core.calls))
		uv_stop(&r->core.loop);
}

static void on_idle(void *arg)
{
	struct run *r = arg;

	if (r->stopping)
		uv_stop(&r->core.loop);
}

static void on_signal(uv_signal_t *h, int number)
{
	struct run *r = h->data;

	(void)number;
	stop(r, "drain");
}

static void on_failed(const char *way, const struct reason *why, void *arg)
{
	struct run *r = arg;

	log_error(way, "%s", why->text);
	r->code = EXIT_RUNTIME;
	stop(r, "error");
}

static int open_ways(struct run *r)
{
	const struct way_config wc = {
		.loop = &r->core.loop, .config = r->core.config,
		.timers = r->core.timers, .clock = r->clock,
		.calls = r->core.calls, .failed = on_failed, .arg = r,
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
		"capture section, or replay a file with --replay\n",
		r->core.config->file);
	return EXIT_CONFIG;
}

static int open_all(struct run *r)
{
	const struct core_options co = {
		.socket = true, .paced = true, .idle = on_idle, .arg = r,
	};
	int code = core_open(&r->core, &co);

	if (!code && clock_live_open(&r->clock, &r->core.loop, r->core.timers))
		code = EXIT_RUNTIME;
	if (!code)
		code = open_ways(r);
	return code ? code : core_listen(&r->core);
}

static void open_signals(struct run *r)
{
	static const int numbers[2] = { SIGINT, SIGTERM };

	for (int i = 0; i < 2; i++) {
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
	open_signals(&r);
	const int code = open_all(&r);
	if (!code) {
		core_tell(&r.core, "started", NULL);
		log_info("run", "ready");
		uv_run(&r.core.loop, UV_RUN_DEFAULT);
	}
	close_ways(&r);
	clock_live_close(r.clock);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&r.signals[i], NULL);
	core_close(&r.core);
	return code ? code : r.code;
}
