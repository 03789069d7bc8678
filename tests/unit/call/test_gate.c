/** @file test_gate.c  daemon/call/gate.c, with time and chance by hand */
#include "daemon/call/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/call/rng.h"

enum { TICKETS = 64, START_MS = 1000000 };

static struct gate *g;
static struct gate_ticket t[TICKETS];
static unsigned granted[4096], n_granted;
static unsigned changes;
static bool down;
static uint64_t now_ms;

static void on_granted(struct gate_ticket *x)
{
	assert_int_equal(x->state, TICKET_INSIDE);
	assert_true(n_granted < ARRAY_LEN(granted));
	granted[n_granted++] = (unsigned)(x - t);
}

static void on_changed(bool is_down, const struct reason *why, void *arg)
{
	assert_ptr_equal(arg, &changes);
	assert_non_null(why);
	assert_int_not_equal(is_down, down); /* news only */
	down = is_down;
	changes++;
}

static unsigned slowed;
static char slow_text[REASON_TEXT];

static void on_slow(const struct reason *why, void *arg)
{
	assert_ptr_equal(arg, &changes);
	slowed++;
	memcpy(slow_text, why->text, sizeof(slow_text));
}

static void begin(unsigned handshakes, double per_second)
{
	const struct gate_config cfg = {
		.handshakes = handshakes, .per_second = per_second,
		.changed = on_changed, .slow = on_slow, .arg = &changes,
	};

	n_granted = changes = slowed = 0;
	down = false;
	now_ms = START_MS;
	memset(t, 0, sizeof(t));
	for (unsigned i = 0; i < TICKETS; i++) {
		t[i].leg = i;
		t[i].granted = on_granted;
	}
	assert_int_equal(gate_new(&g, &cfg), 0);
}

static void finish(void)
{
	for (unsigned i = 0; i < TICKETS; i++)
		gate_cancel(g, &t[i]);
	gate_free(g);
}

static struct reason why(enum reason_class c)
{
	struct reason r = {0};

	reason_set(&r, c, 0, "%s", reason_name(c));
	return r;
}

static void failed(unsigned i, enum reason_class c, uint32_t random)
{
	const struct reason r = why(c);

	gate_failure(g, &t[i], &r, now_ms, random);
}

/* Enter, get in, and fail. */
static void try_and_fail(unsigned i, enum reason_class c)
{
	gate_enter(g, &t[i]);
	now_ms += 100;
	gate_run(g, now_ms);
	assert_int_equal(t[i].state, TICKET_INSIDE);
	failed(i, c, 0);
}

static void test_so_many_handshakes_at_a_time(void **state)
{
	(void)state;
	begin(3, 1000);
	for (unsigned i = 0; i < 6; i++)
		gate_enter(g, &t[i]);
	assert_int_equal(n_granted, 0); /* from gate_run() only */
	assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
	assert_int_equal(n_granted, 3);
	now_ms += 1000;
	assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
	assert_int_equal(n_granted, 3);
	gate_success(g, &t[1]);
	failed(0, REASON_TCP, 0);
	assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
	assert_int_equal(n_granted, 5);
	gate_cancel(g, &t[2]);
	gate_run(g, now_ms);
	assert_int_equal(n_granted, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(granted[i], i); /* the longest waiting first */
	finish();
}

/* The time gate_run() tells is the time it takes, and no more get in. */
static void test_so_many_a_second(void **state)
{
	static const struct {
		unsigned handshakes;
		double rate;
	} rows[] = { { 8, 50 }, { 1, 50 }, { 8, 1 }, { 2, 0.5 }, { 4, 333 } };

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		print_message("row: %u, %g/s\n", rows[r].handshakes,
			      rows[r].rate);
		begin(rows[r].handshakes, rows[r].rate);
		unsigned looks = 0;

		for (unsigned i = 0; i < TICKETS; i++)
			gate_enter(g, &t[i]);
		while (n_granted < TICKETS) {
			const unsigned before = n_granted;
			const uint64_t again = gate_run(g, now_ms);

			for (unsigned i = before; i < n_granted; i++)
				gate_success(g, &t[granted[i]]);
			/* rate * time + one burst */
			assert_true(n_granted <=
				    rows[r].handshakes + 1 +
					    (double)(now_ms - START_MS) *
						    rows[r].rate / 1000);
			if (again == UINT64_MAX)
				continue;
			assert_true(again > now_ms);
			now_ms = again;
			looks++;
		}
		assert_true(looks <= TICKETS + 5);
		const double wanted = (TICKETS - rows[r].handshakes) * 1000 /
				      rows[r].rate;
		const double took = (double)(now_ms - START_MS);

		assert_true(took >= wanted - 1 - 1000 / rows[r].rate);
		assert_true(took <= wanted + 2 * TICKETS);
		finish();
	}
}

