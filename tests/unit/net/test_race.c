/** @file test_race.c  Which address wins, and silence after closing */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/net/race.h"
#include "daemon/net/stream.h"

/* -- peers: one that listens, one that refuses, one that says nothing ------- */

enum { FILLERS = 16 };

struct peer {
	int fd;
	int filler[FILLERS]; /* connections that fill its queue */
	size_t n;
	struct addr at;
};

/* Loopback has many addresses: each peer gets 127.0.0.`last`. */
static void peer_open(struct peer *p, uint8_t last, int backlog)
{
	const uint8_t ip[4] = { 127, 0, 0, last };
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	*p = (struct peer){ .at = addr_v4(ip, 0) };
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	len = addr_to_sockaddr(&sa, &p->at);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(p->fd, backlog), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(addr_from_sockaddr(&p->at, (struct sockaddr *)&sa), 0);
}

static void peer_close(struct peer *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->filler[i]);
	if (p->fd >= 0)
		close(p->fd);
}

static void listens(struct peer *p, uint8_t last)
{
	peer_open(p, last, 128);
}

static void refuses(struct peer *p, uint8_t last)
{
	peer_open(p, last, 128);
	close(p->fd);
	p->fd = -1;
}

/* Its queue is full: the kernel drops every further SYN. */
static void is_silent(struct peer *p, uint8_t last)
{
	struct pollfd w = { .events = POLLOUT };

	peer_open(p, last, 0);
	do {
		struct sockaddr_storage sa;
		const socklen_t len = addr_to_sockaddr(&sa, &p->at);

		assert_true(p->n < FILLERS);
		w.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(w.fd >= 0);
		p->filler[p->n++] = w.fd;
		connect(w.fd, (struct sockaddr *)&sa, len);
	} while (poll(&w, 1, 0) == 1);
}

/* -- a run ------------------------------------------------------------------- */

struct run {
	uv_loop_t loop;
	struct race *race;
	struct stream *won;
	struct reason why;
	unsigned calls, events;
	struct addr peer;
	uint64_t began_ns, took_ms;
};

static void on_event(void *arg)
{
	((struct run *)arg)->events++;
}

static void on_race(struct stream *s, const struct reason *why, void *arg)
{
	static const struct stream_cb cb = { .open = on_event };
	struct run *r = arg;

	assert_non_null(r->race);
	r->calls++;
	r->took_ms = (uv_hrtime() - r->began_ns) / 1000000;
	if (s) {
		stream_adopt(s, &cb, r);
		r->peer = stream_peer(s);
		r->won = s;
	} else {
		r->why = *why;
	}
	race_close(r->race); /* as a receiver may */
	r->race = NULL;
	stream_close(r->won);
}

static void begin(struct run *r, const struct race_options *o)
{
	*r = (struct run){ .began_ns = uv_hrtime() };
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(race_open(&r->race, &r->loop, o, on_race, r), 0);
	assert_int_equal(r->calls, 0);
}

static void end(struct run *r)
{
	uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

static struct run whole(const struct race_options *o)
{
	struct run r;

	begin(&r, o);
	end(&r);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.events, 0); /* it was open already */
	return r;
}

static void test_who_wins(void **state)
{
	enum { LISTENS, REFUSES, SILENT, END };
	enum { LONG = 60000, SOON = 30 };
	static const struct {
		const char *name;
		int kind[4];
		uint32_t timeout_ms, next_ms;
		int winner;      /* -1: nobody */
		const char *words;
	} rows[] = {
		{ "one that listens", { LISTENS, END }, LONG, LONG, 0, "" },
		{ "the first of two", { LISTENS, LISTENS, END }, LONG, LONG, 0,
		  "" },
		{ "the second at once when the first refuses",
		  { REFUSES, LISTENS, END }, LONG, LONG, 1, "" },
		{ "the third after two refusals",
		  { REFUSES, REFUSES, LISTENS, END }, LONG, LONG, 2, "" },
		{ "the second while the first is silent",
		  { SILENT, LISTENS, END }, LONG, SOON, 1, "" },
		{ "the last while two are silent",
		  { SILENT, SILENT, LISTENS, END }, LONG, SOON, 2, "" },
		{ "the second when the first's time is up",
		  { SILENT, LISTENS, END }, SOON, LONG, 1, "" },
		{ "the last past silence and refusal",
		  { SILENT, REFUSES, LISTENS, END }, LONG, SOON, 2, "" },
		{ "nobody: one refuses", { REFUSES, END }, LONG, LONG, -1,
		  "refused" },
		{ "nobody: one is silent", { SILENT, END }, SOON, LONG, -1,
		  "within 30 ms" },
		{ "nobody: the first is told of, though it fails last",
		  { SILENT, REFUSES, END }, 4 * SOON, SOON, -1,
		  "within 120 ms; check firewall and route; 1 more tried" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static void (*const open[])(struct peer *, uint8_t) = {
			listens, refuses, is_silent,
		};
		struct peer peer[4];
		struct addr to[4];
		struct race_options o = {
			.to = to, .timeout_ms = rows[i].timeout_ms,
			.next_ms = rows[i].next_ms,
		};

		for (; rows[i].kind[o.n] != END; o.n++) {
			open[rows[i].kind[o.n]](&peer[o.n],
						(uint8_t)(10 + o.n));
			to[o.n] = peer[o.n].at;
		}
		const struct run r = whole(&o);

		if (rows[i].winner >= 0
			    ? !r.won || !addr_equal(&r.peer,
						    &to[rows[i].winner])
			    : r.won || r.why.class != REASON_TCP ||
				      !strstr(r.why.text, rows[i].words))
			fail_msg("%s: %s", rows[i].name, r.why.text);
		for (size_t k = 0; k < o.n; k++)
			peer_close(&peer[k]);
	}
}

static void test_the_next_is_tried_after_250_ms(void **state)
{
	struct peer silent, good;

	(void)state;
	is_silent(&silent, 10);
	listens(&good, 11);

	const struct addr to[] = { silent.at, good.at };
	const struct race_options o = { .to = to, .n = 2, .timeout_ms = 60000 };
	const struct run r = whole(&o);

	assert_true(addr_equal(&r.peer, &good.at));
	assert_true(r.took_ms >= 245); /* timers count whole milliseconds */
	peer_close(&silent);
	peer_close(&good);
}

static void drain_queue(uv_timer_t *t)
{
	struct peer *p = t->data;

	for (size_t i = 0; i < 2; i++) {
		const int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK);

		if (fd >= 0)
			close(fd);
	}
	uv_close((uv_handle_t *)t, NULL);
}

