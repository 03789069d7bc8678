/** @file test_tcp_streams.c  daemon/net/tcp_streams.c and tcp_order.c */
#include "daemon/net/tcp_streams.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "tests/unit/net/hex.h"

enum { STEPS = 12, MS = 1000, S = 1000 * 1000 };

/* Flags as tcpdump writes them; '+': ACK */
struct step {
	uint64_t at_us;
	char dir;             /* '>' from 192.0.2.1:40000, '<' back; 't' tick */
	uint32_t seq;
	const char *flags;
	const char *data;     /* "~" stands for a byte the capture cut off */
	const char *want;     /* Events: ">bytes" "<bytes", ">!" lost, ">." end;
				 blank between them */
	uint32_t ack;
};

static const struct script {
	const char *name;
	uint16_t port;        /* 0: 5060 */
	uint32_t isn;         /* Added to every seq and ack */
	struct step steps[STEPS];
	const char *flush;    /* What tcp_streams_flush() hands out */
} scripts[] = {
	{ "a whole connection", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '<', 100, "S+", "", "", 1 },
		{ 2, '>', 1, "+", "abc", ">abc", 101 },
		{ 3, '<', 101, "+", "xy", "<xy", 4 },
		{ 4, '>', 4, "+", "de", ">de", 103 },
		{ 5, '>', 6, "F+", "f", ">f >.", 103 },
		{ 6, '<', 103, "F+", "", "<.", 8 },
		{ 7, '>', 8, "+", "", "", 104 } }, "" },
	{ "sequence numbers wrap", 0, 0xfffffffe, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 1, "+", "abcd", ">abcd", 0 },
		{ 2, '>', 6, "+", "f", "", 0 },
		{ 3, '>', 5, "+", "e", ">e >f", 0 } }, ">." },
	{ "the capture begins in the middle", 0, 7777, {
		{ 0, '<', 500, "+", "abc", "<abc", 9 },
		{ 1, '>', 9, "+", "d", ">d", 503 } }, "<. >." },
	{ "only an ACK is nothing yet", 0, 0, {
		{ 0, '>', 5, "+", "", "", 9 },
		{ 1, '>', 7, "+", "a", ">a", 9 } }, ">." },
	{ "repeated", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 1, "+", "abc", ">abc", 0 },
		{ 2, '>', 1, "+", "abc", "", 0 },
		{ 3, '>', 2, "+", "bc", "", 0 },
		{ 4, '>', 0, "S", "", "", 0 },
		{ 5, '>', 4, "+", "d", ">d", 0 } }, ">." },
	{ "keep-alive probes", 0, 0, {
		{ 1, '>', 1, "+", "abc", ">abc", 0 },
		{ 2, '>', 3, "+", "z", "", 0 },
		{ 3, '>', 3, "+", "", "", 0 },
		{ 4, '>', 4, "+", "d", ">d", 0 } }, ">." },
	{ "repeated with more behind", 0, 0, {
		{ 1, '>', 1, "+", "abc", ">abc", 0 },
		{ 2, '>', 1, "+", "abcdef", ">def", 0 },
		{ 3, '>', 3, "+", "cdefgh", ">gh", 0 } }, ">." },
	{ "out of order", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 7, "+", "ghi", "", 0 },
		{ 2, '>', 4, "+", "def", "", 0 },
		{ 3, '>', 4, "+", "def", "", 0 },
		{ 4, '>', 1, "+", "abc", ">abc >def >ghi", 0 } }, ">." },
	{ "overlaps that waited", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 5, "+", "efgh", "", 0 },
		{ 2, '>', 3, "+", "CDEF", "", 0 },
		{ 3, '>', 6, "+", "F", "", 0 },
		{ 4, '>', 1, "+", "ab", ">ab >CDEF >gh", 0 } }, ">." },
	{ "a hole is given up after 2 s", 0, 0, {
		{ 0, '>', 1, "+", "abc", ">abc", 0 },
		{ 1, '>', 9, "+", "ijk", "", 0 },
		{ 1 * S, '>', 12, "+", "l", "", 0 },
		{ 2 * S, 't', 0, "", "", "", 0 },
		{ 2 * S + 300 * MS, 't', 0, "", "", ">! >ijk >l", 0 },
		{ 2 * S + 301 * MS, '>', 4, "+", "late", "", 0 } }, ">." },
	{ "or at once when its receiver had it", 0, 0, {
		{ 0, '>', 1, "+", "abc", ">abc", 0 },
		{ 1, '>', 9, "+", "ijk", "", 0 },
		{ 2, '<', 50, "+", "", "", 12 },
		{ 101 * MS, '<', 50, "+", "", ">! >ijk", 12 } }, ">." },
	{ "an old ACK proves nothing", 0, 0, {
		{ 0, '>', 1, "+", "abc", ">abc", 0 },
		{ 1, '>', 9, "+", "ijk", "", 0 },
		{ 500 * MS, '<', 50, "+", "", "", 4 },
		{ 501 * MS, '>', 4, "+", "defgh", ">defgh >ijk", 0 } }, ">." },
	{ "two holes", 0, 0, {
		{ 0, '>', 1, "+", "a", ">a", 0 },
		{ 1, '>', 3, "+", "c", "", 0 },
		{ 2, '>', 5, "+", "e", "", 0 } }, ">! >c >! >e >." },
	{ "far away", 0, 0, {
		{ 0, '>', 1, "+", "a", ">a", 0 },
		{ 1, '>', 5, "+", "c", "", 0 },
		{ 2, '>', 0x200000, "+", "new", ">! >c >! >new", 0 },
		{ 3, '>', 0x200003, "+", "x", ">x", 0 } }, ">." },
	{ "cut by the capture", 0, 0, {
		{ 0, '>', 1, "+", "ab~~", ">ab >!", 0 },
		{ 1, '>', 5, "+", "e", ">e", 0 },
		{ 2, '>', 6, "+", "~~", ">!", 0 },
		{ 3, '>', 10, "+", "j~", "", 0 },
		{ 4, '>', 8, "+", "hi", ">hi >j >!", 0 } }, ">." },
	{ "repeated behind the cut", 0, 0, {
		{ 0, '>', 1, "+", "ab~~", ">ab >!", 0 },
		{ 1, '>', 3, "+", "cd", "", 0 },
		{ 2, '>', 4, "+", "~e~", ">e >!", 0 } }, ">." },
	{ "reset", 0, 0, {
		{ 0, '>', 1, "+", "a", ">a", 0 },
		{ 1, '<', 90, "+", "b", "<b", 0 },
		{ 2, '>', 2, "R", "", ">. <.", 0 },
		{ 3, '>', 2, "+", "x", "", 0 } }, "" },
	{ "a reset from nowhere", 0, 0, {
		{ 0, '>', 100, "+", "a", ">a", 0 },
		{ 1, '>', 99, "R", "", "", 0 },
		{ 2, '>', 0x20000, "R", "", "", 0 },
		{ 3, '>', 101, "+", "b", ">b", 0 } }, ">." },
	{ "FIN before the data", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 3, "F+", "c", "", 0 },
		{ 2, '>', 1, "+", "ab", ">ab >c >.", 0 },
		{ 3, '>', 3, "F+", "c", "", 0 } }, "" },
	{ "FIN where the capture begins", 0, 0, {
		{ 0, '>', 9, "+", "a", ">a", 0 },
		{ 1, '<', 50, "F+", "", "", 0 },
		{ 2, '>', 10, "F+", "", ">.", 0 } }, "" },
	{ "the same ports again", 0, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '<', 90, "S+", "", "", 0 },
		{ 2, '>', 1, "+", "a", ">a", 0 },
		{ 3, '<', 91, "+", "b", "<b", 0 },
		{ 4, '>', 7000, "S", "", "<. >.", 0 },
		{ 5, '<', 9000, "S+", "", "", 0 },
		{ 6, '<', 9001, "+", "d", "<d", 0 },
		{ 7, '>', 7001, "+", "c", ">c", 0 } }, ">. <." },
	{ "the same ports after the end", 0, 0, {
		{ 0, '>', 1, "+", "a", ">a", 0 },
		{ 1, '>', 2, "R", "", ">.", 0 },
		{ 2, '>', 500, "S", "", "", 0 },
		{ 3, '<', 600, "S+", "", "", 0 },
		{ 4, '<', 601, "+", "b", "<b", 0 },
		{ 5, '>', 501, "+", "c", ">c", 0 } }, ">. <." },
	{ "data with the SYN", 0, 0, {
		{ 0, '>', 0, "S", "abc", ">abc", 0 },
		{ 1, '>', 4, "+", "d", ">d", 0 } }, ">." },
	{ "silent for 600 s", 0, 0, {
		{ 0, '>', 1, "+", "a", ">a", 0 },
		{ 599 * (uint64_t)S, 't', 0, "", "", "", 0 },
		{ 601 * (uint64_t)S, 't', 0, "", "", ">.", 0 },
		{ 602 * (uint64_t)S, '>', 70, "+", "b", ">b", 0 } }, ">." },
	{ "the clock steps back", 0, 0, {
		{ 900 * (uint64_t)S, '>', 1, "+", "a", ">a", 0 },
		{ 1 * S, '>', 5, "+", "e", "", 0 },
		{ 4 * S, 't', 0, "", "", ">! >e", 0 } }, ">." },
	{ "another port, SIP", 9000, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 1, "+", "BYE sip:a@b SIP/2.0\r\n",
		  ">BYE sip:a@b SIP/2.0\r\n", 0 },
		{ 2, '<', 50, "+", "x", "<x", 0 } }, ">. <." },
	{ "another port, not SIP", 9000, 0, {
		{ 0, '>', 0, "S", "", "", 0 },
		{ 1, '>', 1, "+", "GET / HTTP/1.1\r\n", "", 0 },
		{ 2, '<', 50, "+", "HTTP/1.1 200 OK\r\n", "", 0 } }, "" },
};

