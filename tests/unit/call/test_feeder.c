/**
 * @file test_feeder.c  daemon/call/feeder.c, against a list of every sample
 *
 * The list holds what a connection should get, one entry a sample, decoded by
 * a decoder that saw every span whole.
 */
#include "daemon/call/feeder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"
#include "daemon/call/decoder.h"
#include "tests/unit/call/rng.h"

enum { LIST_MAX = 4000000, CHUNK_MAX = 8000 };

enum what { AUDIO, CONCEALED, SILENT, INSERTED };

struct sample {
	uint64_t leg;        /* INSERTED: nothing */
	uint64_t at_us;      /* of audio */
	uint64_t cut;        /* of the hole it is the last sample of */
	int16_t pcm;
	uint8_t what;
	uint8_t kind, raw;   /* AUDIO: of its span, and the byte it came as */
};

static struct {
	struct sample *list;
	size_t first, next;
	uint64_t sent;       /* leg position sent before */
	uint64_t at;         /* leg position of the next sample */
	uint64_t end;        /* of the leg */
	unsigned spans;
	uint64_t credit;     /* silence put in since the last span */
	const struct codec *codec; /* of the law the connection takes, or NULL */
	enum span_kind law;
	struct decoder *decoder;
	struct backlog *backlog;
} m;

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	m.list = calloc(LIST_MAX, sizeof(*m.list));
	return !m.list || decoder_new(&m.decoder) ||
	       backlog_new(&m.backlog, UINT64_MAX);
}

static int teardown(void **state)
{
	(void)state;
	free(m.list);
	decoder_free(m.decoder);
	backlog_free(m.backlog);
	return 0;
}

static void expect(const struct sample *s)
{
	assert_true(m.next < LIST_MAX);
	m.list[m.next++] = *s;
}

/* Another span for the leg; NULL: no feeder reads yet. */
static void put(struct feeder *f, enum span_kind kind, uint64_t len)
{
	uint8_t data[2 * DECODER_MAX];
	const struct span s = { .pos = m.end, .len = len, .kind = kind,
				.at_us = 1000 + 20000 * (uint64_t)++m.spans,
				.data = data };

	for (size_t i = 0; i < span_bytes(&s); i++)
		data[i] = (uint8_t)rng(256);
	assert_int_equal(backlog_put(m.backlog, &s), 0);
	if (f)
		feeder_more(f, &s);

	const int16_t *pcm = decoder_span(m.decoder, &s);
	const uint64_t most = m.credit < 39840 ? 40000 - m.credit : 160;
	const uint64_t worth = span_is_audio(&s) || len < most ? len : most;
	m.credit = 0;
	for (uint64_t i = 0; i < worth; i++)
		expect(&(struct sample){
			.leg = m.end + i,
			.at_us = span_is_audio(&s) ? s.at_us : 0,
			.cut = i + 1 == worth ? len - worth : 0,
			.pcm = pcm ? pcm[i] : 0,
			.what = span_is_audio(&s)      ? AUDIO
				: decoder_conceals(&s) ? CONCEALED
						       : SILENT,
			.kind = (uint8_t)kind,
			.raw = span_is_audio(&s) ? data[i] : 0,
		});
	m.end += len;
}

static void insert(struct feeder *f, uint64_t n)
{
	feeder_insert(f, n);
	m.credit += n;
	while (n--)
		expect(&(struct sample){ .what = INSERTED });
}

static struct feeder *begin(uint64_t from, uint64_t sent)
{
	struct feeder *f;

	m.sent = sent;
	m.at = from;
	assert_int_equal(feeder_new(&f, m.backlog, from, sent), 0);
	return f;
}

/* -- one chunk -------------------------------------------------------------------- */

struct want {
	struct feeder_taken taken;
	struct feeder_skip skip;
	uint64_t from_total;
};

static void count(struct want *w, const struct sample *s)
{
	const bool fresh = s->leg >= m.sent;

	if (s->what == INSERTED)
		return;
	if (s->what == AUDIO) {
		w->taken.fresh += fresh;
		w->taken.again += !fresh;
		w->taken.at_us = s->at_us;
	}
	w->taken.concealed += s->what == CONCEALED && fresh;
	m.at = s->leg + 1;
	if (s->cut && m.at + s->cut > m.sent)
		w->skip = (struct feeder_skip){ m.at, s->cut };
	m.at += s->cut;
	w->taken.upto = m.at;
}

/* In the law: what came in it as it came, everything else encoded. */
static void check_code(const struct feeder *f, size_t i, int16_t pcm,
		       const struct sample *s)
{
	uint8_t code;

	if (!m.codec)
		return;
	m.codec->encode(&code, &pcm, 1);
	if (s->what == AUDIO && s->kind == m.law)
		code = s->raw;
	if (feeder_codes(f)[i] != code)
		fail_msg("leg %zu: %02x, not %02x", (size_t)s->leg,
			 feeder_codes(f)[i], code);
}

