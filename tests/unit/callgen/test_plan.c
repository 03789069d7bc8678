/** @file test_plan.c  Seeds, chances, and the account of what was planned */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tools/callgen/plan.h"

enum { FRAMES_MAX = 20000, PACKETS_MAX = 4 * FRAMES_MAX };

static struct sound sound;
static struct plan_packet got[PACKETS_MAX];

static size_t run(struct plan *p, const struct plan_options *o, uint64_t seed,
		  uint64_t n)
{
	size_t count = 0;

	plan_init(p, o, &sound, seed, n);
	while (count < PACKETS_MAX && plan_next(p, &got[count]))
		count++;
	assert_true(count < PACKETS_MAX);
	return count;
}

static struct plan_options options(uint64_t frames)
{
	return (struct plan_options){ .frame = 160, .frames = frames,
				      .first_seq = -1, .first_ts = -1 };
}

/* -- what a receiver would make of it: from the packets alone -------------------- */

/* By sequence number, each once, from the first; single SSRC, 16 bit wraps. */
static void receive(size_t n, uint8_t *pcm, bool *there, uint64_t samples)
{
	const uint32_t ts = got[0].ts;

	memset(there, 0, samples);
	for (size_t i = 0; i < n; i++) {
		const struct plan_packet *p = &got[i];
		const uint32_t at = p->ts - ts;

		if (p->kind != PLAN_AUDIO)
			continue;
		assert_true(at + p->len <= samples);
		memcpy(pcm + 2 * (size_t)at,
		       sound.heard[LAW_PCMU] + 2 * p->offset, 2 * p->len);
		memset(there + at, 1, p->len);
	}
}

static void check_account(const struct plan *p, size_t n)
{
	const struct account *a = &p->account;
	uint8_t *pcm = malloc(2 * a->at);
	bool *there = malloc(a->at);
	uint64_t at = 0;
	uint32_t all = 0;

	assert_non_null(pcm);
	assert_non_null(there);
	receive(n, pcm, there, a->at);
	for (size_t i = 0; i < a->n; i++) {
		const struct span *s = &a->spans[i];
		const unsigned bytes = (unsigned)(2 * (s->end - s->start));

		assert_int_equal(s->start, at);
		assert_true(s->end > s->start);
		for (uint64_t k = s->start; k < s->end; k++)
			assert_int_equal(there[k], s->fate == FATE_HEARD);
		if (s->fate == FATE_HEARD) {
			assert_int_equal(crc32(0, pcm + 2 * s->start, bytes),
					 s->crc);
			all = (uint32_t)crc32(all, pcm + 2 * s->start, bytes);
		}
		at = s->end;
	}
	assert_int_equal(at, a->at);
	assert_int_equal(a->at, p->o.frames * p->o.frame);
	assert_int_equal(all, a->crc);
	assert_int_equal(a->samples[0] + a->samples[1] + a->samples[2], at);
	free(pcm);
	free(there);
}

static const struct row {
	const char *name;
	struct plan_options o;
} rows[] = {
	{ "clean", { 0 } },
	{ "loss", { .loss = 100000 } },
	{ "30 % in bursts", { .loss = 300000, .burst = 8 } },
	{ "all that may be lost", { .loss = 1000000 } },
	{ "reorder", { .reorder = 200000, .reorder_by = 2 } },
	{ "twice", { .duplicate = 300000 } },
	{ "jitter", { .jitter_us = 90000 } },
	{ "all at once", { .loss = 100000, .burst = 3, .reorder = 100000,
			   .reorder_by = 1, .duplicate = 100000,
			   .jitter_us = 30000 } },
	{ "pauses", { .talk = 50, .quiet = 30 } },
	{ "comfort noise", { .talk = 20, .quiet = 40, .cn = true } },
	{ "hold", { .hold_at = 100, .hold = 200 } },
	{ "digits", { .digits = "159*#D", .digits_at = 40 } },
	{ "digits and loss", { .digits = "0042", .digits_at = 7,
			       .loss = 200000 } },
};

static void test_the_account_is_what_the_packets_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct plan_options o = rows[i].o;
		struct plan p;

		print_message("  %s\n", rows[i].name);
		o.frame = 160;
		o.frames = 500;
		o.first_seq = 65000;   /* all wrap */
		o.first_ts = 0xfffff000;
		const size_t n = run(&p, &o, 1, i);

		check_account(&p, n);
		for (size_t k = 1; k < n; k++)
			assert_true(got[k].due_us >= got[k - 1].due_us);
		plan_free(&p);
	}
}

static void test_a_seed_is_a_stream(void **state)
{
	static struct plan_packet first[PACKETS_MAX];
	struct plan_options o = options(1000);
	struct plan p;

	(void)state;
	o.loss = o.reorder = o.duplicate = 50000;
	o.reorder_by = 1;
	o.jitter_us = 5000;
	const size_t n = run(&p, &o, 7, 3);

	plan_free(&p);
	memcpy(first, got, n * sizeof(*got));
	assert_int_equal(run(&p, &o, 7, 3), n);
	assert_memory_equal(first, got, n * sizeof(*got));
	plan_free(&p);
	run(&p, &o, 7, 4);
	assert_memory_not_equal(first, got, 100 * sizeof(*got));
	plan_free(&p);
	run(&p, &o, 8, 3);
	assert_memory_not_equal(first, got, 100 * sizeof(*got));
	plan_free(&p);
}

static const struct loss_row {
	uint32_t loss;
	unsigned burst;
} losses[] = {
	{ 10000, 0 }, { 50000, 0 }, { 300000, 0 }, { 50000, 1 },
	{ 50000, 4 }, { 100000, 10 }, { 300000, 5 },
};

