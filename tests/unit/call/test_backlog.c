/** @file test_backlog.c  daemon/call/backlog.c, against an array of all spans */
#include "daemon/call/backlog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

enum { SPANS_MAX = 40000 };

static struct {
	struct span spans[SPANS_MAX];   /* every one there ever was */
	size_t first, next;
	uint64_t end;
} model;

/* Bytes that tell where they belong: any of another span's would be seen. */
static uint8_t byte_at(uint64_t n, size_t i)
{
	return (uint8_t)(n * 131 + i * 7 + (i >> 8));
}

static struct span span_make(enum span_kind kind, uint64_t len)
{
	struct span s = { .pos = model.end, .len = len, .kind = kind,
			  .at_us = model.next * 20000 + 1 };
	const size_t bytes = span_bytes(&s);
	uint8_t *data = bytes ? malloc(bytes) : NULL;

	for (size_t i = 0; i < bytes; i++)
		data[i] = byte_at(model.next, i);
	s.data = data;
	return s;
}

static void put(struct backlog *b, enum span_kind kind, uint64_t len)
{
	struct span s = span_make(kind, len);

	assert_int_equal(backlog_put(b, &s), 0);
	free((void *)(uintptr_t)s.data); /* it was copied */
	s.data = NULL;
	model.spans[model.next++] = s;
	model.end += len;
}

static void check_span(const struct span *s, uint64_t n)
{
	const struct span *m = &model.spans[n];

	assert_int_equal(s->pos, m->pos);
	assert_int_equal(s->len, m->len);
	assert_int_equal(s->at_us, m->at_us);
	assert_int_equal(s->kind, m->kind);
	if (!span_is_audio(m)) {
		assert_null(s->data);
		return;
	}
	for (size_t i = 0; i < span_bytes(m); i++)
		if (s->data[i] != byte_at(n, i))
			fail_msg("span %zu, byte %zu", (size_t)n, i);
}

static uint64_t held(void)
{
	uint64_t sum = 0;

	for (size_t i = model.first; i < model.next; i++)
		sum += span_is_audio(&model.spans[i]) ? model.spans[i].len : 0;
	return sum;
}

static uint64_t find(uint64_t pos)
{
	size_t i = model.first;

	while (i < model.next &&
	       model.spans[i].pos + model.spans[i].len <= pos)
		i++;
	return i;
}

static void check_one(const struct backlog *b, uint64_t n)
{
	struct span s = { .pos = 4711 };

	if (n >= model.first && n < model.next) {
		assert_int_equal(backlog_span(b, n, &s), 1);
		check_span(&s, n);
	} else {
		assert_int_equal(backlog_span(b, n, &s), 0);
		assert_int_equal(s.pos, 4711);
	}
}

static void check(const struct backlog *b, bool every)
{
	assert_int_equal(backlog_first(b), model.first);
	assert_int_equal(backlog_next(b), model.next);
	assert_int_equal(backlog_end(b), model.end);
	check_one(b, model.first);
	check_one(b, model.next - 1);
	check_one(b, model.next);
	check_one(b, model.first - 1);
	for (size_t i = model.first; every && i < model.next; i++)
		check_one(b, i);
}

static struct backlog *begin(uint64_t limit)
{
	struct backlog *b;

	memset(&model, 0, sizeof(model));
	assert_int_equal(backlog_new(&b, limit), 0);
	return b;
}

static void test_an_empty_one(void **state)
{
	struct backlog *b = begin(8000);
	struct span s;

	(void)state;
	assert_int_equal(backlog_first(b), 0);
	assert_int_equal(backlog_next(b), 0);
	assert_int_equal(backlog_end(b), 0);
	assert_int_equal(backlog_find(b, 0), 0);
	assert_int_equal(backlog_find(b, 99), 0);
	assert_int_equal(backlog_span(b, 0, &s), 0);
	assert_int_equal(backlog_drop(b, &s), 0);
	assert_false(backlog_over(b));
	backlog_forget(b, 1000);
	backlog_free(b);
	backlog_free(NULL);
}