static void put_events(struct tcp_streams *t, struct buf *b)
{
	static const char *const signs[] = { "", "!", "." };
	struct tcp_event e;

	while (tcp_streams_next(t, &e) == 1) {
		buf_printf(b, "%s%c%s", b->len ? " " : "",
			   e.from.port == 40000 ? '>' : '<', signs[e.kind]);
		assert_true(e.slot < TCP_SLOTS);
		assert_int_equal(e.len != 0, e.kind == TCP_BYTES);
		if (e.kind == TCP_BYTES)
			buf_add(b, e.data, e.len);
	}
	assert_int_equal(tcp_streams_next(t, &e), 0);
}

static uint8_t flags_of(const char *text)
{
	return (uint8_t)((strchr(text, 'S') ? DECAP_SYN : 0) |
			 (strchr(text, 'F') ? DECAP_FIN : 0) |
			 (strchr(text, 'R') ? DECAP_RST : 0) |
			 (strchr(text, '+') ? DECAP_ACK : 0));
}

static struct decap_packet packet_of(const struct script *sc,
				     const struct step *s)
{
	const uint8_t a[4] = { 192, 0, 2, 1 }, b[4] = { 192, 0, 2, 2 };
	const struct addr here = addr_v4(a, 40000);
	const struct addr there = addr_v4(b, sc->port ? sc->port : 5060);
	size_t len = strlen(s->data);

	while (len && s->data[len - 1] == '~')
		len--;
	return (struct decap_packet){
		.kind = DECAP_TCP,
		.from = s->dir == '>' ? here : there,
		.to = s->dir == '>' ? there : here,
		.data = exact_copy(s->data, len),
		.len = len,
		.wire_len = strlen(s->data),
		.tcp_seq = s->seq + sc->isn,
		.tcp_ack = s->ack + sc->isn,
		.tcp_flags = flags_of(s->flags),
	};
}

