/** @file test_timers.c  daemon/base/timers.c, against a list that is searched */
#include "daemon/base/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/list.h"

enum { TIMERS = 200 };

static struct timers *ts;

/* -- by hand -------------------------------------------------------------------- */

struct named {
	struct timer t;
	char name;
	struct timer *arm, *disarm; /* when due, once */
	uint64_t arm_at;
	bool freed;                 /* when due, with itself */
};

static char told[64];
static size_t n_told;
static uint64_t told_us[64];

static void on_named(struct timer *t, uint64_t now_us)
{
	struct named *n = list_item(t, struct named, t);

	assert_int_equal(timers_now_us(ts), now_us);
	told_us[n_told] = now_us;
	told[n_told++] = n->name;
	told[n_told] = '\0';
	if (n->disarm)
		timers_disarm(ts, n->disarm);
	if (n->arm)
		assert_int_equal(timers_arm(ts, n->arm, n->arm_at), 0);
	if (n->freed)
		free(n);
	else
		n->arm = n->disarm = NULL;
}

static struct named named(char name)
{
	return (struct named){ .t = { .due = on_named }, .name = name };
}

static int setup(void **state)
{
	(void)state;
	n_told = 0;
	told[0] = '\0';
	return timers_new(&ts);
}

static int teardown(void **state)
{
	(void)state;
	timers_free(ts);
	return 0;
}

static void test_by_time_then_by_arming(void **state)
{
	static const uint64_t due_us[] = { 100, 200, 200, 300 };
	struct named a = named('a'), b = named('b'), c = named('c'),
		     d = named('d');

	(void)state;
	assert_int_equal(timers_next_us(ts), UINT64_MAX);
	timers_arm(ts, &d.t, 300);
	timers_arm(ts, &b.t, 200);
	timers_arm(ts, &a.t, 100);
	timers_arm(ts, &c.t, 200);
	assert_int_equal(timers_next_us(ts), 100);
	timers_run(ts, 99);
	assert_string_equal(told, "");
	assert_int_equal(timers_now_us(ts), 99);
	timers_run(ts, 250);
	assert_string_equal(told, "abc");
	assert_int_equal(timers_next_us(ts), 300);
	timers_run(ts, 300);
	assert_string_equal(told, "abcd");
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(told_us[i], due_us[i]);
	assert_int_equal(timers_next_us(ts), UINT64_MAX);
}

static void test_arming_again_moves_it(void **state)
{
	struct named a = named('a'), b = named('b'), c = named('c');

	(void)state;
	timers_arm(ts, &a.t, 100);
	timers_arm(ts, &b.t, 100);
	timers_arm(ts, &c.t, 300);
	timers_arm(ts, &a.t, 400);
	timers_arm(ts, &c.t, 50);
	timers_disarm(ts, &b.t);
	timers_disarm(ts, &b.t);
	timers_run(ts, 1000);
	assert_string_equal(told, "ca");
}

static void test_the_past_is_due_now(void **state)
{
	struct named a = named('a');

	(void)state;
	timers_run(ts, 1000);
	timers_arm(ts, &a.t, 10);
	timers_run(ts, 1000);
	assert_string_equal(told, "a");
	assert_int_equal(told_us[0], 1000);
	timers_run(ts, 5); /* the clock does not go back */
	assert_int_equal(timers_now_us(ts), 1000);
}

static void test_callbacks_may_do_anything(void **state)
{
	struct named a = named('a'), b = named('b'), c = named('c');
	struct named *d = malloc(sizeof(*d));

	(void)state;
	assert_non_null(d);
	*d = named('d');
	d->freed = true;
	a.disarm = &b.t;            /* a due one that has not been called */
	a.arm = &a.t;               /* itself, in the same run */
	a.arm_at = 150;
	c.arm = &b.t;               /* beyond the run */
	c.arm_at = 500;
	timers_arm(ts, &a.t, 100);
	timers_arm(ts, &b.t, 100);
	timers_arm(ts, &d->t, 120);
	timers_arm(ts, &c.t, 120);
	timers_run(ts, 200);
	assert_memory_equal(told, "adca", 4);
	timers_run(ts, 1000);
	assert_string_equal(told + 4, "b");
	assert_int_equal(told_us[3], 150);
}

static void test_what_is_armed_at_the_end_is_forgotten(void **state)
{
	struct timers *other;
	struct named a = named('a');

	(void)state;
	assert_int_equal(timers_new(&other), 0);
	timers_arm(other, &a.t, 5);
	timers_free(other);
	timers_free(NULL);
	assert_int_equal(a.t.slot, 0);
	timers_disarm(ts, &a.t); /* not armed: nothing happens */
	timers_arm(ts, &a.t, 5);
	timers_run(ts, 5);
	assert_string_equal(told, "a");
}

/* -- at random ------------------------------------------------------------------- */

struct model {
	struct timer t;
	bool armed;
	uint64_t at_us, order;
};

static struct model models[TIMERS];
static uint64_t orders, seed;
static unsigned called;

static uint64_t chance(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % n;
}

static struct model *first(void)
{
	struct model *best = NULL;

	for (unsigned i = 0; i < TIMERS; i++)
		if (models[i].armed &&
		    (!best || models[i].at_us < best->at_us ||
		     (models[i].at_us == best->at_us &&
		      models[i].order < best->order)))
			best = &models[i];
	return best;
}

static void change_some(uint64_t now_us)
{
	struct model *m = &models[chance(TIMERS)];

	if (chance(4) == 0) {
		timers_disarm(ts, &m->t);
		m->armed = false;
		return;
	}
	/* few different times, so that many are equal; some in the past */
	const uint64_t at_us = now_us + chance(40) - (now_us ? chance(2) : 0);

	if (!m->armed || m->at_us != at_us)
		m->order = ++orders;
	m->armed = true;
	m->at_us = at_us;
	assert_int_equal(timers_arm(ts, &m->t, at_us), 0);
}

static void on_model(struct timer *t, uint64_t now_us)
{
	struct model *m = list_item(t, struct model, t);

	assert_ptr_equal(m, first());
	assert_true(now_us >= m->at_us);
	m->armed = false;
	called++;
	if (chance(3) == 0)
		change_some(now_us + 1);
}

static void test_like_a_list(void **state)
{
	uint64_t now_us = 0;

	(void)state;
	memset(models, 0, sizeof(models));
	seed = 0x9e3779b97f4a7c15u;
	orders = called = 0;
	for (unsigned i = 0; i < TIMERS; i++)
		models[i].t.due = on_model;
	for (unsigned step = 0; step < 20000; step++) {
		change_some(now_us);
		const struct model *m = first();

		assert_int_equal(timers_next_us(ts),
				 m ? m->at_us : UINT64_MAX);
		if (chance(8) == 0) {
			now_us += chance(20);
			timers_run(ts, now_us);
			m = first();
			assert_true(!m || m->at_us > now_us);
			assert_int_equal(timers_now_us(ts), now_us);
		}
	}
	assert_true(called > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_by_time_then_by_arming),
		T(test_arming_again_moves_it),
		T(test_the_past_is_due_now),
		T(test_callbacks_may_do_anything),
		T(test_what_is_armed_at_the_end_is_forgotten),
		T(test_like_a_list),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
