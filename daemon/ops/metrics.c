/** @file metrics.c  Figures for Prometheus, counted from the events */
#include "daemon/ops/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/ops/process.h"

enum {
	BOUNDS = 14,              /* of a histogram, at most */
	OTHERS = 48,              /* values of an open label; then "other" */
	LABEL = 32,
};

#define RATE 8000.0 /* samples a second */

struct histogram {
	const double *bound;      /* ends with 0 */
	uint64_t count[BOUNDS + 1], n;
	double sum;
};

static const double durations[] = { 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600,
				    7200, 0 };
static const double jitters[] = { .0005, .001, .002, .005, .01, .02, .03, .05,
				  .1, .2, .5, 0 };
static const double losses[] = { .001, .005, .01, .02, .03, .05, .1, .2, .3,
				 .5, 0 };
static const double scores[] = { 1.5, 2, 2.5, 3, 3.2, 3.4, 3.6, 3.8, 4, 4.1,
				 4.2, 4.3, 4.4, 0 };
static const double latencies[] = { .1, .2, .3, .5, .75, 1, 1.5, 2, 3, 5, 10,
				    30, 60, 0 };

static const char *const sources[] = {
	"sip", "siprec", "rtp", "audiosocket", "websocket", "oreka", "capture",
	"replay",
};
enum { SOURCES = ARRAY_LEN(sources) };

static const char *const states[] = {
	"none", "connecting", "streaming", "catching_up", "reconnecting",
	"failed", "paused",
};
enum { STATES = ARRAY_LEN(states) };

static const char *const types[] = {
	[EVENT_CALL_START] = "call.start", [EVENT_CALL_UPDATE] = "call.update",
	[EVENT_LEG_START] = "leg.start", [EVENT_LEG_UPDATE] = "leg.update",
	[EVENT_LEG_MEDIA] = "leg.media", [EVENT_LEG_STATE] = "leg.state",
	[EVENT_SEGMENT] = "segment", [EVENT_SPEECH] = "speech",
	[EVENT_GAP] = "gap", [EVENT_DISCONTINUITY] = "discontinuity",
	[EVENT_DTMF] = "dtmf", [EVENT_PAUSE] = "pause",
	[EVENT_RESUME] = "resume", [EVENT_LEG_END] = "leg.end",
	[EVENT_CALL_END] = "call.end", [EVENT_DAEMON] = "daemon",
};

/* A counter by labels that are not known beforehand. */
struct others {
	struct {
		char a[LABEL], b[LABEL];
		uint64_t n;
	} item[OTHERS + 1];       /* the last is "other" */
	size_t n;
};

struct asr_figures {
	char *name;
	uint64_t results[2];      /* partial, final */
	uint64_t connections;
	struct others reconnects; /* by reason */
	struct histogram partial, final;
};

struct known_call {
	struct list in;
	uint64_t hash;
	size_t source;
};

struct known_leg {
	struct list in;
	uint64_t hash;
	size_t state;
	size_t asr;               /* of its last segment or start */
};

struct metrics {
	struct asr_figures *asr;  /* the last: any other name */
	size_t n_asrs;
	struct map calls, legs;   /* by id */
	struct list all_calls, all_legs;
	uint64_t events[ARRAY_LEN(types)];
	uint64_t started[SOURCES], active[SOURCES];
	struct others ended;      /* source, reason */
	struct histogram duration[SOURCES];
	uint64_t legs_in[STATES], legs_started;
	uint64_t packets, lost, late, duplicate, reordered;
	struct histogram jitter, loss, mos;
	struct others discontinuities, gaps, gap_samples;
	uint64_t received, sent, lost_samples, paused, concealed, replayed;
	uint64_t synthesised, retracted, digits;
};

/* -- counting --------------------------------------------------------------------- */

static void observe(struct histogram *h, double value)
{
	size_t i = 0;

	while (h->bound[i] > 0 && value > h->bound[i])
		i++;
	h->count[i]++;
	h->n++;
	h->sum += value;
}

static void count(struct others *o, const char *a, const char *b, uint64_t n)
{
	size_t i;

	for (i = 0; i < o->n; i++)
		if (!strcmp(o->item[i].a, a) && !strcmp(o->item[i].b, b))
			break;
	if (i == o->n && (i == OTHERS || strlen(a) >= LABEL ||
			  strlen(b) >= LABEL)) {
		i = OTHERS;
	} else if (i == o->n) {
		memcpy(o->item[i].a, a, strlen(a) + 1);
		memcpy(o->item[i].b, b, strlen(b) + 1);
		o->n++;
	}
	o->item[i].n += n;
}

