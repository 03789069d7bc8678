/** @file app_replay.c  --replay: a capture file through the whole pipeline */
#include "daemon/app_replay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "daemon/base/log.h"
#include "daemon/core.h"
#include "daemon/ingress/replay.h"
#include "daemon/pub/file.h"
#include "daemon/pub/wav.h"

enum { GIVE_UP_MS = 30000 }; /* passing failures, while nothing moves */

struct app {
	const struct options *o;
	struct core core;
	uv_signal_t signals[2];
	struct event_file *file;
	struct replay *replay;
	int code;
	int wav_err;               /* the first */
};

/* -- --wav ------------------------------------------------------------------------ */

static struct app *the_wav_owner; /* wav_close() has no other way to tell */

static void wav_failed(struct app *a, int err)
{
	if (err && !a->wav_err) {
		a->wav_err = err;
		log_error("wav", "%s: %s%s", a->o->wav, strerror(-err),
			  err == -ENOENT ? "; make the directory first" : "");
	}
}

static void *on_audio_open(const char *leg, void *arg)
{
	struct app *a = arg;
	struct wav *w = NULL;

	wav_failed(a, a->o->wav ? wav_open(&w, a->o->wav, leg) : 0);
	return w;
}

static void on_audio(void *handle, const int16_t *pcm, uint64_t n)
{
	wav_samples(handle, pcm, n);
}

static void on_audio_close(void *handle)
{
	wav_failed(the_wav_owner, wav_close(handle));
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
	uv_stop(&a->core.loop); /* the event socket would keep it going */
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

static void on_file_failed(int err, void *arg)
{
	struct app *a = arg;

	log_error("events", "%s: %s: no further lines", a->o->events,
		  strerror(-err));
	a->code = EXIT_RUNTIME;
}

static int open_replay(struct app *a)
{
	struct reason why = {0};
	const struct replay_config rc = {
		.loop = &a->core.loop, .timers = a->core.timers,
		.calls = a->core.calls, .config = a->core.config,
		.path = a->o->capture,
		.speed = a->o->speed, .finished = on_finished, .arg = a,
	};

	if (!replay_open(&a->replay, &rc, &why))
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: %s: %s\n", a->o->capture, why.text);
	return EXIT_INPUT;
}

/* Writing events over the recording they come from would lose it. */
static bool is_capture(const char *path, const char *capture)
{
	struct stat a, b;

	return strcmp(path, "-") != 0 && !stat(path, &a) &&
	       !stat(capture, &b) && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int open_file(struct app *a)
{
	const char *path = a->o->events;

	if (path && is_capture(path, a->o->capture)) {
		fprintf(stderr, "trunkscribed: --events %s is the capture "
			"itself; name another file\n", path);
		return EXIT_USAGE;
	}
	const int err = !path ? 0
			      : event_file_open(&a->file, a->core.journal, path,
						on_file_failed, a);

	if (!err)
		return EXIT_OK;
	fprintf(stderr, "trunkscribed: %s: %s\n", path, strerror(-err));
	return EXIT_RUNTIME;
}

static int open_all(struct app *a, const struct config *c)
{
	const struct core_options co = {
		.asr = a->o->asr, .socket = c->events.given,
		.paced = a->o->speed == 1, .hopeless_is_final = true,
		.give_up_ms = GIVE_UP_MS,
		.audio = { on_audio_open, on_audio, on_audio_close, a },
		.busy = on_busy, .idle = on_idle, .arg = a,
	};
	int code = core_open(&a->core, &co);

	if (!code)
		code = open_replay(a);
	if (!code)
		code = open_file(a);
	/* the event socket is served only where the file asks for one */
	return code || !c->events.given ? code : core_listen(&a->core);
}

static void open_signals(struct app *a)
{
	static const int numbers[2] = { SIGINT, SIGTERM };

	for (int i = 0; i < 2; i++) {
		uv_signal_init(&a->core.loop, &a->signals[i]);
		a->signals[i].data = a;
		uv_signal_start(&a->signals[i], on_signal, numbers[i]);
	}
}

static void close_file(struct app *a)
{
	const int err = event_file_close(a->file);

	if (err && a->code == EXIT_OK) {
		fprintf(stderr, "trunkscribed: %s: %s\n", a->o->events,
			strerror(-err));
		a->code = EXIT_RUNTIME;
	}
}

int app_replay(const struct options *o, const struct config *c)
{
	struct app a = { .o = o };

	if (core_init(&a.core, c))
		return EXIT_RUNTIME;
	open_signals(&a);
	the_wav_owner = &a;
	a.code = open_all(&a, c);
	if (a.code == EXIT_OK) {
		replay_start(a.replay);
		uv_run(&a.core.loop, UV_RUN_DEFAULT);
	}
	replay_close(a.replay);
	close_signals(&a);
	close_file(&a);
	core_close(&a.core);
	return a.wav_err && a.code == EXIT_OK ? EXIT_RUNTIME : a.code;
}
