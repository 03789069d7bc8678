/** @file app_watch.c  Figures of the running service: metrics, HTTP, its page */
#include "daemon/app_watch.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "daemon/cfg/listen.h"
#include "daemon/net/turns.h"
#include "daemon/ops/http.h"
#include "daemon/ops/metrics.h"
#include "daemon/ops/problems.h"
#include "daemon/options.h"
#include "daemon/pub/subscribers.h"
#include "daemon/services.h"

enum {
	PAST = 2000,         /* events that a page which opens is told of */
	PIECE = 40 * 1024,   /* of the figures in one answer [bytes] */
};

struct watch {
	struct watch_config cfg;
	struct metrics *metrics;
	struct metrics_asr *asrs;
	char **names;             /* of each; those that are gone stay */
	size_t n_asrs;
	struct problems problems;
	bool reload_failed;
	uint64_t reloaded_s;
	struct http *http;        /* NULL: not configured */
	struct buf figures;       /* of the moment the first piece was asked
				     for */
	struct journal_tap tap;   /* while somebody looks at the page */
	bool tapped;
};

static uint64_t wall_s(void)
{
	uv_timeval64_t now;

	uv_gettimeofday(&now);
	return (uint64_t)now.tv_sec;
}

/* One that is not known yet. */
static int add_asr(struct watch *w, const char *name)
{
	const size_t n = w->n_asrs;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(w->names[i], name))
			return 0;

	struct metrics_asr *asrs = realloc(w->asrs, (n + 1) * sizeof(*asrs));
	if (asrs)
		w->asrs = asrs;
	char **names = realloc(w->names, (n + 1) * sizeof(*names));
	if (names)
		w->names = names;
	if (!asrs || !names || metrics_add(w->metrics, name))
		return -ENOMEM;
	names[n] = strdup(name);
	if (!names[n])
		return -ENOMEM;
	w->n_asrs++;
	return 0;
}

static int add_asrs(struct watch *w, const struct config *c)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->n_asrs; i++)
		err = add_asr(w, c->asrs[i].name);
	return err;
}

int watch_new(struct watch **out, const struct watch_config *cfg)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->cfg = *cfg;
	w->reloaded_s = wall_s();
	int err = metrics_new(&w->metrics, NULL, 0);
	if (!err)
		err = add_asrs(w, cfg->core->config);
	if (err) {
		watch_free(w);
		return err;
	}
	*out = w;
	return 0;
}

const struct problems *watch_problems(const struct watch *w)
{
	return &w->problems;
}

void watch_reloaded(struct watch *w, bool ok)
{
	w->reload_failed = !ok;
	if (!ok)
		return;
	w->reloaded_s = wall_s();
	if (add_asrs(w, services_config(w->cfg.core->services)))
		log_error("run", "no memory for the figures of a new asr");
}

void watch_event(const struct event *e, void *watch)
{
	struct watch *w = watch;

	metrics_event(w->metrics, e);
	problems_event(&w->problems, e);
}

static uint64_t insecure(const struct config *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->n_asrs; i++)
		n += c->asrs[i].insecure;
	return n;
}

static void add_lag(const char *name, uint64_t behind, bool here, void *arg)
{
	struct metrics_now *now = arg;

	(void)here;
	if (now->n_lag < METRICS_NAMES)
		now->lag[now->n_lag++] = (struct metrics_lag){ name, behind };
}

static void fill_journal(const struct core *x, struct metrics_now *now)
{
	struct journal_stats j;

	journal_stats(x->journal, &j);
	now->journal_on_disk = j.on_disk;
	now->journal_degraded = j.trouble != 0;
	now->journal_bytes = j.bytes;
	now->journal_oldest_us = j.oldest_us;
	now->journal_write_errors = j.write_errors;
	now->journal_unwritten = j.unwritten;
	now->journal_syncs = j.syncs;
	if (x->subscribers)
		subscribers_names(x->subscribers, add_lag, now);
}

void watch_print(struct buf *out, void *watch)
{
	struct watch *w = watch;
	const struct core *x = w->cfg.core;
	struct subscribers_stats subscribers = {0};
	struct status s = {0};

	w->cfg.status(&s, w->cfg.arg);
	if (x->subscribers)
		subscribers_stats(x->subscribers, &subscribers);
	for (size_t i = 0; i < w->n_asrs; i++)
		w->asrs[i] = services_figures(x->services, w->names[i]);

	struct metrics_now now = {
		.version = TRUNKSCRIBE_VERSION, .draining = s.draining,
		.reload_failed = w->reload_failed, .reloaded_s = w->reloaded_s,
		.calls_limit = x->config->sip.given ? x->config->sip.max_calls
						    : 0,
		.ports = s.rtp, .ports_used = s.ports_used,
		.ports_limit = s.ports, .rtp_foreign = s.rtp_foreign,
		.capture = s.capture, .capture_up = s.capture_up,
		.capture_frames = s.captured.frames,
		.capture_dropped = s.captured.dropped,
		.capture_tunnelled = s.captured.tunnelled,
		.capture_copies = s.captured.copies,
		.capture_malformed = s.captured.malformed,
		.subscribers = subscribers.connected,
		.subscribers_lost = subscribers.lost,
		.journal_first = journal_first(x->journal),
		.journal_next = journal_next(x->journal),
		.longest_turn_us = turns_longest_us(x->turns),
		.insecure = insecure(services_config(x->services)),
		.asr = w->asrs,
	};

	fill_journal(x, &now);
	metrics_print(w->metrics, &now, out);
}