static size_t find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i + 1 < n && name && strcmp(names[i], name) != 0)
		i++;
	return name ? i : 0;
}

static size_t asr_find(const struct metrics *m, const char *name)
{
	size_t i = 0;

	while (i < m->n_asrs && (!name || strcmp(m->asr[i].name, name) != 0))
		i++;
	return i;
}

static uint64_t hash_id(const char *id)
{
	return hash_bytes(id, strlen(id));
}

/* 64 bits of an id tell two live calls apart; a figure hangs on it, not more. */
static bool any(const void *value, const void *key)
{
	(void)value;
	(void)key;
	return true;
}

static void on_call_start(struct metrics *m, const struct event *e)
{
	struct known_call *c = calloc(1, sizeof(*c));
	const size_t s = find(sources, SOURCES, e->call_start.source);

	m->started[s]++;
	if (!c)
		return;
	c->hash = hash_id(e->call);
	c->source = s;
	if (map_put(&m->calls, c->hash, c)) {
		free(c);
		return;
	}
	list_init(&c->in);
	list_add(&m->all_calls, &c->in);
	m->active[s]++;
}

static void call_forget(struct metrics *m, struct known_call *c)
{
	map_remove(&m->calls, c->hash, c);
	list_remove(&c->in);
	free(c);
}

static void on_call_end(struct metrics *m, const struct event *e)
{
	struct known_call *c = map_find(&m->calls, hash_id(e->call), any, NULL);

	if (!c)
		return;
	m->active[c->source]--;
	count(&m->ended, sources[c->source], e->call_end.reason, 1);
	observe(&m->duration[c->source], (double)e->call_end.duration_us / 1e6);
	call_forget(m, c);
}

static struct known_leg *leg_find(const struct metrics *m, const struct event *e)
{
	return map_find(&m->legs, hash_id(e->leg), any, NULL);
}

static void leg_forget(struct metrics *m, struct known_leg *l)
{
	map_remove(&m->legs, l->hash, l);
	list_remove(&l->in);
	free(l);
}

static void on_leg_start(struct metrics *m, const struct event *e)
{
	struct known_leg *l = calloc(1, sizeof(*l));

	m->legs_started++;
	if (!l)
		return;
	l->hash = hash_id(e->leg);
	l->asr = asr_find(m, e->leg_start.asr);
	if (map_put(&m->legs, l->hash, l)) {
		free(l);
		return;
	}
	list_init(&l->in);
	list_add(&m->all_legs, &l->in);
	m->legs_in[l->state]++;
}

static void on_leg_state(struct metrics *m, const struct event *e)
{
	struct known_leg *l = leg_find(m, e);
	const size_t s = find(states, STATES, e->leg_state.asr_state);

	if (!l || l->state == s)
		return;
	m->legs_in[l->state]--;
	m->legs_in[s]++;
	l->state = s;
	if (!strcmp(states[s], "reconnecting"))
		count(&m->asr[l->asr].reconnects,
		      e->leg_state.reason ? e->leg_state.reason : "none", "",
		      1);
}

static void on_segment(struct metrics *m, const struct event *e)
{
	const struct event_segment *s = &e->segment;
	struct known_leg *l = leg_find(m, e);
	const size_t at = asr_find(m, s->asr);
	struct asr_figures *a = &m->asr[at];
	const bool final = s->state == SEGMENT_FINAL;

	if (l)
		l->asr = at;
	m->synthesised += final && s->synthesised;
	if (s->state == SEGMENT_RETRACTED) {
		m->retracted++;
		return;
	}
	a->results[final]++;
	if (s->latency_ms != EVENT_UNKNOWN)
		observe(final ? &a->final : &a->partial,
			(double)s->latency_ms / 1e3);
}

static void on_leg_end(struct metrics *m, const struct event *e)
{
	const struct event_leg_end *x = &e->leg_end;
	struct known_leg *l = leg_find(m, e);

	m->packets += x->rtp_packets;
	m->lost += x->rtp_lost;
	m->late += x->rtp_late;
	m->duplicate += x->rtp_duplicate;
	m->reordered += x->rtp_reordered;
	if (x->rtp_packets) {
		observe(&m->jitter, x->jitter_ms / 1e3);
		observe(&m->loss, (double)x->rtp_lost /
				  (double)(x->rtp_lost + x->rtp_packets));
		if (x->mos > 0)
			observe(&m->mos, x->mos);
	}
	m->received += x->received;
	m->sent += x->sent;
	m->lost_samples += x->lost;
	m->paused += x->paused;
	m->concealed += x->concealed;
	m->replayed += x->replayed;
	if (!l)
		return;
	m->asr[l->asr].connections += x->connections;
	m->legs_in[l->state]--;
	leg_forget(m, l);
}