/* Take `n`: each sample, its place on the leg, and the account are right.
 * `exact`: concealment, too (else the feeder began somewhere in the middle). */
static void take(struct feeder *f, size_t n, bool exact)
{
	static int16_t pcm[CHUNK_MAX];
	struct want w = { .from_total = positions_total(feeder_map(f)) };
	struct feeder_taken taken;
	struct feeder_skip skip;
	uint64_t last = 0;
	bool any = false;

	w.taken.upto = feeder_position(f);
	memset(pcm, 0x55, sizeof(pcm));
	assert_int_equal(feeder_take(f, pcm, n, &taken, &skip), 0);
	assert_int_equal(positions_total(feeder_map(f)), w.from_total + n);
	for (size_t i = 0; i < n; i++) {
		struct sample none = { .what = INSERTED };
		const struct sample *s =
			m.first < m.next ? &m.list[m.first++] : &none;
		const uint64_t at = w.from_total + i;

		if (pcm[i] != s->pcm && (exact || s->what != CONCEALED))
			fail_msg("leg %zu: %d, not %d", (size_t)s->leg, pcm[i],
				 s->pcm);
		if (s->what != INSERTED &&
		    positions_start(feeder_map(f), at) != s->leg)
			fail_msg("sample %zu is leg %zu, not %zu", (size_t)at,
				 (size_t)positions_start(feeder_map(f), at),
				 (size_t)s->leg);
		if (s->what != INSERTED) {
			any = true;
			last = s->leg + 1;
			assert_int_equal(positions_end(feeder_map(f), at + 1),
					 last);
		}
		check_code(f, i, pcm[i], s);
		count(&w, s);
	}
	assert_int_equal(taken.upto, w.taken.upto);
	assert_int_equal(taken.fresh, w.taken.fresh);
	assert_int_equal(taken.again, w.taken.again);
	assert_int_equal(taken.concealed, w.taken.concealed);
	assert_int_equal(taken.at_us, w.taken.at_us);
	assert_int_equal(skip.skipped, w.skip.skipped);
	if (skip.skipped)
		assert_int_equal(skip.at, w.skip.at);
	if (any && m.at > m.sent)
		m.sent = m.at;
	assert_int_equal(feeder_available(f), m.next - m.first);
}

static void put_any(struct feeder *f)
{
	switch (rng(12)) {
	case 0:
		put(f, SPAN_LOSS, 1 + rng(480));
		break;
	case 1:
		put(f, SPAN_SILENCE, 1 + rng(2000));
		break;
	case 2:
		put(f, rng(2) ? SPAN_LOSS : SPAN_SILENCE,
		    rng(8) ? 481 + rng(4000) : 39990 + rng(20));
		break;
	case 3:
		if (rng(10) == 0)
			put(f, rng(2) ? SPAN_LOSS : SPAN_SILENCE,
			    40000 + rng(9000000));
		break;
	default:
		put(f, (enum span_kind)rng(3),
		    rng(3) ? 160 : 1 + rng(DECODER_MAX));
	}
}

/* -- the tests ---------------------------------------------------------------------- */

static void test_any_chunks_give_the_same_samples(void **state)
{
	static const size_t chunks[] = { 1, 7, 160, 800, 4000, CHUNK_MAX, 0 };

	for (size_t c = 0; c < ARRAY_LEN(chunks); c++) {
		print_message("row: chunks of %zu\n", chunks[c]);
		rng_seed(c + 1);
		struct feeder *f = begin(0, 0);

		assert_int_equal(feeder_available(f), 0);
		for (unsigned i = 0; i < 900; i++) {
			const size_t n = chunks[c] ? chunks[c]
						   : 1 + rng(CHUNK_MAX);

			put_any(f);
			assert_int_equal(feeder_available(f),
					 m.next - m.first);
			while (feeder_available(f) >= n)
				take(f, n, true);
		}
		feeder_free(f);
		teardown(state);
		setup(state);
	}
	feeder_free(NULL);
}

/* G.711 for a service that takes it: both laws, each from all kinds. */
static void test_a_law_is_passed_through(void **state)
{
	for (enum span_kind law = SPAN_PCMU; law <= SPAN_PCMA; law++) {
		print_message("row: law %d\n", (int)law);
		rng_seed(law + 1);
		struct feeder *f = begin(0, 0);

		m.law = law;
		m.codec = codec_by_name(law == SPAN_PCMU ? "PCMU" : "PCMA");
		feeder_set_law(f, law);
		for (unsigned i = 0; i < 300; i++) {
			put_any(f);
			if (rng(9) == 0 && m.first == m.next)
				insert(f, 100);
			while (feeder_available(f) >= FEEDER_CODES_MAX)
				take(f, 1 + rng(FEEDER_CODES_MAX), true);
		}
		take(f, FEEDER_CODES_MAX, true); /* the end is padded */
		feeder_free(f);
		teardown(state);
		setup(state);
	}
}