static void test_defaults(void **state)
{
	(void)state;
	begin(0, 0);
	for (unsigned i = 0; i < TICKETS; i++)
		gate_enter(g, &t[i]);
	gate_run(g, now_ms);
	assert_int_equal(n_granted, 8);
	for (unsigned i = 0; i < 8; i++)
		gate_success(g, &t[i]);
	assert_in_range(gate_run(g, now_ms), now_ms + 20, now_ms + 21);
	finish();
	gate_free(NULL);
}

/* -- the breaker ------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t n;
	struct { unsigned leg; unsigned after_ms; } failures[6];
	bool opens;
} breakers[] = {
	{ "five of three legs", 5,
	  { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 0, 0 }, { 1, 0 } }, true },
	{ "five of five", 5,
	  { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 0 } }, true },
	{ "four of four", 4, { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 } }, false },
	{ "five of two legs", 5,
	  { { 0, 0 }, { 1, 0 }, { 0, 0 }, { 1, 0 }, { 0, 0 } }, false },
	{ "five of one", 5,
	  { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } }, false },
	{ "within ten seconds", 5,
	  { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 10000 } }, true },
	{ "over ten seconds", 5,
	  { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 }, { 4, 10001 } }, false },
	{ "the last five count", 6,
	  { { 0, 0 }, { 1, 9000 }, { 2, 0 }, { 3, 0 }, { 4, 1500 }, { 5, 0 } },
	  true },
};

static void test_what_opens_the_breaker(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(breakers); r++) {
		print_message("row: %s\n", breakers[r].name);
		begin(64, 1e6);
		for (size_t i = 0; i < breakers[r].n; i++) {
			struct gate_ticket *x = &t[i];

			x->leg = breakers[r].failures[i].leg;
			assert_null(gate_down(g));
			now_ms += breakers[r].failures[i].after_ms;
			gate_enter(g, x);
			gate_run(g, now_ms);
			failed((unsigned)i, REASON_SERVER, 0);
		}
		assert_int_equal(gate_down(g) != NULL, breakers[r].opens);
		assert_int_equal(down, breakers[r].opens);
		finish();
	}
}

/* Connections that were ready and then made no sense. */
static void test_protocol_errors_open_it_too(void **state)
{
	static const struct {
		const char *name;
		enum reason_class class;
		struct { unsigned leg; uint64_t after_ms; } lost[8];
		unsigned n;
		bool opens;
	} rows[] = {
		{ "five of three legs", REASON_PROTOCOL,
		  { { 1, 0 }, { 2, 2500 }, { 3, 2500 }, { 1, 2500 },
		    { 2, 2500 } }, 5, true },
		{ "the first too long ago", REASON_PROTOCOL,
		  { { 1, 0 }, { 2, 2500 }, { 3, 2500 }, { 1, 2500 },
		    { 2, 2501 } }, 5, false },
		{ "one leg, again and again", REASON_PROTOCOL,
		  { { 1, 0 }, { 1, 10 }, { 1, 10 }, { 1, 10 }, { 1, 10 },
		    { 1, 10 }, { 1, 10 } }, 7, false },
		{ "two legs", REASON_PROTOCOL,
		  { { 1, 0 }, { 2, 10 }, { 1, 10 }, { 2, 10 }, { 1, 10 } }, 5,
		  false },
		{ "the third leg behind many", REASON_PROTOCOL,
		  { { 2, 0 }, { 1, 10 }, { 1, 10 }, { 2, 10 }, { 3, 10 } }, 5,
		  true },
		{ "restarts say nothing", REASON_RESTART,
		  { { 1, 0 }, { 2, 10 }, { 3, 10 }, { 4, 10 }, { 5, 10 } }, 5,
		  false },
		{ "nor does the network", REASON_NETWORK,
		  { { 1, 0 }, { 2, 10 }, { 3, 10 }, { 4, 10 }, { 5, 10 } }, 5,
		  false },
		{ "what needs a person does at once", REASON_AUTH,
		  { { 1, 0 } }, 1, true },
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		const struct reason because = why(rows[r].class);

		print_message("row: %s\n", rows[r].name);
		begin(8, 1000);
		for (unsigned i = 0; i < rows[r].n; i++) {
			assert_null(gate_down(g));
			now_ms += rows[r].lost[i].after_ms;
			gate_lost(g, rows[r].lost[i].leg, &because, now_ms, 0);
		}
		assert_int_equal(gate_down(g) != NULL, rows[r].opens);
		finish();
	}
}