static void test_over_the_limit(void **state)
{
	struct backlog *b = begin(320);
	struct span s;

	(void)state;
	put(b, SPAN_PCMU, 160);
	put(b, SPAN_SILENCE, 1000000); /* a hole is not audio */
	put(b, SPAN_L16, 160);
	assert_false(backlog_over(b));
	put(b, SPAN_PCMA, 1);
	assert_true(backlog_over(b));
	assert_int_equal(backlog_drop(b, &s), 1);
	check_span(&s, 0);
	model.first++;
	assert_false(backlog_over(b));
	check(b, true);
	backlog_free(b);
}

/* What makes no sound is bounded, too: comfort noise for hours. */
static void test_holes_without_end_are_over_the_limit(void **state)
{
	struct backlog *b = begin(240000);
	size_t over = 0;

	(void)state;
	put(b, SPAN_PCMU, 160);
	while (model.next < SPANS_MAX) {
		put(b, model.next % 2 ? SPAN_SILENCE : SPAN_LOSS, 160);
		over = over ? over : backlog_over(b) ? model.next : 0;
	}
	assert_in_range(over, 24000, SPANS_MAX);
	backlog_free(b);
}

/* One of each kind of use; random lengths make both rings wrap and grow. */
static const struct {
	const char *name;
	uint64_t limit;
	unsigned steps;
	unsigned len;        /* longest audio span [samples] */
	unsigned holes;      /* of 100 spans */
	unsigned forgets;    /* of 100 steps */
} scripts[] = {
	{ "steady 20 ms", 1600, 20000, 1, 0, 0 },
	{ "all lengths", 12000, 20000, 1500, 10, 0 },
	{ "mostly holes", 4000, 20000, 400, 90, 2 },
	{ "settled as it goes", 240000, 20000, 400, 10, 10 },
	{ "grows for long, then is forgotten", 240000, 6000, 1500, 5, 0 },
	{ "tiny spans", 500, 30000, 3, 20, 5 },
	{ "nothing is ever kept", 0, 3000, 300, 20, 0 },
};

static void step(struct backlog *b, size_t s)
{
	struct span out;

	if (rng(100) < scripts[s].forgets) {
		const uint64_t pos = model.end - rng(model.end / 2 + 1);

		backlog_forget(b, pos);
		while (model.first < model.next &&
		       model.spans[model.first].pos +
			       model.spans[model.first].len <= pos)
			model.first++;
	} else if (rng(100) < scripts[s].holes) {
		put(b, rng(2) ? SPAN_SILENCE : SPAN_LOSS,
		    1 + rng(rng(4) ? 500 : 9000000));
	} else {
		put(b, (enum span_kind)rng(3),
		    scripts[s].len == 1 ? 160 : 1 + rng(scripts[s].len));
	}
	assert_int_equal(backlog_over(b), held() > scripts[s].limit);
	while (backlog_over(b)) {
		assert_int_equal(backlog_drop(b, &out), 1);
		check_span(&out, model.first++);
		assert_int_equal(backlog_over(b), held() > scripts[s].limit);
	}
}

static void test_like_an_array(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(scripts); s++) {
		struct backlog *b = begin(scripts[s].limit);

		print_message("row: %s\n", scripts[s].name);
		rng_seed(s + 1);
		for (unsigned i = 0; i < scripts[s].steps; i++) {
			step(b, s);
			check(b, i % 97 == 0);
			const uint64_t pos = rng(model.end + 100);

			if (i % 7 == 0)
				assert_int_equal(backlog_find(b, pos),
						 find(pos));
		}
		backlog_forget(b, model.end);
		assert_int_equal(backlog_first(b), model.next);
		model.first = model.next;
		check(b, true);
		put(b, SPAN_L16, 2000); /* and on */
		check(b, true);
		backlog_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one),
		cmocka_unit_test(test_over_the_limit),
		cmocka_unit_test(test_holes_without_end_are_over_the_limit),
		cmocka_unit_test(test_like_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
