/** @file core.c  What a replay and the service have in common */
#include "daemon/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/must.h"
#include "daemon/net/clock_step.h"
#include "daemon/net/now.h"
#include "daemon/net/random.h"
#include "daemon/net/turns.h"
#include "daemon/options.h"
#include "daemon/pub/redact.h"
#include "daemon/pub/subscribers.h"
#include "daemon/services.h"

enum {
	BACKLOG = 30 * 8000,       /* [samples] */
	JOURNAL = 16 * 1024 * 1024,/* in memory, on disk or not */
};

static int fail(const char *what, int err)
{
	fprintf(stderr, "trunkscribed: %s: %s\n", what, strerror(-err));
	return EXIT_RUNTIME;
}

static void publish(const struct event *e, void *arg)
{
	struct core *x = arg;

	if (x->seen)
		x->seen(e, x->seen_arg);
	journal_emit(x->journal, e);
}

/* What becomes of an asr is everybody's to know. */
static void on_service(const struct service *s, const char *what,
		       const struct reason *why, void *arg)
{
	struct core *x = arg;
	const struct event e = {
		.type = EVENT_DAEMON, .now_us = timers_now_us(x->timers),
		.daemon = {
			.what = what, .asr = s->config->name,
			.reason = why ? reason_name(why->class) : NULL,
			.text = why ? why->text : NULL,
		},
	};

	publish(&e, x);
}

void core_emit(struct core *x, const struct event *e)
{
	publish(e, x);
}

void core_tell(struct core *x, const char *what, const char *text)
{
	const struct event e = {
		.type = EVENT_DAEMON, .now_us = timers_now_us(x->timers),
		.daemon = { .what = what, .text = text },
	};

	publish(&e, x);
}

static int open_services(struct core *x, const char *asr)
{
	struct buf why = {0};
	const int err = services_open(&x->services, x->config, asr, &x->loop,
				      &why);

	if (err)
		fprintf(stderr, "%s\n",
			why.len ? buf_str(&why) : "trunkscribed: no memory");
	else
		services_watch(x->services, on_service, x);
	buf_free(&why);
	return err ? EXIT_CONFIG : EXIT_OK;
}

static int open_journal(struct core *x, const struct core_options *o)
{
	const struct journal_disk jd = {
		.loop = &x->loop, .directory = x->config->journal.directory,
		.size = x->config->journal.size,
		.age_us = x->config->journal.age_ms * 1000,
		.text = x->config->journal.text,
	};
	uint64_t epoch;

	random_bytes(&epoch, sizeof(epoch));
	const int err = journal_new(&x->journal, o->socket ? JOURNAL : 0,
				    epoch);
	if (err || !o->socket)
		return err;
	journal_set_age(x->journal, jd.age_us);
	if (!*jd.directory || !(o->service || x->config->journal.given))
		return 0;
	return journal_open_disk(x->journal, &jd);
}

static struct event_sink events_of(struct core *x)
{
	return x->redact ? (struct event_sink){ redact_sink, x->redact }
			 : (struct event_sink){ publish, x };
}

static int open_redact(struct core *x)
{
	if (strcmp(x->config->redact, "pan") != 0)
		return 0;
	return redact_new(&x->redact, (struct event_sink){ publish, x });
}

static int open_calls(struct core *x, const struct core_options *o)
{
	const struct calls_config cc = {
		.loop = &x->loop, .timers = x->timers,
		.events = events_of(x), .audio = o->audio,
		.choose = services_choose, .release = services_release,
		.chooser = x->services,
		.backlog = BACKLOG, .paced = o->paced,
		.hopeless_is_final = o->hopeless_is_final,
		.give_up_ms = o->give_up_ms, .dtmf = x->config->dtmf,
		.busy = o->busy, .idle = o->idle, .arg = o->arg,
	};

	return calls_new(&x->calls, &cc);
}

int core_reload(struct core *x, struct config *next, struct buf *why)
{
	const bool dtmf = next->dtmf;
	const int err = services_reload(x->services, next, why);

	if (!err)
		calls_set_dtmf(x->calls, dtmf);
	return err;
}

int core_init(struct core *x, const struct config *config)
{
	*x = (struct core){ .config = config };
	return uv_loop_init(&x->loop);
}

int core_open(struct core *x, const struct core_options *o)
{
	x->seen = o->seen;
	x->seen_arg = o->seen_arg;
	const int code = open_services(x, o->asr);
	int err;

	if (code)
		return code;
	err = timers_new(&x->timers);
	if (!err)
		err = turns_open(&x->turns, &x->loop);
	if (!err)
		err = open_journal(x, o);
	if (!err)
		err = open_redact(x);
	if (!err)
		err = open_calls(x, o);
	if (!err)
		journal_begin(x->journal, now_wall_us());
	return err ? fail("start", err) : EXIT_OK;
}

/* Everything is timed by the media clock, which nobody can set; what is written
   down (`ts`, `at`) is to be the wall clock's. */
static void on_step(int64_t delta_us, void *arg)
{
	struct core *x = arg;
	char text[80];

	journal_shift(x->journal, delta_us);
	snprintf(text, sizeof(text), "the clock was set %s by %.3f s",
		 delta_us < 0 ? "back" : "forward",
		 (double)(delta_us < 0 ? -delta_us : delta_us) / 1e6);
	log_warn("clock", "%s", text);
	core_tell(x, "clock_step", text);
}

int core_listen(struct core *x)
{
	const struct subscribers_options so = {
		.path = x->config->events.socket,
		.mode = x->config->events.mode,
		.group = x->config->events.group,
	};
	struct buf why = {0};
	const int err = clock_step_open(&x->step, &x->loop, on_step, x);

	if (err)
		return fail("clock", err);
	if (!subscribers_open(&x->subscribers, &x->loop, x->journal, &so, &why))
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: %s\n", buf_str(&why));
	buf_free(&why);
	return EXIT_RUNTIME;
}

void core_close(struct core *x)
{
	if (x->turns)
		log_info("loop", "the longest turn took %llu us of CPU",
			 (unsigned long long)turns_longest_us(x->turns));
	turns_close(x->turns);
	calls_free(x->calls);
	services_stop(x->services);
	clock_step_close(x->step);
	subscribers_close(x->subscribers);
	journal_close_disk(x->journal);
	/* after x_close() nothing calls back, but handles close on the loop */
	uv_run(&x->loop, UV_RUN_DEFAULT);
	redact_free(x->redact);
	journal_free(x->journal);
	timers_free(x->timers);
	services_close(x->services);
	must(uv_loop_close(&x->loop) == 0);
}