static void test_a_success_begins_anew(void **state)
{
	(void)state;
	begin(8, 1000);
	for (unsigned i = 0; i < 4; i++)
		try_and_fail(i, REASON_TCP);
	gate_enter(g, &t[9]);
	gate_run(g, now_ms);
	gate_success(g, &t[9]);
	for (unsigned i = 0; i < 4; i++)
		try_and_fail(i, REASON_TCP);
	assert_null(gate_down(g));
	try_and_fail(5, REASON_TCP);
	assert_non_null(gate_down(g));
	finish();
}

static void open_it(void)
{
	for (unsigned i = 0; i < 5; i++)
		try_and_fail(i, REASON_SERVER);
	assert_true(down);
}

static void test_one_probe_at_a_time_doubling_to_a_minute(void **state)
{
	static const unsigned waits_s[] = { 5, 10, 20, 40, 60, 60 };

	(void)state;
	begin(8, 1000);
	open_it();
	assert_int_equal(gate_down(g)->class, REASON_SERVER);
	for (unsigned i = 10; i < 30; i++)
		gate_enter(g, &t[i]);
	n_granted = 0;
	for (size_t w = 0; w < ARRAY_LEN(waits_s); w++) {
		const uint64_t at = now_ms + waits_s[w] * 1000;

		print_message("row: %u s\n", waits_s[w]);
		assert_int_equal(gate_run(g, now_ms), at);
		assert_int_equal(gate_run(g, at - 1), at);
		assert_int_equal(n_granted, w);
		now_ms = at;
		assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
		assert_int_equal(gate_run(g, now_ms + 9999), UINT64_MAX);
		assert_int_equal(n_granted, w + 1); /* one, whoever waits */
		now_ms += 1234;
		failed(granted[w], REASON_TIMEOUT, 0);
	}
	assert_int_equal(gate_down(g)->class, REASON_TIMEOUT);
	assert_int_equal(changes, 1);

	now_ms += 60000;
	gate_run(g, now_ms);
	gate_success(g, &t[granted[n_granted - 1]]);
	assert_null(gate_down(g));
	assert_int_equal(changes, 2);
	now_ms += 100;
	gate_run(g, now_ms);
	assert_int_equal(n_granted, 7 + 8);

	/* and the next time it is 5 s again */
	for (unsigned i = 7; i < 12; i++)
		failed(granted[i], REASON_SERVER, 0);
	assert_true(down);
	for (unsigned i = 12; i < 15; i++)
		gate_cancel(g, &t[granted[i]]);
	assert_int_equal(gate_run(g, now_ms), now_ms + 5000);
	finish();
}

/* Those who were inside when it opened: their failures are no news, and their
 * going leaves the probe alone. */