/* Whole lines; those that come later are of the same moment. */
void watch_answer(struct watch *w, const struct command *c, struct answer *a)
{
	if (!c->next) {
		buf_clear(&w->figures);
		watch_print(&w->figures, w);
	}

	const char *all = buf_str(&w->figures);
	const size_t len = w->figures.len, at = (size_t)c->next;
	size_t end = MIN(at + PIECE, len);

	if (c->next > len || (at && all[at - 1] != '\n')) {
		answer_error(a, "somebody else asked meanwhile; begin again "
			     "with from 0");
		return;
	}
	while (end < len && end > at && all[end - 1] != '\n')
		end--;
	a->name = "metrics";
	a->body = json_stringn(all + at, end - at);
	a->next = end < len ? end : 0;
}

/* -- HTTP --------------------------------------------------------------------- */

static bool all_down(const struct core *x)
{
	bool any = false;

	const struct config *c = services_config(x->services);

	for (size_t i = 0; i < c->n_asrs; i++) {
		const struct metrics_asr a =
			services_figures(x->services, c->asrs[i].name);

		if (a.used && !a.open)
			return false;
		any |= a.used;
	}
	return any;
}

static bool is_ready(struct buf *why, void *arg)
{
	struct watch *w = arg;
	struct status s = {0};

	w->cfg.status(&s, w->cfg.arg);
	if (s.draining)
		buf_puts(why, "draining: no new calls\n");
	else if (all_down(w->cfg.core))
		buf_puts(why, "no asr can be reached\n");
	else
		return true;
	return false;
}

static void on_line(const struct journal_line *l, const struct event *e,
		    void *arg)
{
	struct watch *w = arg;

	if (!http_streams(w->http)) {
		journal_untap(&w->tap);
		w->tapped = false;
		return;
	}
	http_publish(w->http, e->type, l->text, l->len);
}

/* 64 bits tell the calls of a page apart. */
static bool same_call(const void *value, const void *key)
{
	return value == key;
}

/* Lines of the calls that go on. */
static void on_past(void *stream, void *arg)
{
	struct watch *w = arg;
	struct journal *j = w->cfg.core->journal;
	const uint64_t next = journal_next(j), first = journal_first(j);
	const uint64_t from = next - first > PAST ? next - PAST : first;
	struct journal_line l;
	struct map over = {0};

	for (uint64_t seq = from; seq < next; seq++)
		if (!journal_read(j, seq, &l) && l.type == EVENT_CALL_END)
			map_put(&over, hash_bytes(l.key, strlen(l.key)), w);
	for (uint64_t seq = from; seq < next; seq++)
		if (!journal_read(j, seq, &l) && l.type != EVENT_DAEMON &&
		    !map_find(&over, hash_bytes(l.key, strlen(l.key)),
			      same_call, w))
			http_send_past(stream, l.type, l.text, l.len);
	map_free(&over);
	if (!w->tapped)
		journal_tap(w->cfg.core->journal, &w->tap);
	w->tapped = true;
}

int watch_listen(struct watch *w)
{
	const struct config *c = w->cfg.core->config;
	struct http_config hc = {
		.loop = &w->cfg.core->loop, .transcripts = c->http.transcripts,
		.metrics = watch_print, .ready = is_ready, .past = on_past,
		.arg = w,
	};
	struct buf why = {0};
	char text[ADDR_TEXT + 8];
	struct listen_at at;

	if (!c->http.given)
		return EXIT_OK;
	w->tap = (struct journal_tap){ .line = on_line, .arg = w };
	snprintf(text, sizeof(text), "tcp:%s", c->http.listen);
	if (listen_parse(&at, text, "tcp"))
		return EXIT_CONFIG; /* it was checked */
	hc.listen = at.at;
	if (http_open(&w->http, &hc, &why)) {
		fprintf(stderr, "trunkscribed: http: %s\n", buf_str(&why));
		buf_free(&why);
		return EXIT_RUNTIME;
	}
	at.at = http_address(w->http);
	log_info("http", "on http://%s/", addr_print(text, &at.at));
	return EXIT_OK;
}

void watch_stop(struct watch *w)
{
	if (!w)
		return;
	if (w->tapped)
		journal_untap(&w->tap);
	w->tapped = false;
	http_close(w->http);
	w->http = NULL;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	buf_free(&w->figures);
	metrics_free(w->metrics);
	for (size_t k = 0; k < w->n_asrs; k++)
		free(w->names[k]);
	free(w->names);
	free(w->asrs);
	free(w);
}
