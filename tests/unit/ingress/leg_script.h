/**
 * @file leg_script.h  A leg on real sockets of the loopback, time by hand
 *
 * A script is steps "WORD ARGS;":
 *
 *   rtp WHO SSRC PT SEQ N   N packets 20 ms apart; WHO is a sender below
 *   raw WHO HEX             one datagram
 *   rtcp WHO HEX            the same to the RTCP port
 *   wait MS
 *   move WHO                another address is signalled
 *   srtp WHO KEY SSRC PT SEQ N   as rtp, encrypted; KEY is k, l or m
 *   srtcp WHO KEY HEX       as rtcp
 *   key KEY                 another key is signalled; -: none
 *   same                    the same one is, again
 *   hold, resume
 *
 * Senders: a 127.0.0.1, b the same with another port, x 127.0.0.2, y
 * 127.0.0.3.  Each packet is 160 bytes of its SSRC.  What comes of it: "WORD@MS"
 * for notes, "SSRC:PACKETS" in order of what was heard, "over@MS" (timed out).
 */
#pragma once

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
#include <srtp2/srtp.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/log.h"
#include "daemon/base/number.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/media/rtcp.h"
#include "daemon/media/srtp.h"
#include "tests/unit/call/law.h"

enum { SENDERS = 4, KEYS = 3, BASE_S = 1700000000, FIRST = 30100, LAST = 30399 };

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
	srtp_t key[KEYS];        /* of the library: ours is not asked */
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

static unsigned key_at(const char *word)
{
	const char *at = strchr("klm", word[0]);

	assert_non_null(at);
	return (unsigned)(at - "klm") % KEYS;
}

static struct srtp_key key_of(unsigned i)
{
	struct srtp_key k = { .suite = SRTP_AES_CM_128_80 };

	memset(k.key, (int)i + 1, srtp_key_len(k.suite));
	return k;
}

/* NULL: plain */
static void send_rtp(unsigned from, srtp_t key, unsigned ssrc, unsigned pt,
		     unsigned seq)
{
	_Alignas(8) uint8_t p[172 + SRTP_MAX_TRAILER_LEN] = {
		0x80, (uint8_t)pt, (uint8_t)(seq >> 8), (uint8_t)seq };
	const uint32_t ts = seq * 160;

	for (unsigned i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(ts >> (24 - 8 * i));
	p[11] = (uint8_t)ssrc;
	memset(p + 12, (int)ssrc, 160);
	int n = 172;
	if (key)
		assert_int_equal(srtp_protect(key, p, &n), 0);
	send_to(from, 0, p, (size_t)n);
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
	char *save, *word[7] = {0};
	_Alignas(8) uint8_t raw[256];
	unsigned n = 0;

	for (char *w = strtok_r(words, " ", &save); w && n < ARRAY_LEN(word);
	     w = strtok_r(NULL, " ", &save))
		word[n++] = w;
	if (n == 0)
		return;
	if (!strcmp(word[0], "rtp")) {
		for (unsigned i = 0; i < number(word[5]); i++) {
			send_rtp(who(word[1]), NULL, number(word[2]),
				 number(word[3]), number(word[4]) + i);
			pass_ms(20);
		}
	} else if (!strcmp(word[0], "srtp")) {
		for (unsigned i = 0; i < number(word[6]); i++) {
			send_rtp(who(word[1]), t.key[key_at(word[2])],
				 number(word[3]), number(word[4]),
				 number(word[5]) + i);
			pass_ms(20);
		}
	} else if (!strcmp(word[0], "srtcp")) {
		int len = (int)unhex(raw, word[3]);

		assert_int_equal(srtp_protect_rtcp(t.key[key_at(word[2])], raw,
						   &len), 0);
		send_to(who(word[1]), 1, raw, (size_t)len);
	} else if (!strcmp(word[0], "raw") || !strcmp(word[0], "rtcp")) {
		send_to(who(word[1]), word[0][1] == 't', raw,
			unhex(raw, n > 2 ? word[2] : ""));
	} else if (!strcmp(word[0], "wait")) {
		pass_ms(number(word[1]));
	} else {
		if (!strcmp(word[0], "move"))
			t.cfg.remote.at = t.at[who(word[1])];
		else if (!strcmp(word[0], "key"))
			t.cfg.remote.key = word[1][0] == '-'
				? (struct srtp_key){ 0 }
				: key_of(key_at(word[1]));
		else if (!strcmp(word[0], "hold"))
			t.cfg.remote.on_hold = true;
		else if (!strcmp(word[0], "resume"))
			t.cfg.remote.on_hold = false;
		else
			assert_string_equal(word[0], "same");
		assert_int_equal(rtp_leg_update(t.leg, &t.cfg.remote), 0);
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

struct row {
	const char *name;
	char signalled;          /* who; '-': nobody */
	enum rtp_source source;
	const char *script;
	const char *want;
	uint64_t foreign, rtcp, odd, refused;
};

static void open_leg(const struct row *r)
{
	struct receiver_config usual;

	receiver_config_default(&usual);
	t.cfg = (struct rtp_leg_config){
		.loop = &t.loop, .timers = t.timers, .ports = t.ports,
		.bind = t.at[0], .call = t.call, .source = r->source,
		.info = { .role = ROLE_CALLER, .codec = "PCMU" },
		.timed_out = on_timed_out, .timeout_us = 60000000,
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

static void open_keys(void)
{
	const struct srtp_key any = key_of(0);
	struct srtp_in first = { 0 }; /* makes the library's tables */

	assert_int_equal(srtp_in_set(&first, &any), 0);
	srtp_in_clear(&first);
	for (unsigned i = 0; i < KEYS; i++) {
		struct srtp_key k = key_of(i);
		srtp_policy_t p = { .ssrc = { .type = ssrc_any_outbound },
				    .window_size = 128, .key = k.key };

		srtp_crypto_policy_set_rtp_default(&p.rtp);
		srtp_crypto_policy_set_rtcp_default(&p.rtcp);
		assert_int_equal(srtp_create(&t.key[i], &p), 0);
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
	open_keys();
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
	for (unsigned i = 0; i < KEYS; i++)
		srtp_dealloc(t.key[i]);
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
			   s.short_or_odd == r->odd && s.refused == r->refused;
	if (!right)
		print_error("%s: \"%s\", %u foreign, %u RTCP, %u odd, "
			    "%u refused\n", r->name, buf_str(&t.out),
			    (unsigned)s.foreign, (unsigned)s.rtcp,
			    (unsigned)s.short_or_odd, (unsigned)s.refused);
	close_all();
	return right;
}

static void play_rows(const struct row *rows, size_t n)
{
	bool right = true;

	for (size_t i = 0; i < n; i++)
		right &= play_row(&rows[i]);
	assert_true(right);
}
