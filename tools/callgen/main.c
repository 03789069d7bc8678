/**
 * @file main.c  callgen: calls for tests and load
 *
 *   options    the command line
 *   sound      what is said: loaded or made, encoded once for all legs
 *   plan       pure: a leg's packets and their times, out of a seed
 *   account    what a receiver must have of them
 *   gen, leg   calls at their rate; packets when they are due
 *   sender     sendmmsg in batches, or a capture (frames)
 *   way_*      how a call is set up: plain, control socket, SIP and SIPREC
 *
 * Everything that is due runs on one timer heap (base/timers.h), which a loop
 * timer turns each 5 ms.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "codecs/codec.h"
#include "daemon/base/stdio_open.h"
#include "tools/callgen/control.h"
#include "tools/callgen/gen.h"
#include "tools/callgen/way_sip.h"

struct run {
	struct gen gen;
	struct options o;
	uv_loop_t loop;
	uv_signal_t term, interrupt;
};

static int load_sound(struct run *r)
{
	struct buf why = {0};
	int err = r->o.audio ? sound_load(&r->gen.sound, r->o.audio, &why)
			     : sound_make(&r->gen.sound);

	if (err)
		err = complain(EXIT_INPUT, "%s", why.len ? buf_str(&why)
						     : strerror(-err));
	buf_free(&why);
	return err;
}

static int open_senders(struct run *r)
{
	const struct options *o = &r->o;
	struct buf why = {0};
	int err = o->write
		? sender_capture(&r->gen.sender, &o->from, o->sockets, o->write,
				 &why)
		: sender_open(&r->gen.sender, &o->from, o->sockets, &why);

	if (!err && o->spoof_from.family && o->write)
		err = -ENOTSUP;
	else if (!err && o->spoof_from.family)
		err = sender_open(&r->gen.spoofer, &o->spoof_from, 1, &why);
	if (err)
		complain(EXIT_RUN, "%s", why.len ? buf_str(&why)
		     : "--spoof and --write do not go together");
	buf_free(&why);
	return err ? EXIT_RUN : 0;
}

static int open_report(struct run *r)
{
	r->gen.report = strcmp(r->o.report, "-") ? fopen(r->o.report, "w")
						 : stdout;
	return r->gen.report ? 0
		: complain(EXIT_RUN, "%s: %s", r->o.report, strerror(errno));
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report_total(const struct gen *g, uint64_t wall_us)
{
	json_t *line = json_pack("{s:{s:I, s:I, s:I, s:I, s:f, s:f}}", "total",
		"calls", (json_int_t)g->over, "failed", (json_int_t)g->bad,
		"packets", (json_int_t)sender_sent(g->sender),
		"refused", (json_int_t)sender_refused(g->sender),
		"wall_s", (double)wall_us / 1e6, "cpu_s", cpu_seconds());

	json_dumpf(line, g->report, JSON_COMPACT | JSON_REAL_PRECISION(6));
	fputc('\n', g->report);
	fflush(g->report);
	json_decref(line);
}

static void on_signal(uv_signal_t *h, int number)
{
	struct run *r = h->data;

	(void)number;
	gen_stop(&r->gen);
}

static void on_ended(struct gen *g)
{
	struct run *r = list_item(g, struct run, gen);

	uv_close((uv_handle_t *)&g->turn, NULL);
	uv_close((uv_handle_t *)&r->term, NULL);
	uv_close((uv_handle_t *)&r->interrupt, NULL);
	if (g->way == &way_control)
		control_close(g->way_state);
	else if (g->way == &way_sip)
		way_sip_close(g);
}

static int serve(struct run *r)
{
	struct gen *g = &r->gen;
	int code = 0;

	if (r->o.control)
		g->way_state = control_open(&r->loop, r->o.control);
	else if (r->o.sip.family)
		code = way_sip_open(g);
	if (code)
		return code;
	g->way = r->o.control ? &way_control
			      : r->o.sip.family ? &way_sip : &way_plain;
	r->term.data = r->interrupt.data = r;
	uv_signal_init(&r->loop, &r->term);
	uv_signal_init(&r->loop, &r->interrupt);
	uv_signal_start(&r->term, on_signal, SIGTERM);
	uv_signal_start(&r->interrupt, on_signal, SIGINT);
	g->ended = on_ended;
	gen_begin(g);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	if (g->way == &way_sip)
		way_sip_free(g);
	return 0;
}

static int work(struct run *r)
{
	struct gen *g = &r->gen;
	int code;

	g->o = &r->o;
	g->loop = &r->loop;
	if ((code = load_sound(r)) || (code = open_senders(r)) ||
	    (code = open_report(r)))
		return code;
	const uint64_t began_us = gen_now_us(g);

	if (r->o.write) {
		g->way = &way_plain;
		gen_run_now(g);
	} else {
		code = serve(r);
	}
	if (code)
		return code;
	report_total(g, gen_now_us(g) - began_us);
	return g->bad || sender_refused(g->sender) ? EXIT_RUN : 0;
}

static void raise_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l)) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

int main(int argc, char **argv)
{
	struct run r = {0};

	if (stdio_open())
		return EXIT_RUN;
	int code = options_read(&r.o, argc, argv);

	if (code)
		return code;
	if (r.o.help) {
		fputs(options_usage, stdout);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	codecs_init(NULL);
	json_object_seed(0);
	uv_loop_init(&r.loop);
	if (timers_new(&r.gen.timers))
		return complain(EXIT_RUN, "out of memory");
	code = work(&r);
	uv_run(&r.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&r.loop) && !code)
		code = complain(EXIT_RUN, "something was left open");
	timers_free(r.gen.timers);
	if (sender_close(r.gen.sender) && !code)
		code = complain(EXIT_RUN, "%s could not be written", r.o.write);
	sender_close(r.gen.spoofer);
	sound_free(&r.gen.sound);
	if (r.gen.report && fclose(r.gen.report) && !code)
		code = complain(EXIT_RUN, "the report could not be written");
	return code;
}
