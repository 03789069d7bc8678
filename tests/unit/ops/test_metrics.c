/** @file test_metrics.c  daemon/ops/metrics.c and process.c */
#include "daemon/ops/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static const char *const names[] = { "main", "odd \"\\\n name" };

static void start(struct metrics *m, const char *call, const char *leg)
{
	metrics_event(m, &(struct event){
		.type = EVENT_CALL_START, .call = call,
		.call_start = { .source = "sip" } });
	metrics_event(m, &(struct event){
		.type = EVENT_LEG_START, .call = call, .leg = leg,
		.leg_start = { .asr = "main" } });
}

static void state(struct metrics *m, const char *leg, const char *now,
		  const char *reason)
{
	metrics_event(m, &(struct event){
		.type = EVENT_LEG_STATE, .call = "c", .leg = leg,
		.leg_state = { .asr_state = now, .reason = reason } });
}

static void segment(struct metrics *m, const char *leg, enum segment_state s,
		    uint64_t latency_ms, bool synthesised)
{
	metrics_event(m, &(struct event){
		.type = EVENT_SEGMENT, .call = "c", .leg = leg,
		.segment = { .state = s, .asr = "main", .text = "",
			     .latency_ms = latency_ms,
			     .synthesised = synthesised } });
}

static void gap(struct metrics *m, const char *leg, uint64_t samples,
		const char *cause)
{
	metrics_event(m, &(struct event){
		.type = EVENT_GAP, .call = "c", .leg = leg,
		.gap = { .start = 8, .end = 8 + samples, .cause = cause } });
}

/* One call of two legs that are over, and a call that goes on. */
static void happen(struct metrics *m)
{
	start(m, "a", "a.1");
	metrics_event(m, &(struct event){
		.type = EVENT_LEG_START, .call = "a", .leg = "a.2",
		.leg_start = { .asr = "none" } });
	start(m, "b", "b.1");
	state(m, "a.1", "connecting", NULL);
	state(m, "a.1", "streaming", NULL);
	state(m, "a.1", "streaming", "no_rtp");
	segment(m, "a.1", SEGMENT_PARTIAL, 90, false);
	segment(m, "a.1", SEGMENT_PARTIAL, EVENT_UNKNOWN, false);
	segment(m, "a.1", SEGMENT_FINAL, 1200, false);
	segment(m, "a.1", SEGMENT_RETRACTED, 10, false);
	state(m, "a.1", "reconnecting", "closed");
	segment(m, "a.1", SEGMENT_FINAL, 61000, true);
	state(m, "b.1", "streaming", NULL);
	gap(m, "a.1", 1, "rtp_loss");
	gap(m, "a.1", 8000, "asr_disconnect");
	gap(m, "a.1", 4000, "asr_disconnect");
	metrics_event(m, &(struct event){
		.type = EVENT_LEG_END, .call = "a", .leg = "a.1",
		.leg_end = { .received = 24001, .sent = 12001, .lost = 12000,
			     .concealed = 160, .replayed = 800,
			     .rtp_packets = 99, .rtp_lost = 1, .rtp_late = 2,
			     .rtp_duplicate = 3, .rtp_reordered = 4,
			     .jitter_ms = 1.5, .mos = 4.15,
			     .connections = 2, .asr = true } });
	metrics_event(m, &(struct event){
		.type = EVENT_LEG_END, .call = "a", .leg = "a.2",
		.leg_end = { .received = 8000, .sent = 8000 } });
	metrics_event(m, &(struct event){
		.type = EVENT_CALL_END, .call = "a",
		.call_end = { .reason = "bye", .duration_us = 4500000 } });
}