static void play(struct tcp_streams *t, const struct script *sc,
		 const struct step *s)
{
	struct buf b = { 0 };
	struct decap_packet p = packet_of(sc, s);

	if (s->dir == 't')
		tcp_streams_tick(t, s->at_us);
	else
		assert_int_equal(tcp_streams_feed(t, &p, s->at_us), 0);
	put_events(t, &b);
	free((void *)(uintptr_t)p.data);
	assert_string_equal(buf_str(&b), s->want);
	buf_free(&b);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		const struct script *sc = &scripts[i];
		struct tcp_streams *t;
		struct buf b = { 0 };

		print_message("row: %s\n", sc->name);
		assert_int_equal(tcp_streams_new(&t), 0);
		for (size_t k = 0; k < STEPS && sc->steps[k].dir; k++) {
			print_message("  step %zu\n", k);
			play(t, sc, &sc->steps[k]);
		}
		tcp_streams_flush(t);
		put_events(t, &b);
		assert_string_equal(buf_str(&b), sc->flush);
		buf_free(&b);
		tcp_streams_free(t);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* Any cut into segments, any order within a window, repetitions: the bytes
 * come out once, in order, and nothing is lost */
static void test_any_order_gives_the_same_bytes(void **state)
{
	enum { TOTAL = 5000, PIECES = 40 };
	static uint8_t text[TOTAL];

	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		const struct script sc = { .isn = seed * 0x31415926u };
		uint32_t r = seed;
		struct tcp_streams *t;
		struct tcp_event e;
		struct buf got = { 0 };

		for (size_t i = 0; i < TOTAL; i++)
			text[i] = (uint8_t)next_random(&r);
		assert_int_equal(tcp_streams_new(&t), 0);
		const struct step syn = { 0, '>', 0, "S", "", "", 0 };

		play(t, &sc, &syn);
		for (size_t n = 0; got.len < TOTAL; n++) {
			/* Somewhere around what is missing */
			const size_t low = got.len > 300 ? got.len - 300 : 0;
			const size_t any = low + next_random(&r) % 2000;
			const size_t from = n % PIECES == 0 ? got.len
						: MIN(any, TOTAL - 1);
			const size_t most = MIN(700, TOTAL - from);
			const size_t len = 1 + next_random(&r) % most;
			struct step s = { n, '>', (uint32_t)from + 1, "+", "",
					  "", 0 };
			struct decap_packet p = packet_of(&sc, &s);

			free((void *)(uintptr_t)p.data);
			p.data = exact_copy(text + from, len);
			p.len = p.wire_len = len;
			assert_int_equal(tcp_streams_feed(t, &p, n), 0);
			while (tcp_streams_next(t, &e) == 1) {
				assert_int_equal(e.kind, TCP_BYTES);
				buf_add(&got, e.data, e.len);
			}
			free((void *)(uintptr_t)p.data);
		}
		assert_int_equal(got.len, TOTAL);
		assert_memory_equal(got.data, text, TOTAL);
		buf_free(&got);
		tcp_streams_free(t);
	}
}

