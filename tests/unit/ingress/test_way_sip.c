/**
 * @file test_way_sip.c  The SIP server with time by hand: what is sent again,
 *                       what ends by itself, what is forgotten
 *
 * A script is steps "WORD ARGS;".  What comes of it: "STATUS@MS" for answers,
 * "METHOD@MS" for requests of ours, "start@MS" and "end:REASON@MS" for calls.
 *
 *   invite [HEADER]     with an SDP; the same again without a new one: again
 *   again               the last request, byte by byte
 *   ack, bye, update [HEADER], hold
 *   ok                  200 to our BYE
 *   rtp                 a packet of audio
 *   strangers N         OPTIONS of somebody else; "N:ANSWERS"
 *   wait MS
 */
#include "daemon/ingress/way.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/log.h"
#include "daemon/base/number.h"

enum { BASE_S = 1700000000, FIRST = 30500, LAST = 30599 };

extern const struct way way_sip;

static struct {
	uv_loop_t loop;
	struct timers *timers;
	struct calls *calls;
	struct rtp_ports *ports;
	struct config *config;
	void *way;
	int fd, media;
	struct addr server, client, leg;
	struct buf out, last;
	char to_tag[64];
	char bye[4096];
	unsigned call, cseq;
} t;

static unsigned now_ms(void)
{
	return (unsigned)((timers_now_us(t.timers) -
			   (uint64_t)BASE_S * 1000000) / 1000);
}

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	if (e->type == EVENT_CALL_START)
		buf_printf(&t.out, "start@%u ", now_ms());
	else if (e->type == EVENT_CALL_END)
		buf_printf(&t.out, "end:%s@%u ", e->call_end.reason, now_ms());
}

static struct service *choose(const struct leg_facts *f, void *chooser)
{
	(void)f;
	(void)chooser;
	return NULL;
}

/* -- the client ---------------------------------------------------------------- */

static int bound(struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(&sa, at);
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	assert_int_equal(addr_from_sockaddr(at, (struct sockaddr *)&sa), 0);
	return fd;
}

static void put(int fd, const struct addr *to, const void *data, size_t len)
{
	struct sockaddr_storage sa;
	const socklen_t n = addr_to_sockaddr(&sa, to);

	assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&sa, n),
			 len);
	/* the loopback has delivered when sendto() returns */
	for (int i = 0; i < 3; i++)
		uv_run(&t.loop, UV_RUN_NOWAIT);
}

static void take_answer(const char *text)
{
	const char *tag = strstr(strstr(text, "\r\nTo: "), ";tag=");
	const char *audio = strstr(text, "\r\nm=audio ");

	if (tag && !strncmp(text, "SIP/2.0 200", 11))
		snprintf(t.to_tag, sizeof(t.to_tag), "%.*s",
			 (int)strcspn(tag + 5, ";\r"), tag + 5);
	if (audio) {
		t.leg = t.server;
		t.leg.port = (uint16_t)strtoul(audio + 10, NULL, 10);
	}
	buf_printf(&t.out, "%.3s@%u ", text + 8, now_ms());
}

