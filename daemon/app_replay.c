/** @file app_replay.c  --replay: a capture file through the whole pipeline */
#include "daemon/app_replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/base/log.h"
#include "daemon/base/must.h"
#include "daemon/call/call.h"
#include "daemon/ingress/replay.h"
#include "daemon/net/random.h"
#include "daemon/net/turns.h"
#include "daemon/pub/file.h"
#include "daemon/pub/journal.h"
#include "daemon/pub/subscribers.h"
#include "daemon/pub/wav.h"
#include "daemon/services.h"

enum {
	BACKLOG = 30 * 8000,       /* [samples] */
	JOURNAL = 16 * 1024 * 1024,/* in memory, for the event socket */
	GIVE_UP_MS = 20000,        /* transient failures, while nothing moves */
};

struct app {
	const struct options *o;
	const struct config *c;
	uv_loop_t loop;
	uv_signal_t signals[2];
	struct turns *turns;
	struct timers *timers;
	struct journal *journal;
	struct event_file *file;
	struct subscribers *subscribers;
	struct services *services;
	struct calls *calls;
	struct replay *replay;
	int code;
	int wav_err;               /* the first */
};

static int fail(int code, const char *what, int err)
{
	fprintf(stderr, "trunkscribed: %s: %s\n", what, strerror(-err));
	return code;
}

/* -- --wav ------------------------------------------------------------------------ */

static void *on_audio_open(const char *leg, void *arg)
{
	struct app *a = arg;
	struct wav *w = NULL;
	const int err = a->o->wav ? wav_open(&w, a->o->wav, leg) : 0;

	if (err && !a->wav_err) {
		a->wav_err = err;
		log_error("wav", "%s: %s", a->o->wav, strerror(-err));
	}
	return w;
}

static void on_audio(void *handle, const int16_t *pcm, uint64_t n)
{
	wav_samples(handle, pcm, n);
}

static struct app *the_wav_owner; /* wav_close() has no other way to tell */

static void on_audio_close(void *handle)
{
	struct app *a = the_wav_owner;
	const int err = wav_close(handle);

	if (err && !a->wav_err) {
		a->wav_err = err;
		log_error("wav", "%s: %s", a->o->wav, strerror(-err));
	}
}

/* -- the run ----------------------------------------------------------------------- */

static void close_signals(struct app *a)
{
	for (int i = 0; i < 2; i++)
		if (!uv_is_closing((uv_handle_t *)&a->signals[i]))
			uv_close((uv_handle_t *)&a->signals[i], NULL);
}

static void on_finished(const struct reason *damaged, void *arg)
{
	struct app *a = arg;

	if (damaged) {
		fprintf(stderr, "trunkscribed: %s: %s\n", a->o->capture,
			damaged->text);
		a->code = EXIT_INPUT;
	}
	replay_close(a->replay);
	a->replay = NULL;
	uv_stop(&a->loop); /* the event socket would keep it going */
}

static void on_signal(uv_signal_t *h, int number)
{
	struct app *a = h->data;

	(void)number;
	a->code = EXIT_RUNTIME;
	close_signals(a);
	if (a->replay)
		replay_stop(a->replay);
}

static void on_busy(bool busy, void *arg)
{
	struct app *a = arg;

	if (a->replay)
		replay_hold(a->replay, busy);
}

static void on_idle(void *arg)
{
	struct app *a = arg;

	if (a->replay)
		replay_idle(a->replay);
}

/* struct calls_config has one `arg`; the services are the app's. */
static struct service *on_choose(const char *source, const char *from,
				       const char *to, enum role role,
				       void *arg)
{
	const struct app *a = arg;

	return services_choose(source, from, to, role, a->services);
}

/* What becomes of an asr is everybody's to know. */
static void on_service(const struct service *s, const char *what,
		       const struct reason *why, void *arg)
{
	const struct app *a = arg;
	const struct event e = {
		.type = EVENT_DAEMON, .now_us = timers_now_us(a->timers),
		.daemon = {
			.what = what, .asr = s->config->name,
			.reason = why ? reason_name(why->class) : NULL,
			.text = why ? why->text : NULL,
		},
	};

	journal_emit(a->journal, &e);
}

static void on_file_failed(int err, void *arg)
{
	struct app *a = arg;

	log_error("events", "%s: %s: no further lines", a->o->events,
		  strerror(-err));
	a->code = EXIT_RUNTIME;
}

