/** @file test_fragments.c  daemon/net/fragments.c, seen through decap.c */
#include "daemon/net/fragments.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/net/decap.h"
#include "tests/unit/net/hex.h"

enum { STEPS = 8, S = 1000 * 1000 };

/* One fragment of a UDP datagram: bytes [first, first + len) of its header
 * and payload */
struct step {
	uint64_t at_us;
	unsigned id;
	unsigned first, len;
	bool more;
	char how;           /* 'x': other bytes; 'c': cut by the capture;
			       'h': from another host; 'p': other protocol */
	int want;           /* 1: the datagram of `total` bytes */
	size_t total;
};

static const struct script {
	const char *name;
	struct step steps[STEPS];
	uint64_t lost;
} scripts[] = {
	{ "in order", { { 0, 1, 0, 16, 1, 0, 0, 0 },
			{ 1, 1, 16, 8, 1, 0, 0, 0 },
			{ 2, 1, 24, 5, 0, 0, 1, 29 } }, 0 },
	{ "backwards", { { 0, 1, 24, 5, 0, 0, 0, 0 },
			 { 1, 1, 16, 8, 1, 0, 0, 0 },
			 { 2, 1, 0, 16, 1, 0, 1, 29 } }, 0 },
	{ "two at a time", { { 0, 1, 0, 8, 1, 0, 0, 0 },
			     { 1, 2, 0, 16, 1, 0, 0, 0 },
			     { 2, 2, 16, 4, 0, 0, 1, 20 },
			     { 3, 1, 8, 8, 0, 0, 1, 16 } }, 0 },
	{ "same id, other host", { { 0, 1, 0, 8, 1, 0, 0, 0 },
				   { 1, 1, 8, 8, 0, 'h', 0, 0 },
				   { 2, 1, 8, 8, 0, 0, 1, 16 } }, 0 },
	{ "twice the same", { { 0, 1, 0, 16, 1, 0, 0, 0 },
			      { 1, 1, 0, 16, 1, 0, 0, 0 },
			      { 2, 1, 16, 8, 0, 0, 1, 24 } }, 0 },
	{ "last one twice the same", { { 0, 1, 16, 8, 0, 0, 0, 0 },
				       { 1, 1, 16, 8, 0, 0, 0, 0 },
				       { 2, 1, 0, 16, 1, 0, 1, 24 } }, 0 },
	{ "twice with other bytes", { { 0, 1, 0, 16, 1, 0, 0, 0 },
				      { 1, 1, 0, 16, 1, 'x', -EBADMSG, 0 },
				      { 2, 1, 16, 8, 0, 0, 0, 0 } }, 1 },
	{ "overlap at the end", { { 0, 1, 0, 16, 1, 0, 0, 0 },
				  { 1, 1, 8, 16, 0, 0, -EBADMSG, 0 },
				  { 2, 1, 16, 8, 0, 0, 0, 0 } }, 1 },
	{ "overlap at the start", { { 0, 1, 16, 16, 1, 0, 0, 0 },
				    { 1, 1, 8, 16, 1, 0, -EBADMSG, 0 },
				    { 2, 1, 0, 8, 1, 0, 0, 0 } }, 1 },
	{ "one inside another", { { 0, 1, 0, 32, 1, 0, 0, 0 },
				  { 1, 1, 8, 8, 1, 'x', -EBADMSG, 0 },
				  { 2, 1, 32, 8, 0, 0, 0, 0 } }, 1 },
	{ "beyond the last", { { 0, 1, 16, 8, 0, 0, 0, 0 },
			       { 1, 1, 24, 8, 1, 0, -EBADMSG, 0 },
			       { 2, 1, 0, 16, 1, 0, 0, 0 } }, 1 },
	{ "more follows the last's end", { { 0, 1, 16, 8, 0, 0, 0, 0 },
					   { 1, 1, 16, 8, 1, 0, -EBADMSG, 0 },
					   { 2, 1, 0, 16, 1, 0, 0, 0 } }, 1 },
	{ "two ends", { { 0, 1, 16, 8, 0, 0, 0, 0 },
			{ 1, 1, 32, 8, 0, 0, -EBADMSG, 0 },
			{ 2, 1, 0, 16, 1, 0, 0, 0 } }, 1 },
	{ "last before another", { { 0, 1, 32, 8, 1, 0, 0, 0 },
				   { 1, 1, 16, 8, 0, 0, -EBADMSG, 0 } }, 1 },
	{ "last before what followed a hole", {
			{ 0, 1, 0, 16, 1, 0, 0, 0 },
			{ 1, 1, 24, 8, 1, 0, 0, 0 },
			{ 2, 1, 16, 8, 0, 0, -EBADMSG, 0 } }, 1 },
	{ "several too late", { { 0, 1, 0, 8, 1, 0, 0, 0 },
				{ 0, 2, 0, 8, 1, 0, 0, 0 },
				{ 1, 3, 0, 8, 1, 0, 0, 0 },
				{ 6 * S, 4, 0, 8, 1, 0, 0, 0 } }, 3 },
	{ "length no multiple of 8", { { 0, 1, 0, 12, 1, 0, -EBADMSG, 0 },
				       { 1, 1, 16, 8, 0, 0, 0, 0 } }, 1 },
	{ "empty", { { 0, 1, 8, 0, 0, 0, -EBADMSG, 0 },
		     { 1, 1, 0, 8, 1, 0, 0, 0 } }, 1 },
	{ "cut by the capture", { { 0, 1, 0, 16, 1, 'c', 0, 0 },
				  { 1, 1, 0, 16, 1, 0, 0, 0 },
				  { 2, 1, 16, 8, 0, 0, 0, 0 } }, 1 },
	{ "just in time", { { 0, 1, 0, 8, 1, 0, 0, 0 },
			    { 5 * S, 1, 8, 8, 0, 0, 1, 16 } }, 0 },
	{ "too late", { { 0, 1, 0, 8, 1, 0, 0, 0 },
			{ 5 * S + 1, 1, 8, 8, 0, 0, 0, 0 },
			{ 5 * S + 2, 1, 0, 8, 1, 0, 1, 16 } }, 1 },
	{ "spoilt ones are forgotten too", {
			{ 0, 1, 0, 12, 1, 0, -EBADMSG, 0 },
			{ 5 * S + 1, 1, 0, 8, 1, 0, 0, 0 },
			{ 5 * S + 2, 1, 8, 8, 0, 0, 1, 16 } }, 1 },
	{ "clock steps back", { { 9 * S, 1, 0, 8, 1, 0, 0, 0 },
				{ 1 * S, 1, 8, 8, 0, 0, 1, 16 } }, 0 },
	{ "id used again", { { 0, 1, 0, 8, 1, 0, 0, 0 },
			     { 1, 1, 8, 8, 0, 0, 1, 16 },
			     { 2, 1, 8, 4, 0, 0, 0, 0 },
			     { 3, 1, 0, 8, 1, 0, 1, 12 } }, 0 },
	{ "65,536 bytes", { { 0, 1, 0, 8, 1, 0, 0, 0 },
			    { 1, 1, 65528, 8, 0, 0, -EBADMSG, 0 } }, 1 },
	{ "the last possible byte", { { 0, 1, 65528, 7, 0, 0, 0, 0 },
				      { 1, 1, 0, 8, 1, 0, 0, 0 } }, 0 },
};

static uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* A UDP header (length 0: to the end of the datagram), and a pattern */
static void put_datagram(struct buf *b, size_t first, size_t len, char how)
{
	static const uint8_t udp[8] = { 0x0f, 0xa0, 0x0f, 0xa2 };

	for (size_t i = first; i < first + len; i++) {
		uint8_t byte = i < sizeof(udp) ? udp[i] : pattern(i);

		if (how == 'x')
			byte ^= 1;
		buf_add(b, &byte, 1);
	}
}

static void put_u16(struct buf *b, size_t n)
{
	const uint8_t bytes[2] = { (uint8_t)(n >> 8), (uint8_t)n };

	buf_add(b, bytes, 2);
}

static void put_v4(struct buf *b, const struct step *s)
{
	const uint8_t host = s->how == 'h' ? 9 : 1;
	const uint8_t protocol = s->how == 'p' ? 6 : 17;

	buf_add(b, "\x45\x00", 2);
	put_u16(b, 20 + s->len);
	put_u16(b, s->id);
	put_u16(b, (s->more ? 0x2000 : 0) | s->first / 8);
	buf_add(b, (uint8_t[]){ 64, protocol, 0, 0 }, 4);
	buf_add(b, (uint8_t[]){ 192, 0, 2, host, 192, 0, 2, 2 }, 8);
}

static void put_v6(struct buf *b, const struct step *s)
{
	const uint8_t host = s->how == 'h' ? 9 : 1;
	uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	buf_add(b, "\x60\x00\x00\x00", 4);
	put_u16(b, 8 + s->len);
	buf_add(b, "\x2c\x40", 2);
	ip[15] = host;
	buf_add(b, ip, 16);
	ip[15] = 2;
	buf_add(b, ip, 16);
	buf_add(b, "\x11\x00", 2);
	put_u16(b, s->first | s->more);
	put_u16(b, 0);
	put_u16(b, s->id);
}

static int play(struct decap *d, const struct step *s, bool v6,
		struct decap_packet *p)
{
	struct buf b = { 0 };

	if (v6)
		put_v6(&b, s);
	else
		put_v4(&b, s);
	put_datagram(&b, s->first, s->len, s->how);
	assert_int_equal(b.err, 0);
	const size_t wire = b.len;

	if (s->how == 'c')
		b.len -= 3;
	uint8_t *exact = exact_copy(b.data, b.len);
	const int got = decap_feed(d, DLT_RAW, s->at_us, exact, b.len, wire, p);

	free(exact);
	buf_free(&b);
	return got;
}