static void test_who_was_inside_when_it_opened(void **state)
{
	(void)state;
	begin(16, 1000);
	for (unsigned i = 0; i < 16; i++)
		gate_enter(g, &t[i]);
	gate_run(g, now_ms);
	assert_int_equal(n_granted, 16);
	for (unsigned i = 0; i < 5; i++)
		failed(i, REASON_SERVER, 0);
	assert_true(down);
	for (unsigned i = 5; i < 10; i++) {
		now_ms += 10;
		failed(i, REASON_SERVER, 0);
	}
	gate_enter(g, &t[20]);
	gate_enter(g, &t[21]);
	now_ms = START_MS + 5000;
	n_granted = 0;
	assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
	assert_int_equal(n_granted, 1);       /* 5 s after it opened */
	gate_cancel(g, &t[10]);
	failed(11, REASON_TCP, 0);
	assert_int_equal(gate_run(g, now_ms + 1), UINT64_MAX);
	assert_int_equal(n_granted, 1);       /* the probe is still out */
	failed(20, REASON_TCP, 0);
	assert_int_equal(gate_run(g, now_ms), now_ms + 10000);

	/* one of the old ones comes through after all: it is up */
	now_ms += 10000;
	assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
	assert_int_equal(t[21].state, TICKET_INSIDE);
	gate_success(g, &t[12]);
	assert_null(gate_down(g));
	failed(21, REASON_TCP, 0); /* the probe's failure is one of many now */
	assert_null(gate_down(g));
	finish();
}

static void test_what_needs_a_person_opens_at_once(void **state)
{
	static const enum reason_class classes[] = {
		REASON_AUTH, REASON_PAYMENT, REASON_TLS, REASON_CONFIG,
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(classes); c++) {
		print_message("row: %s\n", reason_name(classes[c]));
		begin(8, 1000);
		gate_enter(g, &t[0]);
		gate_enter(g, &t[1]);
		gate_run(g, now_ms);
		failed(0, classes[c], UINT32_MAX / 2);
		assert_int_equal(gate_down(g)->class, classes[c]);
		failed(1, classes[c], 0); /* the others see the same */
		gate_enter(g, &t[0]);
		const uint64_t again = gate_run(g, now_ms);

		assert_in_range(again, now_ms + 30000, now_ms + 60000);
		now_ms = again;
		gate_run(g, now_ms);
		assert_int_equal(t[0].state, TICKET_INSIDE);
		failed(0, classes[c], UINT32_MAX);
		gate_enter(g, &t[0]);
		assert_in_range(gate_run(g, now_ms), now_ms + 59999,
				now_ms + 60000);
		gate_reopen(g); /* a new key */
		assert_int_equal(gate_run(g, now_ms), UINT64_MAX);
		assert_int_equal(t[0].state, TICKET_INSIDE);
		gate_success(g, &t[0]);
		assert_null(gate_down(g));
		assert_int_equal(changes, 2);
		finish();
	}
}

/* -- quota --------------------------------------------------------------------------- */

static double rate_now(void)
{
	/* empty the purse, then see how long the next one takes */
	uint64_t again;

	for (unsigned i = 0; i < TICKETS; i++)
		if (t[i].state == TICKET_IDLE)
			gate_enter(g, &t[i]);
	n_granted = 0;
	while ((again = gate_run(g, now_ms)) == UINT64_MAX) {
		for (unsigned i = 0; i < TICKETS; i++)
			if (t[i].state == TICKET_INSIDE)
				gate_cancel(g, &t[i]);
		for (unsigned i = 0; i < TICKETS; i++)
			if (t[i].state == TICKET_IDLE)
				gate_enter(g, &t[i]);
	}
	for (unsigned i = 0; i < TICKETS; i++)
		gate_cancel(g, &t[i]);
	return 1000.0 / (double)(again - now_ms);
}

static void test_quota_halves_and_success_brings_back(void **state)
{
	(void)state;
	begin(4, 100);
	for (unsigned i = 0; i < 3; i++) {
		gate_enter(g, &t[0]);
		now_ms += 10000;
		gate_run(g, now_ms);
		failed(0, REASON_QUOTA, 0);
		now_ms += 10000;
	}
	/* 100 -> 50 -> 25 -> 12.5 a second: 80 ms */
	assert_true(rate_now() > 11 && rate_now() < 13);
	gate_enter(g, &t[0]);
	now_ms += 10000;
	gate_run(g, now_ms);
	gate_success(g, &t[0]);
	assert_true(rate_now() > 20 && rate_now() < 24); /* + 10 */
	for (unsigned i = 0; i < 20; i++) {
		gate_enter(g, &t[0]);
		now_ms += 10000;
		gate_run(g, now_ms);
		gate_success(g, &t[0]);
	}
	assert_true(rate_now() > 80 && rate_now() <= 100);

	/* never so slow that it stands still */
	for (unsigned i = 0; i < 50; i++)
		failed(1, REASON_QUOTA, 0);
	gate_enter(g, &t[2]);
	now_ms += 10000;
	finish();

	begin(4, 64);
	for (unsigned i = 0; i < 50; i++) {
		failed(0, REASON_QUOTA, 0);
		now_ms += 60000;
	}
	assert_true(rate_now() > 0.9 && rate_now() < 1.1);
	finish();
}

