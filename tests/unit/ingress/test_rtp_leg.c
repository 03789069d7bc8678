/**
 * @file test_rtp_leg.c  Real sockets on the loopback, time by hand
 *
 * A script is steps "WORD ARGS;":
 *
 *   rtp WHO SSRC PT SEQ N   N packets 20 ms apart; WHO is a sender below
 *   raw WHO HEX             one datagram
 *   rtcp WHO HEX            the same to the RTCP port
 *   wait MS
 *   move WHO                another address is signalled
 *   same                    the same one is, again
 *   hold, resume
 *
 * Senders: a 127.0.0.1, b the same with another port, x 127.0.0.2, y
 * 127.0.0.3.  Each packet is 160 bytes of its SSRC.  What comes of it: "WORD@MS"
 * for notes, "SSRC:PACKETS" in order of what was heard, "over@MS" (timed out).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/log.h"
#include "daemon/base/number.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/media/rtcp.h"
#include "tests/unit/call/law.h"

enum { SENDERS = 4, BASE_S = 1700000000, FIRST = 30100, LAST = 30399 };

static struct {
	uv_loop_t loop;
	struct timers *timers;
	struct calls *calls;
	struct call *call;
	struct rtp_ports *ports;
	struct rtp_leg *leg;
	struct rtp_leg_config cfg;
	int fd[SENDERS];
	struct addr at[SENDERS];
	struct buf out;
	unsigned ssrc;
	unsigned samples;
	unsigned gathered;
	bool ended;
} t;

static unsigned now_ms(void)
{
	return (unsigned)((timers_now_us(t.timers) -
			   (uint64_t)BASE_S * 1000000) / 1000);
}

/* -- what comes out ----------------------------------------------------------------- */

static void flush_heard(void)
{
	if (t.samples)
		buf_printf(&t.out, "%u:%u ", t.ssrc, t.samples / 160);
	t.samples = 0;
}

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	switch (e->type) {
	case EVENT_LEG_STATE:
		flush_heard();
		buf_printf(&t.out, "%s@%u ", e->leg_state.reason, now_ms());
		break;
	case EVENT_LEG_MEDIA:
		assert_true(addr_equal(&e->leg_media.rtp.dst,
				       &(struct addr){0}) == false);
		assert_true(e->leg_media.rtp.known);
		break;
	case EVENT_LEG_END:
		flush_heard();
		t.ended = true;
		break;
	default:
		break;
	}
}

static void *on_audio_open(const char *leg, void *arg)
{
	(void)leg;
	(void)arg;
	return &t;
}

static void on_samples(void *handle, const int16_t *pcm, uint64_t n)
{
	(void)handle;
	for (uint64_t i = 0; pcm && i < n; i++) {
		if (t.samples == 0 || pcm[i] != law_mu((uint8_t)t.ssrc)) {
			unsigned s = 1;

			while (s < 100 && law_mu((uint8_t)s) != pcm[i])
				s++;
			if (s == 100)
				continue; /* concealed or silence */
			flush_heard();
			t.ssrc = s;
		}
		t.samples++;
	}
}

static void on_audio_close(void *handle)
{
	(void)handle;
}

static void on_timed_out(void *arg)
{
	(void)arg;
	flush_heard();
	buf_printf(&t.out, "over@%u ", now_ms());
}

/* -- what goes in ------------------------------------------------------------------- */

static void turn(void)
{
	/* the loopback has delivered when sendto() returns */
	for (int i = 0; i < 3; i++)
		uv_run(&t.loop, UV_RUN_NOWAIT);
}

static void pass_ms(unsigned ms)
{
	timers_run(t.timers, timers_now_us(t.timers) + ms * 1000ull);
}

static unsigned who(const char *word)
{
	const char *at = strchr("abxy", word[0]);

	assert_non_null(at);
	return (unsigned)(at - "abxy") % SENDERS;
}

static void send_to(unsigned from, unsigned more, const void *data, size_t len)
{
	struct addr to = rtp_leg_address(t.leg);
	struct sockaddr_storage sa;

	to.port = (uint16_t)(to.port + more);
	const socklen_t n = addr_to_sockaddr(&sa, &to);
	assert_int_equal(sendto(t.fd[from], data, len, 0,
				(struct sockaddr *)&sa, n), len);
	turn();
}