static void check_datagram(const struct decap_packet *p, size_t total)
{
	assert_int_equal(p->kind, DECAP_UDP);
	assert_int_equal(p->from.port, 4000);
	assert_int_equal(p->to.port, 4002);
	assert_int_equal(p->len, total - 8);
	assert_int_equal(p->wire_len, total - 8);
	for (size_t i = 8; i < total; i++)
		assert_int_equal(p->data[i - 8], pattern(i));
}

static void run(const struct script *sc, bool v6)
{
	struct decap_stats st;
	struct decap *d;
	uint64_t whole = 0, n = 0;

	print_message("row: %s, IPv%d\n", sc->name, v6 ? 6 : 4);
	assert_int_equal(decap_new(&d), 0);
	for (size_t i = 0; i < STEPS; i++) {
		const struct step *s = &sc->steps[i];
		struct decap_packet p;

		if (!s->len && !s->first)
			break;
		print_message("  step %zu\n", i);
		assert_int_equal(play(d, s, v6, &p), s->want);
		n++;
		if (s->want == 1) {
			check_datagram(&p, s->total);
			whole++;
		}
	}
	decap_stats(d, &st);
	assert_int_equal(st.fragments, n);
	assert_int_equal(st.reassembled, whole);
	assert_int_equal(st.udp, whole);
	assert_int_equal(st.fragments_lost, sc->lost);
	decap_free(d);
}

static void test_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		run(&scripts[i], false);
		run(&scripts[i], true);
	}
}

/* RFC 791: protocol is part of what belongs together; in RFC 8200 it is not */
static void test_ipv4_keeps_protocols_apart(void **state)
{
	const struct step first = { 0, 1, 0, 8, true, 0, 0, 0 };
	const struct step other = { 1, 1, 8, 8, false, 'p', 0, 0 };
	const struct step last = { 2, 1, 8, 8, false, 0, 1, 16 };
	struct decap_packet p;
	struct decap *d;

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	assert_int_equal(play(d, &first, false, &p), 0);
	assert_int_equal(play(d, &other, false, &p), 0);
	assert_int_equal(play(d, &last, false, &p), 1);
	decap_free(d);
}

static void test_the_65th_pushes_out_the_oldest(void **state)
{
	struct step s = { 0, 0, 0, 8, true, 0, 0, 0 };
	struct decap_packet p;
	struct decap_stats st;
	struct decap *d;

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	for (s.id = 1; s.id <= 65; s.id++, s.at_us++)
		assert_int_equal(play(d, &s, false, &p), 0);
	decap_stats(d, &st);
	assert_int_equal(st.fragments_lost, 1);
	s.first = 8;
	s.more = false;
	/* 2..65 are there; 1 is not, and beginning anew pushes 66 out: nobody */
	for (s.id = 2; s.id <= 65; s.id++)
		assert_int_equal(play(d, &s, false, &p), 1);
	s.id = 1;
	assert_int_equal(play(d, &s, false, &p), 0);
	decap_stats(d, &st);
	assert_int_equal(st.reassembled, 64);
	assert_int_equal(st.fragments_lost, 1);
	decap_free(d);
}

/* The longest datagram there can be, in 8-byte fragments, every second one
 * first */
static void test_65515_bytes_in_8190_pieces(void **state)
{
	enum { TOTAL = 65515 };
	struct decap_packet p;
	struct decap *d;
	int got = 0;

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	for (unsigned odd = 1; odd < 2; odd--)
		for (unsigned at = odd * 8; at < TOTAL; at += 16) {
			const unsigned len = MIN(8, TOTAL - at);
			const struct step s = { 0, 1, at, len,
						at + len < TOTAL, 0, 0, 0 };

			assert_int_equal(got, 0);
			got = play(d, &s, false, &p);
		}
	assert_int_equal(got, 1);
	check_datagram(&p, TOTAL);
	decap_free(d);
}

/* A fragment header inside what was put together already makes no sense */
static void test_fragments_in_fragments(void **state)
{
	struct step s = { 0, 1, 0, 24, true, 0, 0, 0 };
	const struct step last = { 0, 1, 24, 8, false, 0, 0, 0 };
	struct decap_packet p;
	struct decap *d;
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(decap_new(&d), 0);
	put_v6(&b, &s);
	b.data[40] = 44; /* The fragmented part begins with a fragment header */
	buf_add(&b, "\x11\x00\x00\x01\x00\x00\x00\x05", 8);
	put_datagram(&b, 0, 16, 0);
	assert_int_equal(decap_feed(d, DLT_RAW, 0, b.data, b.len, b.len, &p),
			 0);
	assert_int_equal(play(d, &last, true, &p), -EBADMSG);
	buf_free(&b);
	decap_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_ipv4_keeps_protocols_apart),
		cmocka_unit_test(test_the_65th_pushes_out_the_oldest),
		cmocka_unit_test(test_65515_bytes_in_8190_pieces),
		cmocka_unit_test(test_fragments_in_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