static const char *const lines[] = {
	"calls_active{source=\"sip\"} 1",
	"calls_active{source=\"replay\"} 0",
	"calls_started_total{source=\"sip\"} 2",
	"calls_ended_total{source=\"sip\",reason=\"bye\"} 1",
	"call_duration_seconds_bucket{source=\"sip\",le=\"1\"} 0",
	"call_duration_seconds_bucket{source=\"sip\",le=\"5\"} 1",
	"call_duration_seconds_sum{source=\"sip\"} 4.500000",
	"legs_started_total 3",
	"legs_active{state=\"streaming\"} 1",
	"legs_active{state=\"reconnecting\"} 0",
	"legs_active{state=\"none\"} 0",
	"rtp_packets_received_total 99", "rtp_packets_lost_total 1",
	"rtp_packets_late_total 2", "rtp_packets_duplicate_total 3",
	"rtp_packets_reordered_total 4", "rtp_packets_foreign_total 77",
	"rtp_jitter_seconds_bucket{le=\"0.001\"} 0",
	"rtp_jitter_seconds_bucket{le=\"0.002\"} 1",
	"rtp_jitter_seconds_sum 0.001500", "rtp_jitter_seconds_count 1",
	"rtp_loss_ratio_bucket{le=\"0.005\"} 0",
	"rtp_loss_ratio_bucket{le=\"0.01\"} 1",
	"rtp_mos_bucket{le=\"4.1\"} 0", "rtp_mos_bucket{le=\"4.2\"} 1",
	"audio_received_seconds_total 4.000125",
	"audio_sent_seconds_total 2.500125",
	"audio_lost_seconds_total 1.500000",
	"audio_concealed_seconds_total 0.020000",
	"audio_replayed_seconds_total 0.100000",
	"gaps_total{cause=\"asr_disconnect\"} 2",
	"gap_seconds_total{cause=\"asr_disconnect\"} 1.500000",
	"gap_seconds_total{cause=\"rtp_loss\"} 0.000125",
	"asr_results_total{asr=\"main\",kind=\"partial\"} 2",
	"asr_results_total{asr=\"main\",kind=\"final\"} 2",
	"asr_results_total{asr=\"odd \\\"\\\\\\n name\",kind=\"final\"} 0",
	"asr_partial_latency_seconds_bucket{asr=\"main\",le=\"0.1\"} 1",
	"asr_final_latency_seconds_bucket{asr=\"main\",le=\"1\"} 0",
	"asr_final_latency_seconds_bucket{asr=\"main\",le=\"1.5\"} 1",
	"asr_final_latency_seconds_bucket{asr=\"main\",le=\"60\"} 1",
	"asr_final_latency_seconds_bucket{asr=\"main\",le=\"+Inf\"} 2",
	"asr_final_latency_seconds_count{asr=\"main\"} 2",
	"asr_connections_total{asr=\"main\"} 2",
	"asr_reconnects_total{asr=\"main\",reason=\"closed\"} 1",
	"asr_circuit_open{asr=\"main\"} 1",
	"asr_tls_not_after_timestamp_seconds{asr=\"main\"} 1900000000",
	"segments_synthesised_total 1", "segments_retracted_total 1",
	"publish_events_total{type=\"segment\"} 5",
	"publish_events_total{type=\"leg.end\"} 2",
	"subscribers 3", "subscriber_lost_events_total 9",
	"journal_events 40", "ports_used 2", "ports_limit 100",
	"journal_bytes 81", "journal_oldest_timestamp_seconds 1700000000",
	"journal_degraded 1", "journal_write_errors_total 82",
	"journal_unwritten_events_total 83", "journal_syncs_total 84",
	"subscriber_lag_events{subscriber=\"crm\"} 85",
	"subscriber_lag_events{subscriber=\"b.2\"} 0",
	"capture_up 1", "capture_frames_total 71",
	"capture_kernel_drops_total 72", "capture_tunnelled_total 73",
	"capture_copies_total 74", "capture_malformed_total 75",
	"calls_limit 1000", "draining 1", "insecure_settings 1",
	"loop_longest_turn_seconds 0.012000",
	"build_info{version=\"1\"} 1",
};

static bool has_line(const char *text, const char *line)
{
	char whole[256];

	snprintf(whole, sizeof whole, "\ntrunkscribe_%s\n", line);
	return strstr(text, whole) != NULL;
}