void metrics_event(struct metrics *m, const struct event *e)
{
	m->events[e->type]++;
	switch (e->type) {
	case EVENT_CALL_START:
		on_call_start(m, e);
		break;
	case EVENT_LEG_START:
		on_leg_start(m, e);
		break;
	case EVENT_LEG_STATE:
		on_leg_state(m, e);
		break;
	case EVENT_SEGMENT:
		on_segment(m, e);
		break;
	case EVENT_GAP:
		count(&m->gaps, e->gap.cause, "", 1);
		count(&m->gap_samples, e->gap.cause, "",
		      e->gap.end - e->gap.start);
		break;
	case EVENT_DISCONTINUITY:
		count(&m->discontinuities, e->discontinuity.kind, "", 1);
		break;
	case EVENT_DTMF:
		m->digits++;
		break;
	case EVENT_LEG_END:
		on_leg_end(m, e);
		break;
	case EVENT_CALL_END:
		on_call_end(m, e);
		break;
	default:
		break;
	}
}

/* -- printing --------------------------------------------------------------------- */

#define PREFIX "trunkscribe_"

static void head(struct buf *out, const char *name, const char *type,
		 const char *help)
{
	buf_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n",
		   name, help, name, type);
}

static void whole(struct buf *out, const char *name, const char *type,
		  const char *help, uint64_t value)
{
	head(out, name, type, help);
	buf_printf(out, PREFIX "%s %" PRIu64 "\n", name, value);
}

/* Samples are seconds, to the sample: 1/8000 s has six decimals. */
static void seconds(struct buf *out, const char *name, const char *help,
		    uint64_t samples)
{
	head(out, name, "counter", help);
	buf_printf(out, PREFIX "%s %.6f\n", name, (double)samples / RATE);
}

/* The values of labels: names of the configuration may hold anything. */
static void label(struct buf *out, const char *name, const char *value,
		  bool first)
{
	buf_printf(out, "%s%s=\"", first ? "" : ",", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_printf(out, "\\%c", *value);
		else if (*value == '\n')
			buf_puts(out, "\\n");
		else
			buf_add(out, value, 1);
	}
	buf_puts(out, "\"");
}

static void labelled(struct buf *out, const char *name, const char *key,
		     const char *value, uint64_t n)
{
	buf_printf(out, PREFIX "%s{", name);
	label(out, key, value, true);
	buf_printf(out, "} %" PRIu64 "\n", n);
}

static void print_others(struct buf *out, const char *name, const char *key_a,
			 const char *key_b, const struct others *o)
{
	for (size_t i = 0; i <= OTHERS; i++) {
		if (i >= o->n && !(i == OTHERS && o->item[i].n))
			continue;
		buf_printf(out, PREFIX "%s{", name);
		label(out, key_a, i == OTHERS ? "other" : o->item[i].a, true);
		if (key_b)
			label(out, key_b, i == OTHERS ? "other" : o->item[i].b,
			      false);
		buf_printf(out, "} %" PRIu64 "\n", o->item[i].n);
	}
}

static void print_histogram(struct buf *out, const char *name, const char *key,
			    const char *value, const struct histogram *h)
{
	struct buf labels = {0};
	uint64_t below = 0;

	if (key) {
		label(&labels, key, value, true);
		buf_puts(&labels, ",");
	}
	for (size_t i = 0; h->bound[i] > 0; i++) {
		below += h->count[i];
		buf_printf(out, PREFIX "%s_bucket{%sle=\"%g\"} %" PRIu64 "\n",
			   name, buf_str(&labels), h->bound[i], below);
	}
	buf_printf(out, PREFIX "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name,
		   buf_str(&labels), h->n);
	if (key)
		labels.data[--labels.len] = 0; /* its comma */
	buf_printf(out, PREFIX "%s_sum%s%s%s %.6f\n", name, key ? "{" : "",
		   buf_str(&labels), key ? "}" : "", h->sum);
	buf_printf(out, PREFIX "%s_count%s%s%s %" PRIu64 "\n", name,
		   key ? "{" : "", buf_str(&labels), key ? "}" : "", h->n);
	buf_free(&labels);
}