static void test_slow_down_is_told_once_a_minute(void **state)
{
	static const struct {
		const char *name;
		enum reason_class class;
		unsigned code;
		uint64_t after_ms;
		bool told;
	} rows[] = {
		{ "an error that is none of it", REASON_SERVER, 500, 0, false },
		{ "a refusal", REASON_TCP, 0, 0, false },
		{ "429", REASON_QUOTA, 429, 0, true },
		{ "at once again", REASON_QUOTA, 1013, 0, false },
		{ "not yet", REASON_QUOTA, 429, 59999, false },
		{ "a minute later", REASON_QUOTA, 1013, 1, true },
		{ "503 says so, too", REASON_SERVER, 503, 60000, true },
		{ "503 so soon", REASON_SERVER, 503, 59000, false },
		{ "without a code", REASON_QUOTA, 0, 100000, true },
	};
	struct reason r;

	(void)state;
	begin(4, 100);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const unsigned before = slowed;

		reason_set(&r, rows[i].class, rows[i].code, "%s", rows[i].name);
		now_ms += rows[i].after_ms;
		if (i % 2) { /* as it refuses one, or ends what was there */
			gate_enter(g, &t[0]);
			gate_run(g, now_ms);
			gate_failure(g, &t[0], &r, now_ms, 0);
		} else {
			gate_lost(g, 1, &r, now_ms, 0);
		}
		if ((slowed > before) != rows[i].told ||
		    (rows[i].told && strcmp(slow_text, rows[i].name) != 0))
			fail_msg("%s", rows[i].name);
	}
	finish();
}

/* -- giving up ------------------------------------------------------------------------ */

static void test_cancel_in_every_state(void **state)
{
	(void)state;
	begin(1, 1000);
	gate_cancel(g, &t[0]);           /* idle */
	gate_enter(g, &t[0]);
	gate_enter(g, &t[1]);
	gate_cancel(g, &t[0]);           /* waiting */
	gate_run(g, now_ms);
	assert_int_equal(granted[0], 1);
	gate_enter(g, &t[2]);
	gate_cancel(g, &t[1]);           /* inside */
	gate_cancel(g, &t[1]);
	now_ms += 10;
	gate_run(g, now_ms);
	assert_int_equal(granted[1], 2);
	gate_success(g, &t[2]);
	gate_cancel(g, &t[2]);           /* through */
	gate_free(g);

	/* a probe that is given up says nothing: the next may try at once */
	begin(8, 1000);
	open_it();
	gate_enter(g, &t[10]);
	gate_enter(g, &t[11]);
	now_ms += 5000;
	n_granted = 0;
	gate_run(g, now_ms);
	gate_cancel(g, &t[10]);
	assert_true(down);
	gate_run(g, now_ms);
	assert_int_equal(n_granted, 2);
	assert_int_equal(granted[1], 11);
	finish();
}

static void on_granted_cancel(struct gate_ticket *x)
{
	n_granted++;
	gate_cancel(g, x);
}

static void on_granted_fail(struct gate_ticket *x)
{
	n_granted++;
	failed((unsigned)(x - t), REASON_TCP, 0);
}

static void on_granted_again(struct gate_ticket *x)
{
	on_granted_cancel(x);
	gate_cancel(g, &t[2]); /* another one that waits */
	gate_run(g, now_ms);
}