static struct decap_packet from_port(uint16_t port, uint32_t seq,
				     const void *data, size_t len)
{
	const uint8_t a[4] = { 192, 0, 2, 1 }, b[4] = { 192, 0, 2, 2 };

	return (struct decap_packet){
		.kind = DECAP_TCP,
		.from = addr_v4(a, port),
		.to = addr_v4(b, 5060),
		.data = data,
		.len = len,
		.wire_len = len,
		.tcp_seq = seq,
	};
}

/* 64 segments, 64 KiB: whichever is reached first */
static void check_bound(size_t len, size_t most)
{
	static const uint8_t data[2048];
	struct tcp_streams *t;
	struct tcp_streams_stats st;
	struct tcp_event e;
	size_t bytes = 0, lost = 0;

	assert_int_equal(tcp_streams_new(&t), 0);
	for (uint32_t i = 0; i < 200; i++) {
		/* Every second one is missing */
		struct decap_packet p = from_port(
			40000, 1 + i * 2 * (uint32_t)len, data, len);

		assert_int_equal(tcp_streams_feed(t, &p, i), 0);
		while (tcp_streams_next(t, &e) == 1) {
			bytes += e.len;
			lost += e.kind == TCP_LOST;
		}
		assert_true((i + 1) * len - bytes <= most * len);
	}
	assert_int_equal(bytes, (200 - most) * len);
	assert_int_equal(lost, 199 - most);
	tcp_streams_stats(t, &st);
	assert_int_equal(st.lost, lost);
	tcp_streams_free(t);
}

static void test_what_waits_is_bounded(void **state)
{
	(void)state;
	check_bound(1, 64);
	check_bound(1000, 64);
	check_bound(1024, 64);
	check_bound(1025, 63);
	check_bound(2048, 32);
}