static void print_calls(const struct metrics *m, struct buf *out)
{
	head(out, "calls_active", "gauge", "Calls not yet over.");
	for (size_t i = 0; i < SOURCES; i++)
		labelled(out, "calls_active", "source", sources[i],
			 m->active[i]);
	head(out, "calls_started_total", "counter", "Calls begun.");
	for (size_t i = 0; i < SOURCES; i++)
		labelled(out, "calls_started_total", "source", sources[i],
			 m->started[i]);
	head(out, "calls_ended_total", "counter", "Calls over, and why.");
	print_others(out, "calls_ended_total", "source", "reason", &m->ended);
	head(out, "call_duration_seconds", "histogram", "Length of calls.");
	for (size_t i = 0; i < SOURCES; i++)
		print_histogram(out, "call_duration_seconds", "source",
				sources[i], &m->duration[i]);
	whole(out, "legs_started_total", "counter", "Legs begun.",
	      m->legs_started);
	head(out, "legs_active", "gauge",
	     "Legs not yet over, by the state of their asr.");
	for (size_t i = 0; i < STATES; i++)
		labelled(out, "legs_active", "state", states[i], m->legs_in[i]);
}

static void print_media(const struct metrics *m, const struct metrics_now *now,
			struct buf *out)
{
	whole(out, "rtp_packets_received_total", "counter",
	      "RTP packets accepted, of legs that are over.", m->packets);
	whole(out, "rtp_packets_lost_total", "counter",
	      "RTP packets that never came, of legs that are over.", m->lost);
	whole(out, "rtp_packets_late_total", "counter",
	      "RTP packets behind the reorder window, of legs that are over.",
	      m->late);
	whole(out, "rtp_packets_duplicate_total", "counter",
	      "RTP packets that came twice, of legs that are over.",
	      m->duplicate);
	whole(out, "rtp_packets_reordered_total", "counter",
	      "RTP packets put into order, of legs that are over.",
	      m->reordered);
	whole(out, "rtp_packets_foreign_total", "counter",
	      "Packets to our ports from nobody we know; dropped.",
	      now->rtp_foreign);
	head(out, "rtp_jitter_seconds", "histogram",
	     "RFC 3550 jitter of legs at their end.");
	print_histogram(out, "rtp_jitter_seconds", NULL, NULL, &m->jitter);
	head(out, "rtp_loss_ratio", "histogram",
	     "Share of packets lost, of legs at their end.");
	print_histogram(out, "rtp_loss_ratio", NULL, NULL, &m->loss);
	head(out, "rtp_mos", "histogram",
	     "Listening quality (E-model) of legs at their end.");
	print_histogram(out, "rtp_mos", NULL, NULL, &m->mos);
	head(out, "rtp_discontinuities_total", "counter",
	     "Jumps of legs' timelines.");
	print_others(out, "rtp_discontinuities_total", "kind", NULL,
		     &m->discontinuities);
	seconds(out, "audio_received_seconds_total",
		"Audio that took its place on a timeline, of legs that are "
		"over.", m->received);
	seconds(out, "audio_sent_seconds_total",
		"Of it, handed to an asr (or decoded, without one).", m->sent);
	seconds(out, "audio_lost_seconds_total", "Of it, given up.",
		m->lost_samples);
	seconds(out, "audio_paused_seconds_total", "Of it, while paused.",
		m->paused);
	seconds(out, "audio_replayed_seconds_total",
		"Sent a second time after a reconnect.", m->replayed);
	seconds(out, "audio_concealed_seconds_total",
		"Filled in for lost packets.", m->concealed);
	head(out, "gaps_total", "counter", "Gaps told of, by their cause.");
	print_others(out, "gaps_total", "cause", NULL, &m->gaps);
	head(out, "gap_seconds_total", "counter", "Length of gaps.");
	for (size_t i = 0; i <= OTHERS; i++)
		if (m->gap_samples.item[i].n) {
			buf_puts(out, PREFIX "gap_seconds_total{");
			label(out, "cause", i == OTHERS ? "other"
			      : m->gap_samples.item[i].a, true);
			buf_printf(out, "} %.6f\n",
				   (double)m->gap_samples.item[i].n / RATE);
		}
}

static void print_asrs(const struct metrics *m, const struct metrics_now *now,
		       struct buf *out)
{
	static const char *const kinds[] = { "partial", "final" };