/* Within five standard deviations. */
static void test_so_much_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		struct plan_options o = options(FRAMES_MAX);
		const double q = losses[i].loss / 1e6;
		uint64_t bursts = 0, lost;
		struct plan p;

		o.loss = losses[i].loss;
		o.burst = losses[i].burst;
		run(&p, &o, 5, i);
		lost = p.counts.lost;
		for (size_t k = 0; k < p.account.n; k++)
			bursts += p.account.spans[k].fate == FATE_LOST;
		plan_free(&p);

		/* of a chain with memory: (1 + r) / (1 - r), r = 1 - 1 / B */
		const double spread = FRAMES_MAX * q * (1 - q) *
				      (o.burst ? 2.0 * o.burst - 1 : 1);
		const double away = (double)lost - q * FRAMES_MAX;

		print_message("  %.1f %% burst %u: %.2f %%, mean %.2f\n",
			      100 * q, o.burst, 100.0 * (double)lost / FRAMES_MAX,
			      (double)lost / (double)bursts);
		assert_true(away * away < 25 * spread);
		if (o.burst) {
			const double mean = (double)lost / (double)bursts;

			assert_true(mean > 0.8 * o.burst);
			assert_true(mean < 1.25 * o.burst);
		}
	}
}

static void test_reordered_by_so_many(void **state)
{
	struct plan_options o = options(2000);
	struct plan p;
	unsigned found = 0;

	(void)state;
	for (o.reorder_by = 1; o.reorder_by <= 3; o.reorder_by++) {
		o.reorder = 20000;
		const size_t n = run(&p, &o, 11, o.reorder_by);

		found = 0;
		for (size_t i = 1; i < n; i++) {
			const int back = (int16_t)(got[i].seq - got[i - 1].seq);

			if (back < 0) {
				found++;
				assert_true(-back <= (int)o.reorder_by);
			}
		}
		assert_in_range(found, 1, p.counts.reordered);
		assert_in_range(p.counts.reordered, 10, 90);
		plan_free(&p);
	}
}

static void test_breaks_are_clean(void **state)
{
	struct plan_options o = options(300);
	struct plan p;

	(void)state;
	o.loss = 900000;
	o.duplicate = o.reorder = 900000;
	o.reorder_by = 2;
	o.ssrc_at = 100;
	o.jump_at = 200;
	o.jump = -160000;
	const size_t n = run(&p, &o, 3, 0);
	size_t at = 0;

	while (at < n && got[at].ssrc == got[0].ssrc)
		at++;
	assert_true(at > PLAN_CALM && at < n);
	for (size_t i = at - PLAN_CALM; i < at + PLAN_CALM; i++) {
		assert_int_equal(got[i].due_us, 20000 * (97 + i - (at - 3)));
		assert_false(got[i].copy);
	}
	assert_true(got[at].marker);
	assert_int_equal(json_array_size(p.account.breaks), 2);
	assert_int_equal(json_integer_value(json_array_get(json_array_get(
		p.account.breaks, 0), 0)), 16000);
	for (at = 0; at < n && got[at].due_us != 200 * 20000; at++)
		;
	assert_int_equal((int32_t)(got[at].ts - got[at - 1].ts), 160 - 160000);
	plan_free(&p);
}

/* RFC 4733 2.5.1: one timestamp, growing duration, marker first, end thrice. */
static void test_a_digit(void **state)
{
	struct plan_options o = options(100);
	struct plan p;
	size_t at = 0;

	(void)state;
	memcpy(o.digits, "#", 2);
	o.digits_at = 10;
	run(&p, &o, 1, 0);
	while (got[at].kind != PLAN_DIGIT)
		at++;
	for (unsigned k = 0; k < 7; k++) {
		const struct plan_packet *e = &got[at + k];
		const unsigned duration = 160 * (k < 5 ? k + 1 : 5);

		assert_int_equal(e->kind, PLAN_DIGIT);
		assert_int_equal(e->pt, 101);
		assert_int_equal(e->ts, got[0].ts + 1600);
		assert_int_equal(e->marker, k == 0);
		assert_int_equal(e->body[0], 11);
		assert_int_equal(e->body[1], k < 4 ? 10 : 0x8a);
		assert_int_equal(e->body[2] << 8 | e->body[3], duration);
		assert_int_equal((uint16_t)(e->seq - got[0].seq), 10 + k);
	}
	assert_int_equal(got[at + 7].kind, PLAN_AUDIO);
	assert_true(got[at + 7].marker);
	assert_int_equal(p.account.samples[FATE_SILENT], 800);
	plan_free(&p);
}

static void test_a_header(void **state)
{
	const struct plan_packet p = { .marker = true, .pt = 8, .seq = 0x1234,
				       .ts = 0x89abcdef, .ssrc = 0x01020304 };
	static const uint8_t want[] = { 0x80, 0x88, 0x12, 0x34, 0x89, 0xab,
					0xcd, 0xef, 1, 2, 3, 4 };
	uint8_t out[PLAN_HEADER];

	(void)state;
	plan_header(out, &p);
	assert_memory_equal(out, want, sizeof(want));
}

static int setup(void **state)
{
	(void)state;
	return sound_make(&sound);
}

static int teardown(void **state)
{
	(void)state;
	sound_free(&sound);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_account_is_what_the_packets_say),
		cmocka_unit_test(test_a_seed_is_a_stream),
		cmocka_unit_test(test_so_much_is_lost),
		cmocka_unit_test(test_reordered_by_so_many),
		cmocka_unit_test(test_breaks_are_clean),
		cmocka_unit_test(test_a_digit),
		cmocka_unit_test(test_a_header),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