static void test_a_257th_connection_makes_room(void **state)
{
	struct tcp_streams *t;
	struct tcp_streams_stats st;
	struct tcp_event e;
	struct decap_packet p;
	size_t ends = 0;

	(void)state;
	assert_int_equal(tcp_streams_new(&t), 0);
	/* A trunk that speaks, then a flood of SYNs */
	p = from_port(1000, 1, "a", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 1), 0);
	for (uint16_t i = 0; i < 1000; i++) {
		p = from_port((uint16_t)(2000 + i), 1, "", 0);
		p.tcp_flags = DECAP_SYN;
		assert_int_equal(tcp_streams_feed(t, &p, 2u + i), 0);
		assert_int_equal(tcp_streams_next(t, &e), 0);
	}
	p = from_port(1000, 2, "b", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 5000), 0);
	assert_int_equal(tcp_streams_next(t, &e), 1);
	assert_int_equal(e.kind, TCP_BYTES);
	tcp_streams_stats(t, &st);
	assert_int_equal(st.evicted, 1001 - 256);
	/* 256 more that speak: the silent ones go, then the oldest */
	for (uint16_t i = 0; i < 256; i++) {
		p = from_port((uint16_t)(4000 + i), 1, "c", 1);
		assert_int_equal(tcp_streams_feed(t, &p, 6000u + i), 0);
		while (tcp_streams_next(t, &e) == 1) {
			if (e.kind == TCP_END) {
				assert_int_equal(e.from.port, 1000);
				ends++;
			}
		}
	}
	assert_int_equal(ends, 1);
	/* 4000 speaks again: now 4001 is the one silent longest */
	p = from_port(4000, 2, "d", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 7000), 0);
	p = from_port(5000, 1, "e", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 7001), 0);
	assert_int_equal(tcp_streams_next(t, &e), 1);
	assert_int_equal(e.kind, TCP_END);
	assert_int_equal(e.from.port, 4001);
	tcp_streams_free(t);
}

/* Who feeds right after a tick loses nothing */
static void test_events_of_a_tick_wait(void **state)
{
	struct tcp_streams *t;
	struct buf b = { 0 };
	struct decap_packet p = from_port(40000, 1, "a", 1);

	(void)state;
	assert_int_equal(tcp_streams_new(&t), 0);
	assert_int_equal(tcp_streams_feed(t, &p, 0), 0);
	put_events(t, &b);
	p = from_port(40000, 5, "e", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 1), 0);
	tcp_streams_tick(t, 3 * S);
	tcp_streams_tick(t, 4 * S);
	p = from_port(40000, 6, "f", 1);
	assert_int_equal(tcp_streams_feed(t, &p, 5 * S), 0);
	put_events(t, &b);
	assert_string_equal(buf_str(&b), ">a >! >e >f");
	buf_free(&b);
	tcp_streams_free(t);
}

static void test_figures(void **state)
{
	static const uint32_t seqs[] = { 1, 1, 5, 7, 2, 5 };
	struct tcp_streams *t;
	struct tcp_streams_stats st;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(tcp_streams_new(&t), 0);
	for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
		struct decap_packet p = from_port(40000, seqs[i], "a", 1);

		assert_int_equal(tcp_streams_feed(t, &p, 1), 0);
		put_events(t, &b);
	}
	tcp_streams_flush(t);
	put_events(t, &b);
	assert_string_equal(buf_str(&b), ">a >a >! >a >! >a >.");
	tcp_streams_stats(t, &st);
	assert_int_equal(st.segments, 6);
	assert_int_equal(st.repeated, 1);
	assert_int_equal(st.out_of_order, 3);
	assert_int_equal(st.lost, 2);
	assert_int_equal(st.evicted, 0);
	buf_free(&b);
	tcp_streams_free(t);
}

static void test_what_all_wait_for_is_bounded(void **state)
{
	static const uint8_t data[1000];
	struct tcp_streams *t;
	struct tcp_event e;
	size_t bytes = 0, fed = 0;

	(void)state;
	assert_int_equal(tcp_streams_new(&t), 0);
	for (uint16_t port = 1; port <= 200; port++)
		for (uint32_t i = 0; i < 40; i++) {
			struct decap_packet p = from_port(
				port, i ? 1 + i * 1000 : 0, data, i ? 1000 : 1);

			assert_int_equal(tcp_streams_feed(t, &p, 1), 0);
			fed += p.len;
			while (tcp_streams_next(t, &e) == 1)
				bytes += e.len;
			assert_true(fed - bytes <= 4 * 1024 * 1024);
		}
	assert_true(fed - bytes > 4 * 1024 * 1024 - 40 * 1000);
	tcp_streams_flush(t);
	while (tcp_streams_next(t, &e) == 1)
		bytes += e.len;
	assert_int_equal(bytes, fed);
	tcp_streams_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_any_order_gives_the_same_bytes),
		cmocka_unit_test(test_what_waits_is_bounded),
		cmocka_unit_test(test_a_257th_connection_makes_room),
		cmocka_unit_test(test_events_of_a_tick_wait),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_what_all_wait_for_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