	head(out, "asr_results_total", "counter",
	     "Segments published, by their state.");
	for (size_t i = 0; i < m->n_asrs; i++)
		for (int k = 0; k < 2; k++) {
			buf_puts(out, PREFIX "asr_results_total{");
			label(out, "asr", m->asr[i].name, true);
			label(out, "kind", kinds[k], false);
			buf_printf(out, "} %" PRIu64 "\n",
				   m->asr[i].results[k]);
		}
	head(out, "asr_final_latency_seconds", "histogram",
	     "From the arrival of the last sample covered to the final.");
	for (size_t i = 0; i < m->n_asrs; i++)
		print_histogram(out, "asr_final_latency_seconds", "asr",
				m->asr[i].name, &m->asr[i].final);
	head(out, "asr_partial_latency_seconds", "histogram",
	     "From the arrival of the last sample covered to the partial.");
	for (size_t i = 0; i < m->n_asrs; i++)
		print_histogram(out, "asr_partial_latency_seconds", "asr",
				m->asr[i].name, &m->asr[i].partial);
	head(out, "asr_connections_total", "counter",
	     "Connections, of legs that are over.");
	for (size_t i = 0; i < m->n_asrs; i++)
		labelled(out, "asr_connections_total", "asr", m->asr[i].name,
			 m->asr[i].connections);
	head(out, "asr_reconnects_total", "counter",
	     "Connections lost while a leg went on, and why.");
	for (size_t i = 0; i < m->n_asrs; i++)
		for (size_t k = 0; k < m->asr[i].reconnects.n; k++) {
			buf_puts(out, PREFIX "asr_reconnects_total{");
			label(out, "asr", m->asr[i].name, true);
			label(out, "reason", m->asr[i].reconnects.item[k].a,
			      false);
			buf_printf(out, "} %" PRIu64 "\n",
				   m->asr[i].reconnects.item[k].n);
		}
	head(out, "asr_circuit_open", "gauge",
	     "1: it failed too often, nobody connects for a while.");
	for (size_t i = 0; i < m->n_asrs; i++)
		labelled(out, "asr_circuit_open", "asr", m->asr[i].name,
			 now->asr && now->asr[i].open);
	head(out, "asr_tls_not_after_timestamp_seconds", "gauge",
	     "End of its certificate; 0: not known.");
	for (size_t i = 0; i < m->n_asrs; i++)
		labelled(out, "asr_tls_not_after_timestamp_seconds", "asr",
			 m->asr[i].name, now->asr ? now->asr[i].not_after_s : 0);
	whole(out, "segments_synthesised_total", "counter",
	      "Finals that the daemon closed, not the service.",
	      m->synthesised);
	whole(out, "segments_retracted_total", "counter",
	      "Partials taken back.", m->retracted);
}

static void print_capture(const struct metrics_now *now, struct buf *out)
{
	whole(out, "capture_up", "gauge", "1: the interface can be watched.",
	      now->capture_up);
	whole(out, "capture_frames_total", "counter", "Frames seen.",
	      now->capture_frames);
	whole(out, "capture_kernel_drops_total", "counter",
	      "Frames missing here alone: the kernel had no room for them.",
	      now->capture_dropped);
	whole(out, "capture_tunnelled_total", "counter",
	      "Frames with a tunnel in them.", now->capture_tunnelled);
	whole(out, "capture_copies_total", "counter",
	      "Packets that a mirror showed again.", now->capture_copies);
	whole(out, "capture_malformed_total", "counter",
	      "Frames that make no sense.", now->capture_malformed);
}

static void print_journal(const struct metrics_now *now, struct buf *out)
{
	head(out, "subscriber_lag_events", "gauge",
	     "Events that a named subscriber has still to get or acknowledge.");
	for (size_t i = 0; i < now->n_lag; i++)
		labelled(out, "subscriber_lag_events", "subscriber",
			 now->lag[i].name, now->lag[i].events);
	if (!now->journal_on_disk)
		return;
	whole(out, "journal_bytes", "gauge", "Of its files.",
	      now->journal_bytes);
	whole(out, "journal_oldest_timestamp_seconds", "gauge",
	      "Newest event of the oldest file; 0: there is none.",
	      now->journal_oldest_us / 1000000);
	whole(out, "journal_degraded", "gauge",
	      "1: events are kept in memory only.", now->journal_degraded);
	whole(out, "journal_write_errors_total", "counter",
	      "Writes and syncs that failed.", now->journal_write_errors);
	whole(out, "journal_unwritten_events_total", "counter",
	      "Events that never came to disk.", now->journal_unwritten);
	whole(out, "journal_syncs_total", "counter", "Times it was synced.",
	      now->journal_syncs);
}