static void test_figures_are_those_of_the_events(void **unused)
{
	const struct metrics_asr asrs[] = { { true, true, 1900000000 }, { 0 } };
	const struct metrics_now now = {
		.version = "1", .calls_limit = 1000, .draining = true,
		.ports = true, .ports_used = 2, .ports_limit = 100,
		.capture = true, .capture_up = true, .capture_frames = 71,
		.capture_dropped = 72, .capture_tunnelled = 73,
		.capture_copies = 74, .capture_malformed = 75,
		.rtp_foreign = 77, .subscribers = 3, .subscribers_lost = 9,
		.journal_first = 10, .journal_next = 50,
		.journal_on_disk = true, .journal_degraded = true,
		.journal_bytes = 81, .journal_oldest_us = 1700000000999999,
		.journal_write_errors = 82, .journal_unwritten = 83,
		.journal_syncs = 84, .lag = { { "crm", 85 }, { "b.2", 0 } },
		.n_lag = 2,
		.longest_turn_us = 12000, .insecure = 1, .asr = asrs,
	};
	struct metrics *m;
	struct buf out = {0};

	(void)unused;
	assert_int_equal(metrics_new(&m, names, ARRAY_LEN(names)), 0);
	happen(m);
	buf_puts(&out, "\n");
	metrics_print(m, &now, &out);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		print_message("%s\n", lines[i]);
		assert_true(has_line(buf_str(&out), lines[i]));
	}
	assert_non_null(strstr(buf_str(&out), "\nprocess_open_fds "));
	buf_free(&out);
	metrics_free(m);
	metrics_free(NULL);
}

/* Calls without an end, ends without a call, labels without number. */
static void test_odd_events_do_no_harm(void **unused)
{
	const struct metrics_now now = { .version = "1" };
	struct metrics *m;
	struct buf out = {0};

	(void)unused;
	assert_int_equal(metrics_new(&m, names, 0), 0);
	metrics_event(m, &(struct event){ .type = EVENT_CALL_END, .call = "x",
					  .call_end = { .reason = "bye" } });
	metrics_event(m, &(struct event){ .type = EVENT_LEG_END, .call = "x",
					  .leg = "x.1" });
	state(m, "x.1", "streaming", NULL);
	segment(m, "x.1", SEGMENT_FINAL, 1, false);
	for (unsigned i = 0; i < 200; i++) {
		char cause[64];

		snprintf(cause, sizeof cause, i % 2 ? "cause%u" : "%040u", i);
		gap(m, "x.1", 8000, cause);
	}
	start(m, "y", "y.1");
	buf_puts(&out, "\n");
	metrics_print(m, &now, &out);
	assert_true(has_line(buf_str(&out), "gaps_total{cause=\"cause1\"} 1"));
	/* 48 causes have a series of their own */
	assert_true(has_line(buf_str(&out), "gaps_total{cause=\"other\"} 152"));
	assert_true(has_line(buf_str(&out),
			     "gap_seconds_total{cause=\"other\"} 152.000000"));
	assert_true(has_line(buf_str(&out), "legs_active{state=\"none\"} 1"));
	assert_null(strstr(buf_str(&out), "ports_used"));
	assert_null(strstr(buf_str(&out), "capture_"));
	buf_free(&out);
	metrics_free(m);
}

/* A leg of a service that was not known stays one of another name. */
static void test_an_asr_comes_later(void **unused)
{
	const struct metrics_now now = {
		.version = "1", .reload_failed = true, .reloaded_s = 1700000000,
	};
	struct metrics *m;
	struct buf out = {0};

	(void)unused;
	assert_int_equal(metrics_new(&m, NULL, 0), 0);
	start(m, "y", "y.1");
	segment(m, "y.1", SEGMENT_FINAL, 1, false);
	assert_int_equal(metrics_add(m, "later"), 0);
	assert_int_equal(metrics_add(m, "later"), 0);
	metrics_event(m, &(struct event){ .type = EVENT_LEG_END, .call = "y",
					  .leg = "y.1",
					  .leg_end = { .connections = 7 } });
	buf_puts(&out, "\n");
	metrics_print(m, &now, &out);
	assert_true(has_line(buf_str(&out),
			     "asr_connections_total{asr=\"later\"} 0"));
	assert_true(has_line(buf_str(&out), "config_last_reload_successful 0"));
	assert_true(has_line(buf_str(&out), "config_last_reload_timestamp_"
			     "seconds 1700000000"));
	buf_free(&out);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_asr_comes_later),
		cmocka_unit_test(test_figures_are_those_of_the_events),
		cmocka_unit_test(test_odd_events_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