static void send_rtp(unsigned from, unsigned ssrc, unsigned pt, unsigned seq)
{
	uint8_t p[172] = { 0x80, (uint8_t)pt, (uint8_t)(seq >> 8),
			   (uint8_t)seq };
	const uint32_t ts = seq * 160;

	for (unsigned i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
	p[11] = (uint8_t)ssrc;
	memset(p + 12, (int)ssrc, 160);
	send_to(from, 0, p, sizeof(p));
}

static unsigned number(const char *word)
{
	uint64_t v = 0;

	assert_non_null(word);
	assert_int_equal(number_parse(&v, word, strlen(word), 10000000), 0);
	return (unsigned)v;
}

static size_t unhex(uint8_t *out, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; hex[2 * n]; n++)
		out[n] = (uint8_t)((strchr(digits, hex[2 * n]) - digits) << 4 |
				   (strchr(digits, hex[2 * n + 1]) - digits));
	return n;
}

static void step(char *words)
{
	char *save, *word[6] = {0};
	uint8_t raw[256];
	unsigned n = 0;

	for (char *w = strtok_r(words, " ", &save); w && n < ARRAY_LEN(word);
	     w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	if (n == 0)
		return;
	if (!strcmp(word[0], "rtp")) {
		for (unsigned i = 0; i < number(word[5]); i++) {
			send_rtp(who(word[1]), number(word[2]),
				 number(word[3]), number(word[4]) + i);
			pass_ms(20);
		}
	} else if (!strcmp(word[0], "raw") || !strcmp(word[0], "rtcp")) {
		send_to(who(word[1]), word[0][1] == 't', raw,
			unhex(raw, n > 2 ? word[2] : ""));
	} else if (!strcmp(word[0], "wait")) {
		pass_ms(number(word[1]));
	} else {
		if (!strcmp(word[0], "move"))
			t.cfg.remote.at = t.at[who(word[1])];
		else if (!strcmp(word[0], "hold"))
			t.cfg.remote.on_hold = true;
		else if (!strcmp(word[0], "resume"))
			t.cfg.remote.on_hold = false;
		else
			assert_string_equal(word[0], "same");
		rtp_leg_update(t.leg, &t.cfg.remote);
	}
}

static void play(const char *script)
{
	char *copy = strdup(script), *save;

	for (char *s = strtok_r(copy, ";", &save); s;
	     s = strtok_r(NULL, ";", &save))
		step(s);
	free(copy);
}

/* -- the rows ----------------------------------------------------------------------- */

static const struct row {
	const char *name;
	char signalled;          /* who; '-': nobody */
	enum rtp_source source;
	const char *script;
	const char *want;
	uint64_t foreign, rtcp, odd;
} rows[] = {
	{ "the signalled one", 'a', RTP_SOURCE_SDP, "rtp a 7 0 1 5", "7:5 ",
	  0, 0, 0 },
	{ "its port is another", 'a', RTP_SOURCE_SDP, "rtp b 7 0 1 5", "7:5 ",
	  0, 0, 0 },
	{ "then the other port is foreign", 'a', RTP_SOURCE_SDP,
	  "rtp b 7 0 1 5; rtp a 8 0 1 5; rtp b 7 0 6 1", "7:6 ", 5, 0, 0 },
	{ "somebody else before, between, behind", 'a', RTP_SOURCE_SDP,
	  "rtp x 9 0 1 5; rtp a 7 0 1 2; rtp x 7 0 3 2; rtp a 7 0 3 2;"
	  "rtp x 9 0 1 6", "7:4 ", 13, 0, 0 },
	{ "nobody was signalled", '-', RTP_SOURCE_SDP, "rtp a 7 0 1 5", "",
	  5, 0, 0 },
	{ "an unknown type locks nothing", 'a', RTP_SOURCE_SDP,
	  "rtp b 7 77 1 1; rtp a 7 0 1 2; rtp b 7 0 1 1", "7:2 ", 2, 0, 0 },

	{ "learnt from four in order", '-', RTP_SOURCE_LEARN, "rtp x 7 0 1 6",
	  "7:6 ", 0, 0, 0 },
	{ "three are not enough", '-', RTP_SOURCE_LEARN, "rtp x 7 0 1 3", "",
	  0, 0, 0 },
	{ "the winner's only", '-', RTP_SOURCE_LEARN,
	  "rtp y 9 0 1 3; rtp x 7 0 1 2; rtp y 9 0 9 1; rtp x 7 0 3 3;"
	  "rtp y 9 0 10 6", "7:5 ", 6, 0, 0 },
	{ "a hole begins anew", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 3; rtp x 7 0 5 3", "", 0, 0, 0 },
	{ "four within three seconds", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 3; wait 2950; rtp x 7 0 4 1", "", 0, 0, 0 },
	{ "the same again counts once", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 2; rtp x 7 0 2 1; rtp x 7 0 2 1; rtp x 7 0 3 1", "",
	  0, 0, 0 },
	{ "the signalled one at once", 'a', RTP_SOURCE_LEARN,
	  "rtp x 9 0 1 3; rtp a 7 0 1 1; rtp x 9 0 4 5; rtp a 7 0 2 1",
	  "7:2 ", 5, 0, 0 },
	{ "unknown types teach nothing", '-', RTP_SOURCE_LEARN,
	  "rtp x 9 77 1 9; rtp y 7 0 1 4", "7:4 ", 9, 0, 0 },
	{ "the same address said again changes nothing", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 4; same; rtp y 9 0 1 9; rtp x 7 0 5 1", "7:5 ", 9, 0,
	  0 },

	{ "moved: the old one until the new one speaks", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 2; move x; rtp a 7 0 3 1; rtp y 9 0 1 4;"
	  "rtp x 8 0 1 3; rtp a 7 0 4 1", "7:3 8:3 ", 5, 0, 0 },
	{ "a new SSRC takes over", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 3; wait 500; rtp a 8 0 50 3", "7:3 8:3 ", 0, 0, 0 },
	{ "one packet of another SSRC does not", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 3; rtp a 8 0 50 1; rtp a 7 0 4 3", "7:6 ", 0, 0, 0 },
	{ "a second one beside the first is nobody's", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtp a 8 0 50 1; rtp a 7 0 2 1; rtp a 8 0 51 1;"
	  "rtp a 7 0 3 1", "7:3 ", 1, 0, 0 },

	{ "no RTP from the beginning", 'a', RTP_SOURCE_SDP, "wait 5000",
	  "no_rtp@5000 ", 0, 0, 0 },
	{ "silent, and back", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 2; wait 4979; wait 1; rtp a 7 0 3 1; wait 5000;",
	  "7:2 no_rtp@5020 rtp@5020 7:1 no_rtp@10020 ", 0, 0, 0 },
	{ "foreign packets are not its own", 'a', RTP_SOURCE_SDP,
	  "wait 4900; rtp x 9 0 1 5", "no_rtp@5000 ", 5, 0, 0 },
	{ "held: silence is expected", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; hold; wait 70000; resume; wait 1",
	  "7:1 no_rtp@70020 over@70020 ", 0, 0, 0 },
	{ "over after a minute", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; wait 59979; wait 1; wait 100000",
	  "7:1 no_rtp@5000 over@60000 ", 0, 0, 0 },
	{ "held: over after an hour", 'a', RTP_SOURCE_SDP,
	  "hold; wait 3599999; wait 1", "over@3600000 ", 0, 0, 0 },
	{ "another codec is said", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtp a 7 77 2 49; rtp a 7 77 51 9", "7:1 codec@1000 ",
	  0, 0, 0 },

	{ "neither RTP nor RTCP", 'a', RTP_SOURCE_SDP,
	  "raw a; raw a 80; raw a 8000000100000000000000; raw a 000100002112a442;"
	  "raw x 9000000100000000000000ff; raw a 800000010000000000000007;"
	  "rtcp a 800000010000000000000007", "", 1, 0, 6 },
	{ "RTCP on both ports, theirs only", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtcp a 80c9000100000007; raw b 80c9000100000007;"
	  "rtcp x 80c9000100000007; rtcp a 80c9000200000007", "7:1 ", 1, 2, 1 },
};

static void open_leg(const struct row *r)
{
	struct receiver_config usual;

	receiver_config_default(&usual);
	t.cfg = (struct rtp_leg_config){
		.loop = &t.loop, .timers = t.timers, .ports = t.ports,
		.bind = t.at[0], .call = t.call, .source = r->source,
		.info = { .role = ROLE_CALLER, .codec = "PCMU" },
		.timed_out = on_timed_out,
	};
	memcpy(t.cfg.remote.kinds, usual.kind, sizeof(usual.kind));
	if (r->signalled != '-')
		t.cfg.remote.at = t.at[who(&r->signalled)];
	assert_int_equal(rtp_leg_open(&t.leg, &t.cfg), 0);
}

static void open_sockets(void)
{
	static const uint8_t ip[SENDERS][4] = { { 127, 0, 0, 1 },
						{ 127, 0, 0, 1 },
						{ 127, 0, 0, 2 },
						{ 127, 0, 0, 3 } };
	struct sockaddr_storage sa;

	for (unsigned i = 0; i < SENDERS; i++) {
		const struct addr any = addr_v4(ip[i], 0);
		socklen_t n = addr_to_sockaddr(&sa, &any);

		t.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		assert_int_equal(bind(t.fd[i], (struct sockaddr *)&sa, n), 0);
		assert_int_equal(getsockname(t.fd[i], (struct sockaddr *)&sa,
					     &n), 0);
		addr_from_sockaddr(&t.at[i], (struct sockaddr *)&sa);
	}
}

static struct service *choose(const struct leg_facts *f, void *chooser)
{
	(void)f;
	(void)chooser;
	return NULL;
}

static void open_all(void)
{
	memset(&t, 0, sizeof(t));
	uv_loop_init(&t.loop);
	open_sockets();
	assert_int_equal(timers_new(&t.timers), 0);
	timers_run(t.timers, (uint64_t)BASE_S * 1000000);
	assert_int_equal(rtp_ports_new(&t.ports, &t.at[0], FIRST, LAST,
				       t.timers), 0);

	const struct calls_config cc = {
		.loop = &t.loop, .timers = t.timers,
		.events = { on_event, NULL },
		.audio = { on_audio_open, on_samples, on_audio_close, NULL },
		.choose = choose, .backlog = 240000,
	};
	assert_int_equal(calls_new(&t.calls, &cc), 0);
	assert_int_equal(call_open(&t.call, t.calls,
				   &(struct call_info){ .id = "c1",
							.source = "rtp" }), 0);
}

static void close_all(void)
{
	calls_free(t.calls);
	rtp_ports_free(t.ports);
	timers_free(t.timers);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	for (unsigned i = 0; i < SENDERS; i++)
		close(t.fd[i]);
	buf_free(&t.out);
}

static bool play_row(const struct row *r)
{
	struct rtp_leg_stats s;

	open_all();
	open_leg(r);
	play(r->script);
	rtp_leg_stats(t.leg, &s);
	rtp_leg_close(t.leg, "bye");
	assert_true(t.ended);
	call_end(t.call, "bye");
	const bool right = !strcmp(buf_str(&t.out), r->want) &&
			   s.foreign == r->foreign && s.rtcp == r->rtcp &&
			   s.short_or_odd == r->odd;
	if (!right)
		print_error("%s: \"%s\", %u foreign, %u RTCP, %u odd\n",
			    r->name, buf_str(&t.out), (unsigned)s.foreign,
			    (unsigned)s.rtcp, (unsigned)s.short_or_odd);
	close_all();
	return right;
}

static void test_rows(void **state)
{
	bool right = true;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		right &= play_row(&rows[i]);
	assert_true(right);
}

/* -- reports ------------------------------------------------------------------------- */

static void test_reports_go_to_the_signalled_address_only(void **state)
{
	uint8_t got[256];

	(void)state;
	open_all();
	open_leg(&rows[0]);
	play("rtp a 7 0 1 3; wait 6000");
	for (unsigned i = 0; i < SENDERS; i++)
		assert_int_equal(recv(t.fd[i], got, sizeof(got), 0), -1);

	t.cfg.remote.rtcp = t.at[2];
	rtp_leg_update(t.leg, &t.cfg.remote);
	play("wait 5000");
	assert_int_equal(recv(t.fd[0], got, sizeof(got), 0), -1);
	const ssize_t n = recv(t.fd[2], got, sizeof(got), 0);
	assert_true(n > 40);
	assert_true(rtcp_check(got, (size_t)n) == 2);
	assert_int_equal(got[1], 201);
	assert_int_equal(got[11], 7);          /* the source */
	assert_int_equal(got[19], 3);          /* highest sequence number */
	assert_int_equal(recv(t.fd[2], got, sizeof(got), 0), -1);
	rtp_leg_close(t.leg, "bye");
	call_end(t.call, "bye");
	close_all();
}

static void test_the_next_pair_when_one_is_somebody_elses(void **state)
{
	struct rtp_ports *two;
	struct sockaddr_storage sa;
	struct addr odd;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	open_all();
	/* the odd one of the first pair is taken */
	odd = t.at[0];
	odd.port = FIRST + 1;
	const socklen_t n = addr_to_sockaddr(&sa, &odd);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	assert_int_equal(rtp_ports_new(&two, &odd, FIRST, FIRST + 3, t.timers),
			 0);
	rtp_ports_free(t.ports);
	t.ports = two;
	open_leg(&rows[0]);
	assert_int_equal(rtp_leg_address(t.leg).port, FIRST + 2);

	struct rtp_leg *none = NULL;
	assert_int_equal(rtp_leg_open(&none, &t.cfg), -EADDRNOTAVAIL);
	assert_null(none);
	/* the call ends, and with it the leg */
	call_end(t.call, "bye");
	assert_true(t.ended);
	rtp_leg_close(t.leg, NULL);
	assert_int_equal(rtp_ports_used(t.ports), 0);
	close(fd);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_reports_go_to_the_signalled_address_only),
		cmocka_unit_test(test_the_next_pair_when_one_is_somebody_elses),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