static void print_rest(const struct metrics *m, const struct metrics_now *now,
		       struct buf *out)
{
	head(out, "publish_events_total", "counter", "Events, by type.");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		labelled(out, "publish_events_total", "type", types[i],
			 m->events[i]);
	whole(out, "dtmf_total", "counter", "Digits published.", m->digits);
	whole(out, "subscribers", "gauge", "Connected to the event socket.",
	      now->subscribers);
	whole(out, "subscriber_lost_events_total", "counter",
	      "Events that were dropped before a subscriber read them.",
	      now->subscribers_lost);
	whole(out, "journal_events", "gauge", "Events that can still be read.",
	      now->journal_next - now->journal_first);
	print_journal(now, out);
	if (now->ports) {
		whole(out, "ports_used", "gauge",
		      "Pairs of RTP ports in use or resting.", now->ports_used);
		whole(out, "ports_limit", "gauge", "Pairs of RTP ports.",
		      now->ports_limit);
	}
	if (now->capture)
		print_capture(now, out);
	if (now->calls_limit)
		whole(out, "calls_limit", "gauge", "SIP calls at most.",
		      now->calls_limit);
	whole(out, "draining", "gauge", "1: no new calls.", now->draining);
	whole(out, "config_last_reload_successful", "gauge", "0: the file was "
	      "wrong, and nothing changed.", !now->reload_failed);
	whole(out, "config_last_reload_timestamp_seconds", "gauge", "When the "
	      "file was read last (Unix time).", now->reloaded_s);
	whole(out, "insecure_settings", "gauge",
	      "Services that audio goes to unencrypted.", now->insecure);
	head(out, "loop_longest_turn_seconds", "gauge",
	     "Processor time of the longest turn of the loop so far.");
	buf_printf(out, PREFIX "loop_longest_turn_seconds %.6f\n",
		   (double)now->longest_turn_us / 1e6);
	head(out, "build_info", "gauge", "1, with what was built.");
	buf_puts(out, PREFIX "build_info{");
	label(out, "version", now->version, true);
	buf_puts(out, "} 1\n");
}

void metrics_print(const struct metrics *m, const struct metrics_now *now,
		   struct buf *out)
{
	print_calls(m, out);
	print_media(m, now, out);
	print_asrs(m, now, out);
	print_rest(m, now, out);
	process_print(out);
}

/* -- its life --------------------------------------------------------------------- */

int metrics_new(struct metrics **out, const char *const *asrs, size_t n)
{
	struct metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	list_init(&m->all_calls);
	list_init(&m->all_legs);
	m->jitter.bound = jitters;
	m->loss.bound = losses;
	m->mos.bound = scores;
	for (size_t i = 0; i < SOURCES; i++)
		m->duration[i].bound = durations;
	m->asr = calloc(n + 1, sizeof(*m->asr));
	for (size_t i = 0; m->asr && i <= n; i++) {
		m->asr[i].final.bound = latencies;
		m->asr[i].partial.bound = latencies;
		if (i == n)
			break;
		m->asr[i].name = strdup(asrs[i]);
		if (!m->asr[i].name)
			break;
		m->n_asrs++;
	}
	if (m->n_asrs < n || !m->asr) {
		metrics_free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

int metrics_add(struct metrics *m, const char *asr)
{
	const size_t n = m->n_asrs;

	if (asr_find(m, asr) < n)
		return 0;

	char *name = strdup(asr);
	struct asr_figures *more =
		name ? realloc(m->asr, (n + 2) * sizeof(*more)) : NULL;
	if (!more) {
		free(name);
		return -ENOMEM;
	}
	m->asr = more;
	more[n + 1] = more[n]; /* the one for any other name stays last */
	more[n] = (struct asr_figures){
		.name = name, .final.bound = latencies,
		.partial.bound = latencies,
	};
	m->n_asrs++;
	list_each(&m->all_legs, x) {
		struct known_leg *l = list_item(x, struct known_leg, in);

		l->asr += l->asr == n;
	}
	return 0;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	list_each(&m->all_calls, c)
		call_forget(m, list_item(c, struct known_call, in));
	list_each(&m->all_legs, l)
		leg_forget(m, list_item(l, struct known_leg, in));
	map_free(&m->calls);
	map_free(&m->legs);
	for (size_t i = 0; i < m->n_asrs; i++)
		free(m->asr[i].name);
	free(m->asr);
	free(m);
}