static void drain(void)
{
	char text[4096];
	ssize_t n;

	while ((n = recv(t.fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = 0;
		if (!strncmp(text, "SIP/2.0 ", 8)) {
			take_answer(text);
			continue;
		}
		snprintf(t.bye, sizeof(t.bye), "%s", text);
		buf_printf(&t.out, "%.*s@%u ", (int)strcspn(text, " "), text,
			   now_ms());
	}
}

static void say(const char *method, unsigned cseq, const char *header,
		const char *direction)
{
	char text[ADDR_TEXT], media[ADDR_TEXT], sdp[256] = "";
	struct addr at = t.client;

	at.port = 0;
	addr_print(media, &at);
	if (direction)
		snprintf(sdp, sizeof(sdp), "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\n"
			 "c=IN IP4 %s\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
			 "a=%s\r\n", media, media, direction);
	addr_print(text, &t.client);
	buf_clear(&t.last);
	buf_printf(&t.last, "%s sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch="
		   "z9hG4bK%u%s;rport\r\nFrom: <sip:a@x>;tag=f\r\nTo: <sip:b@x>"
		   "%s%s\r\nCall-ID: c%u\r\nCSeq: %u %s\r\nContact: <sip:a@%s>"
		   "\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", method, text, cseq,
		   method, *t.to_tag ? ";tag=" : "", t.to_tag, t.call, cseq,
		   method, text, header, *header ? "\r\n" : "",
		   *sdp ? "Content-Type: application/sdp\r\n" : "",
		   strlen(sdp), sdp);
	put(t.fd, &t.server, t.last.data, t.last.len);
	drain();
}

static void say_ok(void)
{
	struct buf b = { 0 };
	char *line = strstr(t.bye, "\r\n") + 2;

	buf_puts(&b, "SIP/2.0 200 OK\r\n");
	while (*line && *line != '\r') {
		const size_t n = (size_t)(strstr(line, "\r\n") + 2 - line);

		if (strncmp(line, "Max", 3) && strncmp(line, "Route", 5))
			buf_add(&b, line, n);
		line += n;
	}
	buf_puts(&b, "\r\n");
	put(t.fd, &t.server, b.data, b.len);
	buf_free(&b);
	drain();
}

static void wait_ms(unsigned ms)
{
	const uint64_t until = timers_now_us(t.timers) + ms * 1000ull;

	while (timers_next_us(t.timers) <= until) {
		timers_run(t.timers, timers_next_us(t.timers));
		drain();
	}
	timers_run(t.timers, until);
	drain();
}

static void send_rtp(void)
{
	uint8_t packet[172] = { 0x80, 0 };

	packet[3] = (uint8_t)now_ms();
	put(t.media, &t.leg, packet, sizeof(packet));
}

static void strangers(unsigned n)
{
	static const uint8_t ip[4] = { 127, 0, 0, 2 };
	struct addr at = addr_v4(ip, 0);
	const int mine = t.fd, fd = bound(&at);
	unsigned answers = 0;
	char text[2048];

	t.fd = fd;
	for (unsigned i = 0; i < n; i++) {
		const size_t before = t.out.len;
		ssize_t got;

		snprintf(text, sizeof(text), "OPTIONS sip:b SIP/2.0\r\nVia: "
			 "SIP/2.0/UDP x;branch=z9hG4bK%u;rport\r\nFrom: <sip:"
			 "a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: %u\r\nCSeq: 1 "
			 "OPTIONS\r\n\r\n", i, i);
		put(fd, &t.server, text, strlen(text));
		while ((got = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
			assert_memory_equal(text, "SIP/2.0 403", 11);
			answers++;
		}
		assert_int_equal(t.out.len, before);
	}
	buf_printf(&t.out, "%u:%u ", n, answers);
	close(fd);
	t.fd = mine;
}

static void step(const char *word, const char *rest)
{
	if (!strcmp(word, "invite")) {
		t.to_tag[0] = 0;
		t.call++;
		t.cseq = 1;
		say("INVITE", 1, rest, "sendrecv");
	} else if (!strcmp(word, "hold")) {
		say("INVITE", ++t.cseq, rest, "inactive");
	} else if (!strcmp(word, "ack")) {
		say("ACK", t.cseq, "", NULL);
	} else if (!strcmp(word, "bye")) {
		say("BYE", ++t.cseq, "", NULL);
	} else if (!strcmp(word, "update")) {
		say("UPDATE", ++t.cseq, rest, NULL);
	} else if (!strcmp(word, "again")) {
		put(t.fd, &t.server, t.last.data, t.last.len);
		drain();
	} else if (!strcmp(word, "ok")) {
		say_ok();
	} else if (!strcmp(word, "rtp")) {
		send_rtp();
	} else if (!strcmp(word, "strangers")) {
		strangers((unsigned)strtoul(rest, NULL, 10));
	} else if (!strcmp(word, "wait")) {
		wait_ms((unsigned)strtoul(rest, NULL, 10));
	} else {
		fail_msg("%s", word);
	}
}

static void play(const char *script)
{
	while (*script) {
		char word[16], rest[200];
		const size_t n = strcspn(script, ";");
		const size_t w = strcspn(script, " ;");
		const size_t gap = w < n;

		snprintf(word, sizeof(word), "%.*s", (int)w, script);
		snprintf(rest, sizeof(rest), "%.*s", (int)(n - w - gap),
			 script + w + gap);
		/* a header's ';' is written '|' */
		for (char *c = rest; *c; c++)
			if (*c == '|')
				*c = ';';
		step(word, rest);
		script += n + (script[n] == ';');
		script += strspn(script, " ");
	}
}

static unsigned quiet;

static void on_quiet(void *arg)
{
	(void)arg;
	quiet++;
}

/* -- rows -------------------------------------------------------------------------- */

static void open_all(const char *more)
{
	static const uint8_t ip[4] = { 127, 0, 0, 1 };
	char at[ADDR_TEXT];
	struct buf text = { 0 }, errors = { 0 };
	struct reason why = { 0 };

	memset(&t, 0, sizeof(t));
	uv_loop_init(&t.loop);
	assert_int_equal(timers_new(&t.timers), 0);
	timers_run(t.timers, (uint64_t)BASE_S * 1000000);
	t.client = t.server = t.leg = addr_v4(ip, 0);
	t.fd = bound(&t.client);
	t.media = bound(&t.leg);
	close(bound(&t.server)); /* a port that is free */
	assert_int_equal(rtp_ports_new(&t.ports, &t.server, FIRST, LAST,
				       t.timers), 0);
	buf_printf(&text, "sip { listen = {\"udp:%s\"} %s }\n",
		   addr_print(at, &t.server), more);
	assert_int_equal(config_parse(&t.config, "t", buf_str(&text), text.len,
				      &errors), 0);
	const struct calls_config cc = {
		.loop = &t.loop, .timers = t.timers,
		.events = { on_event, NULL }, .choose = choose,
		.backlog = 240000,
	};
	assert_int_equal(calls_new(&t.calls, &cc), 0);
	const struct way_config wc = {
		.loop = &t.loop, .config = t.config, .timers = t.timers,
		.calls = t.calls, .ports = t.ports, .quiet = on_quiet,
	};
	assert_true(way_sip.wanted(t.config));
	if (way_sip.open(&t.way, &wc, &why))
		fail_msg("%s", why.text);
	buf_free(&text);
	buf_free(&errors);
}

static void close_all(void)
{
	way_sip.close(t.way);
	assert_int_equal(rtp_ports_used(t.ports), 0);
	calls_free(t.calls);
	rtp_ports_free(t.ports);
	timers_free(t.timers);
	config_free(t.config);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t.loop), 0);
	close(t.fd);
	close(t.media);
	buf_free(&t.out);
	buf_free(&t.last);
}

#define TIMER "Supported: timer\r\nSession-Expires: "
#define BYES(a, b, c, d, e, f, g, h, i, j) "BYE@" a " BYE@" b " BYE@" c        \
	" BYE@" d " BYE@" e " BYE@" f " BYE@" g " BYE@" h " BYE@" i " BYE@" j

static const struct {
	const char *name, *more, *script, *want;
} rows[] = {
	{ "confirmed", "", "invite; ack; wait 100000",
	  "start@0 200@0 " },
	{ "no ACK: 32 s, then BYE, and that for 32 s", "",
	  "invite; wait 31999; wait 1; wait 100000",
	  "start@0 200@0 200@500 200@1500 200@3500 200@7500 200@11500 "
	  "200@15500 200@19500 200@23500 200@27500 200@31500 end:no_ack@32000 "
	  "BYE@32000 " BYES("32500", "33500", "35500", "39500", "43500", "47500",
	  "51500", "55500", "59500", "63500") " " },
	{ "the first ACK was lost", "", "invite; wait 600; ack; wait 90000",
	  "start@0 200@0 200@500 " },
	{ "the answer is answered again", "", "invite; again; wait 1; again; ack; "
	  "wait 40000", "start@0 200@0 200@0 200@1 " },
	{ "our BYE is answered", "max-call-duration = \"10s\"",
	  "invite; ack; wait 9999; wait 1; ok; wait 90000",
	  "start@0 200@0 end:max_duration@10000 BYE@10000 " },
	{ "both say BYE", "max-call-duration = \"10s\"",
	  "invite; ack; wait 10000; bye; wait 90000", "start@0 200@0 "
	  "end:max_duration@10000 BYE@10000 200@10000 " },

	{ "no refresh: 30 s before the end", "",
	  "invite " TIMER "90; ack; wait 59999; wait 1; ok",
	  "start@0 200@0 end:session_expired@60000 BYE@60000 " },
	{ "32 s before the end", "", "invite " TIMER "1800; ack; wait 1767999;"
	  "wait 1; ok", "start@0 200@0 end:session_expired@1768000 "
	  "BYE@1768000 " },
	{ "refreshed", "", "invite " TIMER "90; ack; wait 50000; update " TIMER
	  "90; wait 50000; update " TIMER "90; wait 60000; ok",
	  "start@0 200@0 200@50000 200@100000 end:session_expired@160000 "
	  "BYE@160000 " },
	{ "refreshed by an offer", "", "invite " TIMER "90; ack; wait 50000; hold "
	  TIMER "120; ack; wait 87999; wait 1; ok", "start@0 200@0 200@50000 "
	  "end:session_expired@138000 BYE@138000 " },
	{ "the timer is given up", "", "invite " TIMER "90; ack; wait 50000;"
	  "update; wait 90000", "start@0 200@0 200@50000 " },
	{ "a refused one refreshes nothing", "", "invite " TIMER "90; ack;"
	  "wait 50000; update " TIMER "9; wait 10000; ok", "start@0 200@0 "
	  "422@50000 end:session_expired@60000 BYE@60000 " },
	{ "they want us to refresh: no timer", "", "invite " TIMER
	  "90|refresher=uas; ack; wait 200000", "start@0 200@0 " },

	{ "four hours", "", "invite; ack; wait 14399999; wait 1; ok",
	  "start@0 200@0 end:max_duration@14400000 BYE@14400000 " },
	{ "silence ends nothing", "", "invite; ack; wait 3600000",
	  "start@0 200@0 " },
	{ "but where it shall", "media-timeout = \"60s\"",
	  "invite; ack; wait 59999; wait 1; ok", "start@0 200@0 "
	  "end:media_timeout@60000 BYE@60000 " },
	{ "from the last packet on", "media-timeout = \"60s\"", "invite; ack;"
	  "wait 30000; rtp; wait 60000; rtp; wait 60000; wait 15000; ok",
	  "start@0 200@0 end:media_timeout@165000 BYE@165000 " },
	{ "not on hold", "media-timeout = \"60s\"", "invite; ack; wait 30000; hold;"
	  "ack; wait 600000", "start@0 200@0 200@30000 " },

	{ "strangers are told so often and no more", "permit = {\"127.0.0.1\"}",
	  "strangers 250; invite; ack; wait 1000; strangers 30; strangers 150; bye",
	  "250:100 start@0 200@0 30:30 150:70 end:bye@1000 200@1000 " },
	{ "a lost answer to BYE", "", "invite; ack; bye; again; wait 31000; again;"
	  "wait 999; again", "start@0 200@0 end:bye@0 200@0 200@0 200@31000 "
	  "200@31999 " },
	{ "forgotten", "", "invite; ack; bye; wait 32000; again",
	  "start@0 200@0 end:bye@0 200@0 481@32000 " },
	{ "the next call", "", "invite; ack; bye; invite; ack; bye",
	  "start@0 200@0 end:bye@0 200@0 start@0 200@0 end:bye@0 200@0 " },
};

static void test_rows(void **state)
{
	bool right = true;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		open_all(rows[i].more);
		play(rows[i].script);
		if (strcmp(buf_str(&t.out), rows[i].want) != 0) {
			print_error("%s:\n  %s\nfor\n  %s\n", rows[i].name,
				    buf_str(&t.out), rows[i].want);
			right = false;
		}
		close_all();
	}
	assert_true(right);
}

static void test_end_says_bye_to_all(void **state)
{
	(void)state;
	open_all("");
	assert_false(way_sip.busy(t.way));
	play("invite; ack; invite; ack");
	way_sip.drain(t.way);
	play("invite");
	way_sip.resume(t.way);
	way_sip.end(t.way, "drain");
	drain();
	assert_string_equal(buf_str(&t.out),
			    "start@0 200@0 start@0 200@0 503@0 end:drain@0 "
			    "end:drain@0 BYE@0 BYE@0 ");
	quiet = 0;
	/* one is answered, the other has 2 s */
	assert_true(way_sip.busy(t.way));
	play("ok; ");
	buf_clear(&t.out);
	play("wait 1999; ");
	assert_true(way_sip.busy(t.way));
	assert_int_equal(quiet, 0);
	play("wait 1; wait 1000");
	assert_false(way_sip.busy(t.way));
	assert_int_equal(quiet, 1);
	assert_string_equal(buf_str(&t.out), "BYE@500 BYE@1500 ");
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_end_says_bye_to_all),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