/* Both are silent at first; then the first one's queue gets room, and the SYN
 * that the kernel repeats after a second is answered. */
static void test_the_first_goes_on_while_others_are_tried(void **state)
{
	struct peer first, second;
	uv_timer_t timer;
	struct run r;

	(void)state;
	is_silent(&first, 10);
	is_silent(&second, 11);

	const struct addr to[] = { first.at, second.at };
	const struct race_options o = {
		.to = to, .n = 2, .timeout_ms = 60000, .next_ms = 10,
	};

	begin(&r, &o);
	uv_timer_init(&r.loop, &timer);
	timer.data = &first;
	uv_timer_start(&timer, drain_queue, 50, 0);
	end(&r);
	assert_int_equal(r.calls, 1);
	assert_true(addr_equal(&r.peer, &first.at));
	peer_close(&first);
	peer_close(&second);
}

/* Closed after so many turns of the loop: from before the first attempt to
 * while several run. */
static void test_closed_is_silent(void **state)
{
	struct peer silent, bad, good;

	(void)state;
	is_silent(&silent, 10);
	refuses(&bad, 11);
	listens(&good, 12);
	for (unsigned turns = 0; turns < 6; turns++) {
		const struct addr to[] = { silent.at, bad.at, silent.at,
					   good.at };
		const struct race_options o = {
			.to = to, .n = 4, .timeout_ms = 1000, .next_ms = 5,
		};
		struct run r;

		begin(&r, &o);
		for (unsigned i = 0; i < turns && r.race; i++)
			uv_run(&r.loop, UV_RUN_ONCE);
		const unsigned calls = r.calls;

		race_close(r.race);
		r.race = NULL;
		end(&r);
		assert_int_equal(r.calls, calls);
	}
	race_close(NULL);
	peer_close(&silent);
	peer_close(&bad);
	peer_close(&good);
}

static void test_no_address(void **state)
{
	const struct race_options o = { .timeout_ms = 1 };
	struct race *r = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(race_open(&r, &loop, &o, on_race, NULL), -EINVAL);
	assert_null(r);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_families_take_turns(void **state)
{
	static const char *const rows[][2] = { /* digit: address; case: family */
		{ "", "" },         { "a", "a" },
		{ "A", "A" },       { "abc", "abc" },
		{ "aB", "aB" },     { "abAB", "aAbB" },
		{ "ABab", "AaBb" }, { "abcA", "aAbc" },
		{ "AabcB", "AaBbc" }, { "aABC", "aABC" },
		{ "abcABCDE", "aAbBcCDE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a[16] = { { .port = 0 } };
		char got[17] = "";
		const size_t n = strlen(rows[i][0]);

		for (size_t k = 0; k < n; k++) {
			a[k].port = (uint16_t)(unsigned char)rows[i][0][k];
			a[k].family = rows[i][0][k] >= 'a' ? 6 : 4;
		}
		race_order(a, n);
		for (size_t k = 0; k < n; k++)
			got[k] = (char)a[k].port;
		if (strcmp(got, rows[i][1]) != 0)
			fail_msg("%s: %s", rows[i][0], got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_wins),
		cmocka_unit_test(test_the_next_is_tried_after_250_ms),
		cmocka_unit_test(test_the_first_goes_on_while_others_are_tried),
		cmocka_unit_test(test_closed_is_silent),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_families_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