static void test_granted_may_leave_at_once(void **state)
{
	(void)state;
	begin(2, 1e6);
	for (unsigned i = 0; i < 4; i++) {
		t[i].granted = on_granted_cancel;
		gate_enter(g, &t[i]);
	}
	now_ms += 100;
	while (gate_run(g, now_ms) != UINT64_MAX)
		now_ms++;
	assert_int_equal(n_granted, 4);

	t[0].granted = on_granted_again;
	n_granted = 0;
	for (unsigned i = 0; i < 4; i++)
		gate_enter(g, &t[i]);
	now_ms += 100;
	while (gate_run(g, now_ms) != UINT64_MAX)
		now_ms++;
	assert_int_equal(n_granted, 3);

	n_granted = 0;
	for (unsigned i = 0; i < 10; i++) {
		t[i].granted = on_granted_fail;
		gate_enter(g, &t[i]);
	}
	now_ms += 100;
	while (!down)
		gate_run(g, now_ms++);
	assert_int_equal(n_granted, 5);
	assert_in_range(gate_run(g, now_ms), now_ms + 4900, now_ms + 5000);
	finish();
}

/* Whatever happens, in any order: limits hold, nobody waits for ever. */
static void test_any_order(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		rng_seed(round + 1);
		begin(4, 20);
		for (unsigned i = 0; i < 3000; i++) {
			struct gate_ticket *x = &t[rng(TICKETS)];
			unsigned inside = 0;

			now_ms += rng(200);
			if (x->state == TICKET_IDLE)
				gate_enter(g, x);
			else if (rng(4) == 0)
				gate_cancel(g, x);
			else if (x->state == TICKET_INSIDE && rng(2))
				gate_success(g, x);
			else if (x->state == TICKET_INSIDE)
				failed((unsigned)(x - t),
				     (enum reason_class)(1 + rng(14)),
				     (uint32_t)rng(UINT32_MAX));
			n_granted = 0;
			const uint64_t again = gate_run(g, now_ms);
			assert_true(again > now_ms);
			assert_int_equal(gate_down(g) != NULL, down);
			for (unsigned k = 0; k < TICKETS; k++)
				inside += t[k].state == TICKET_INSIDE;
			assert_true(inside <= 4);
			/* told to wait for something that will happen */
			if (again == UINT64_MAX && !inside)
				for (unsigned k = 0; k < TICKETS; k++)
					assert_int_equal(t[k].state,
							 TICKET_IDLE);
			if (again != UINT64_MAX)
				assert_true(again <= now_ms + 60001);
		}
		finish();
	}
}

/* Who asks whether a new leg has a chance: the one who would try it has. */
static void test_down_for_long(void **state)
{
	(void)state;
	begin(8, 50);
	assert_false(gate_down_long(g, now_ms, 0));
	try_and_fail(0, REASON_AUTH); /* hopeless: no try for 30 s */
	const uint64_t since_ms = now_ms;

	assert_false(gate_down_long(g, since_ms, 0));
	assert_true(gate_down_long(g, since_ms + 1, 0));
	assert_false(gate_down_long(g, since_ms + 29999, 29999));
	assert_true(gate_down_long(g, since_ms + 29999, 29998));
	/* a try is due, and nobody is there to make it */
	assert_false(gate_down_long(g, since_ms + 30000, 20000));
	gate_enter(g, &t[1]);
	assert_true(gate_down_long(g, since_ms + 30000, 20000));
	now_ms = since_ms + 30000;
	gate_run(g, now_ms);
	assert_true(gate_down_long(g, now_ms, 20000));
	failed(1, REASON_AUTH, 0);
	assert_true(gate_down_long(g, now_ms + 1000, 30000));
	gate_enter(g, &t[2]);
	now_ms += 60000;
	gate_run(g, now_ms);
	gate_success(g, &t[2]);
	assert_false(gate_down_long(g, now_ms, 0));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_so_many_handshakes_at_a_time),
		cmocka_unit_test(test_so_many_a_second),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_what_opens_the_breaker),
		cmocka_unit_test(test_protocol_errors_open_it_too),
		cmocka_unit_test(test_a_success_begins_anew),
		cmocka_unit_test(test_one_probe_at_a_time_doubling_to_a_minute),
		cmocka_unit_test(test_who_was_inside_when_it_opened),
		cmocka_unit_test(test_what_needs_a_person_opens_at_once),
		cmocka_unit_test(test_quota_halves_and_success_brings_back),
		cmocka_unit_test(test_slow_down_is_told_once_a_minute),
		cmocka_unit_test(test_cancel_in_every_state),
		cmocka_unit_test(test_granted_may_leave_at_once),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_down_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