/* Keep-alive silence goes where it was put, what is missing is padded. */
static void test_silence_stands_behind_what_was_held(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		rng_seed(round + 1);
		struct feeder *f = begin(m.end, m.end);
		size_t waits = 0;      /* list entry behind inserted silence */

		m.first = m.next;
		for (unsigned i = 0; i < 200; i++) {
			put_any(f);
			if (rng(6) == 0 && m.first >= waits) {
				insert(f, 1 + rng(900));
				waits = m.next;
			}
			if (rng(3) == 0)
				take(f, 1 + rng(2000), true);
		}
		feeder_free(f);
		m.first = m.next = 0;
	}
}

static void test_silence_that_waits_is_joined(void **state)
{
	int16_t pcm[400];
	struct feeder_taken taken;
	struct feeder_skip skip;
	uint64_t leg, n;

	(void)state;
	put(NULL, SPAN_PCMU, 160);
	struct feeder *f = begin(0, 0);

	feeder_insert(f, 30);
	put(f, SPAN_PCMU, 160);
	feeder_insert(f, 20);
	assert_int_equal(feeder_available(f), 370);
	assert_int_equal(feeder_take(f, pcm, 370, &taken, &skip), 0);
	assert_int_equal(taken.fresh, 320);
	assert_int_equal(positions_inserted_at(feeder_map(f), 0, &leg, &n), 1);
	assert_int_equal(leg, 160);
	assert_int_equal(n, 50);
	feeder_free(f);
}

static void test_a_long_hole_is_cut(void **state)
{
	static const struct {
		const char *name;
		uint64_t len;
		uint64_t skipped;
	} rows[] = {
		{ "5 s", 40000, 0 },
		{ "5 s and a sample", 40001, 1 },
		{ "an hour", 3600 * 8000, 3600 * 8000 - 40000 },
	};

	for (size_t r = 0; r < ARRAY_LEN(rows); r++)
		for (unsigned loss = 0; loss < 2; loss++) {
			print_message("row: %s\n", rows[r].name);
			put(NULL, SPAN_PCMU, 160);
			put(NULL, loss ? SPAN_LOSS : SPAN_SILENCE, rows[r].len);
			put(NULL, SPAN_PCMU, 160);
			struct feeder *f = begin(0, 0);

			assert_int_equal(feeder_available(f), 40320);
			for (unsigned i = 0; i < 6; i++)
				take(f, 6700, true);
			take(f, 120, true);
			assert_int_equal(feeder_position(f),
					 320 + rows[r].len);
			assert_int_equal(positions_end(feeder_map(f), 40160),
					 40160);
			assert_int_equal(positions_start(feeder_map(f), 40160),
					 40160 + rows[r].skipped);
			feeder_free(f);
			teardown(state);
			setup(state);
		}
}