static int open_calls(struct app *a)
{
	const struct calls_config cc = {
		.loop = &a->loop, .timers = a->timers,
		.events = { journal_sink, a->journal },
		.audio = { on_audio_open, on_audio, on_audio_close, a },
		.choose = on_choose, .arg = a, .backlog = BACKLOG,
		.paced = a->o->speed == 1, .hopeless_is_final = true,
		.give_up_ms = GIVE_UP_MS, .dtmf = a->c->dtmf,
		.busy = on_busy, .idle = on_idle,
	};

	return calls_new(&a->calls, &cc);
}

/* The event socket is served only where the file asks for one. */
static int open_journal(struct app *a)
{
	uint64_t epoch;

	random_bytes(&epoch, sizeof(epoch));
	return journal_new(&a->journal, a->c->events.given ? JOURNAL : 0,
			   epoch);
}

static int open_socket(struct app *a)
{
	const struct subscribers_options so = {
		.path = a->c->events.socket, .mode = a->c->events.mode,
		.group = a->c->events.group,
	};
	struct buf why = {0};

	if (!a->c->events.given ||
	    !subscribers_open(&a->subscribers, &a->loop, a->journal, &so, &why))
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: %s\n", buf_str(&why));
	buf_free(&why);
	return EXIT_RUNTIME;
}

static int open_all(struct app *a)
{
	const struct options *o = a->o;
	struct buf text = {0};
	struct reason why = {0};
	int err = services_open(&a->services, a->c, o->asr, &a->loop, &text);

	if (err) {
		fprintf(stderr, "trunkscribed: %s\n", buf_str(&text));
		buf_free(&text);
		return EXIT_CONFIG;
	}
	buf_free(&text);
	services_watch(a->services, on_service, a);
	err = timers_new(&a->timers);
	if (!err)
		err = turns_open(&a->turns, &a->loop);
	if (!err)
		err = open_journal(a);
	if (!err)
		err = open_calls(a);
	if (err)
		return fail(EXIT_RUNTIME, "start", err);

	const struct replay_config rc = {
		.loop = &a->loop, .timers = a->timers, .calls = a->calls,
		.path = o->capture, .speed = o->speed,
		.finished = on_finished, .arg = a,
	};
	if (replay_open(&a->replay, &rc, &why)) {
		fprintf(stderr, "trunkscribed: %s\n", why.text);
		return EXIT_INPUT;
	}
	if (o->events) {
		err = event_file_open(&a->file, a->journal, o->events,
				      on_file_failed, a);
		if (err)
			return fail(EXIT_RUNTIME, o->events, err);
	}
	return open_socket(a);
}

static void open_signals(struct app *a)
{
	static const int numbers[2] = { SIGINT, SIGTERM };

	for (int i = 0; i < 2; i++) {
		uv_signal_init(&a->loop, &a->signals[i]);
		a->signals[i].data = a;
		uv_signal_start(&a->signals[i], on_signal, numbers[i]);
	}
}

static void close_all(struct app *a)
{
	if (a->turns)
		log_info("loop", "the longest turn took %llu us of CPU",
			 (unsigned long long)turns_longest_us(a->turns));
	turns_close(a->turns);
	replay_close(a->replay);
	close_signals(a);
	calls_free(a->calls);
	services_stop(a->services);
	subscribers_close(a->subscribers);
	/* after x_close() nothing calls back, but handles close on the loop */
	uv_run(&a->loop, UV_RUN_DEFAULT);

	const int err = event_file_close(a->file);
	if (err && a->code == EXIT_OK)
		a->code = fail(EXIT_RUNTIME, a->o->events, err);
	if (a->wav_err && a->code == EXIT_OK)
		a->code = EXIT_RUNTIME;
	journal_free(a->journal);
	timers_free(a->timers);
	services_close(a->services);
	must(uv_loop_close(&a->loop) == 0);
}

int app_replay(const struct options *o, const struct config *c)
{
	struct app a = { .o = o, .c = c };

	uv_loop_init(&a.loop);
	open_signals(&a);
	the_wav_owner = &a;
	a.code = open_all(&a);
	if (a.code == EXIT_OK) {
		replay_start(a.replay);
		uv_run(&a.loop, UV_RUN_DEFAULT);
	}
	close_all(&a);
	return a.code;
}