/* Neither its samples nor silence in their place; no skip is told. */
static void test_a_pause_is_passed_over(void **state)
{
	static uint8_t data[160];
	int16_t pcm[320];
	struct feeder_taken taken;
	struct feeder_skip skip;
	struct feeder *f;
	const struct span spans[] = {
		{ .pos = 0, .len = 160, .kind = SPAN_PCMU, .data = data },
		{ .pos = 160, .len = 8000, .kind = SPAN_PAUSED },
		{ .pos = 8160, .len = 160, .kind = SPAN_PCMU, .data = data },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		assert_int_equal(backlog_put(m.backlog, &spans[i]), 0);
	for (uint64_t from = 0; from <= 8160; from += 80) {
		const size_t n = from < 160 ? (size_t)(320 - from) : 160;

		assert_int_equal(feeder_new(&f, m.backlog, from, 0), 0);
		assert_int_equal(feeder_available(f), n);
		assert_int_equal(feeder_take(f, pcm, n, &taken, &skip), 0);
		assert_int_equal(taken.fresh, n);
		assert_int_equal(taken.upto, 8320);
		assert_int_equal(skip.skipped, 0);
		assert_int_equal(feeder_available(f), 0);
		assert_int_equal(positions_start(feeder_map(f), n - 160), 8160);
		assert_int_equal(positions_end(feeder_map(f), n), 8320);
		if (from < 160)
			assert_int_equal(positions_end(feeder_map(f), n - 160),
					 160);
		feeder_free(f);
	}
}

/* What a second connection gets of what the first one got: from any position,
 * the same but for concealment that had another past. */
static void test_again_from_the_middle(void **state)
{
	(void)state;
	rng_seed(3);
	for (unsigned i = 0; i < 300; i++)
		put_any(NULL);
	put(NULL, SPAN_SILENCE, 100000);
	for (unsigned i = 0; i < 20; i++)
		put_any(NULL);
	for (unsigned round = 0; round < 300; round++) {
		const uint64_t from = round == 0 ? 0
				      : round == 1 ? m.end
						   : rng(m.end);
		const uint64_t sent = rng(3) ? from + rng(20000) : from;

		for (m.first = 0; m.first < m.next; m.first++)
			if (m.list[m.first].leg >= from)
				break;
		/* a hole's rest that is skipped, again or not */
		struct feeder *f = begin(from, sent);
		const bool in_cut = m.first && m.first < m.next &&
				    m.list[m.first].leg != from;

		assert_int_equal(feeder_available(f), m.next - m.first);
		if (in_cut && m.list[m.first].leg > sent)
			count(&(struct want){0}, &m.list[m.first - 1]);
		for (unsigned i = 0; !in_cut && i < 20 && m.first < m.next; i++)
			take(f, 1 + rng(3000), false);
		if (in_cut) { /* the samples alone; the skip is told anew */
			struct feeder_taken taken;
			struct feeder_skip skip;
			int16_t pcm;

			assert_int_equal(feeder_take(f, &pcm, 1, &taken,
						     &skip), 0);
			assert_int_equal(positions_start(feeder_map(f), 0),
					 m.list[m.first].leg);
			assert_int_equal(skip.skipped > 0,
					 m.list[m.first].leg > sent);
		}
		feeder_free(f);
	}
}

static void test_before_there_is_anything(void **state)
{
	(void)state;
	put(NULL, SPAN_PCMU, 160);
	m.first = m.next;

	struct feeder *f = begin(160, 160); /* all of it is settled */

	assert_int_equal(feeder_available(f), 0);
	assert_int_equal(feeder_position(f), 160);
	assert_int_equal(positions_start(feeder_map(f), 0), 160);
	take(f, 80, true);                  /* padding */
	assert_int_equal(feeder_position(f), 160);
	put(f, SPAN_PCMA, 160);
	take(f, 160, true);
	assert_int_equal(feeder_position(f), 320);
	feeder_free(f);
}

/* The backlog dropped its oldest spans, perhaps the one being read, perhaps
 * all: what was dropped is neither sent nor counted. */
static void test_overtaken(void **state)
{
	static const struct {
		const char *name;
		size_t take;
		unsigned drop;
		size_t gone;      /* samples of the list that do not come */
		uint64_t position;
	} rows[] = {
		{ "behind it", 400, 2, 0, 400 },
		{ "the one it reads", 400, 3, 80, 480 },
		{ "what it would read next", 320, 3, 160, 480 },
		{ "several, one half read", 100, 4, 540, 640 },
		{ "all, one half read", 100, 5, 700, 800 },
		{ "all, nothing read", 0, 5, 800, 800 },
	};

	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct span s;

		print_message("row: %s\n", rows[r].name);
		for (unsigned i = 0; i < 5; i++)
			put(NULL, SPAN_PCMU, 160);
		struct feeder *f = begin(0, 0);

		if (rows[r].take)
			take(f, rows[r].take, true);
		for (unsigned i = 0; i < rows[r].drop; i++)
			assert_int_equal(backlog_drop(m.backlog, &s), 1);
		feeder_overtaken(f);
		m.first += rows[r].gone;
		assert_int_equal(feeder_position(f), rows[r].position);
		assert_int_equal(feeder_available(f), m.next - m.first);
		put(f, SPAN_PCMU, 160);
		insert(f, 10);
		put(f, SPAN_PCMU, 160);
		take(f, 300, false);
		take(f, 500, false);
		feeder_free(f);
		teardown(state);
		setup(state);
	}
}

/* The number of the span it reads: older ones go unnoticed. */
static void test_which_span_it_reads(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put(NULL, SPAN_PCMU, 160);
	struct feeder *f = begin(200, 200);

	m.first = 200;
	assert_int_equal(feeder_span(f), 1);
	assert_int_equal(feeder_position(f), 200);
	take(f, 119, true);
	assert_int_equal(feeder_span(f), 1);
	take(f, 1, true);
	assert_int_equal(feeder_span(f), 2);
	take(f, 161, true);
	assert_int_equal(feeder_span(f), 3);
	feeder_free(f);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_any_chunks_give_the_same_samples),
		T(test_a_law_is_passed_through),
		T(test_silence_stands_behind_what_was_held),
		T(test_silence_that_waits_is_joined),
		T(test_a_long_hole_is_cut),
		T(test_again_from_the_middle),
		T(test_before_there_is_anything),
		T(test_a_pause_is_passed_over),
		T(test_overtaken),
		T(test_which_span_it_reads),
	};
#undef T

	return cmocka_run_group_tests(tests, NULL, NULL);
}
