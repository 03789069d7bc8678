/**
 * @file tap_script.h  What a tap makes of packets that are written down
 *
 * A script is lines "MS WORD ...", put in order of time:
 *
 *   0 INVITE CALLID FTAG TTAG CSEQ [SDP]   a request (INVITE, ACK, BYE ...)
 *   0 200 CALLID FTAG TTAG CSEQ [SDP]      an answer to an INVITE
 *   0 200:BYE ...                          an answer to another method
 *   0 tcp:INVITE ...                       the same over TCP, in pieces
 *   0 rtp FROM>TO SSRC PT SEQ [N [STEP]]   N packets 20 ms apart (SEQ + STEP)
 *   0 zrtp FROM>TO                         a ZRTP Commit
 *   0 raw FROM>TO HEX                      anything
 *   0 wait                                 time passes up to here
 *   0 end                                  tap_end(): nothing comes after it
 *
 * TTAG "-": none.  SDP: one word for each m-line, ADDR:PORT/PT,PT=NAME,...
 * with a '!' behind it for RTP/SAVP, or a '^' for sendonly.  A CALLID that
 * begins with "rec" is a recorder's, with "sid" it has a Session-ID, which is
 * told behind "+C1 FROM>TO".  The payload of a packet is its SSRC, 160 times.
 *
 * What comes of it, a line each: "+C1 FROM>TO", "+C1.1 ROLE CODEC FROM>TO
 * SSRC", "C1.1 state REASON", "C1.1 ssrc" (a discontinuity), "C1.1 loss MS",
 * "-C1.1 REASON SAMPLES of SSRC,..." (whose audio it was), "-C1 REASON".
 * Calls are numbered as they come.
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

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/number.h"
#include "daemon/ingress/tap.h"
#include "tests/unit/call/law.h"

enum { TAP_BASE_S = 1700000000, TAP_EVENTS = 20000, TAP_LEGS = 400 };

struct tap_event {
	uint64_t at_us;
	unsigned order;
	struct buf data;
	struct addr from, to;
	bool tcp, end;
};

struct tap_heard {
	char leg[EVENT_ID];
	bool of[128];          /* SSRC */
	uint64_t samples;
};

static struct {
	struct timers *timers;
	struct calls *calls;
	struct tap *tap;
	struct tap_event events[TAP_EVENTS];
	unsigned n_events;
	char ids[TAP_LEGS][EVENT_ID];
	unsigned n_ids;
	struct tap_heard heard[TAP_LEGS];
	unsigned n_heard;
	struct buf out;
	uint32_t tcp_seq;
	bool quiet;            /* no media.loss lines */
} tp;

/* -- what comes out ---------------------------------------------------------------- */

static unsigned tap_number(const char *call)
{
	for (unsigned i = 0; i < tp.n_ids; i++)
		if (!strcmp(tp.ids[i], call))
			return i + 1;
	return 0;
}

static const char *tap_leg_number(const char *leg)
{
	const char *dot = strrchr(leg, '.');

	return dot ? dot : "?";
}

static void tap_on_end(const struct event *e)
{
	buf_printf(&tp.out, "-C%u%s %s %u", tap_number(e->call),
		   tap_leg_number(e->leg), e->leg_end.reason,
		   (unsigned)e->leg_end.received);
	assert_int_equal(e->leg_end.received,
			 e->leg_end.sent + e->leg_end.lost);
	for (unsigned i = 0; i < tp.n_heard; i++) {
		const char *sep = " of ";

		if (strcmp(tp.heard[i].leg, e->leg) != 0)
			continue;
		for (unsigned s = 0; s < 128; s++)
			if (tp.heard[i].of[s]) {
				buf_printf(&tp.out, "%s%u", sep, s);
				sep = ",";
			}
	}
	buf_puts(&tp.out, "\n");
}

static void tap_on_event(const struct event *e, void *arg)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	(void)arg;
	switch (e->type) {
	case EVENT_CALL_START:
		assert_int_equal(tap_number(e->call), 0);
		assert_true(tp.n_ids < TAP_LEGS);
		snprintf(tp.ids[tp.n_ids++], EVENT_ID, "%s", e->call);
		buf_printf(&tp.out, "+C%u %s>%s", tap_number(e->call),
			   e->call_start.from ? e->call_start.from : "",
			   e->call_start.to ? e->call_start.to : "");
		for (size_t i = 0; i < e->call_start.n_ids; i++)
			if (!strcmp(e->call_start.ids[i].name, "Session-ID"))
				buf_printf(&tp.out, " %s",
					   e->call_start.ids[i].value);
		buf_puts(&tp.out, "\n");
		break;
	case EVENT_LEG_START:
		buf_printf(&tp.out, "+C%u%s %s %s %s>%s %u\n",
			   tap_number(e->call), tap_leg_number(e->leg),
			   role_name(e->role),
			   e->leg_start.codec ? e->leg_start.codec : "?",
			   addr_print(src, &e->leg_start.rtp.src),
			   addr_print(dst, &e->leg_start.rtp.dst),
			   (unsigned)e->leg_start.rtp.ssrc);
		break;
	case EVENT_LEG_STATE:
		buf_printf(&tp.out, "C%u%s state %s\n", tap_number(e->call),
			   tap_leg_number(e->leg), e->leg_state.reason);
		break;
	case EVENT_DISCONTINUITY:
		buf_printf(&tp.out, "C%u%s %s\n", tap_number(e->call),
			   tap_leg_number(e->leg), e->discontinuity.kind);
		break;
	case EVENT_GAP:
		if (!tp.quiet)
			buf_printf(&tp.out, "C%u%s loss %u\n",
				   tap_number(e->call), tap_leg_number(e->leg),
				   (unsigned)(e->gap.end - e->gap.start) / 8);
		break;
	case EVENT_LEG_END:
		tap_on_end(e);
		break;
	case EVENT_CALL_END:
		buf_printf(&tp.out, "-C%u %s\n", tap_number(e->call),
			   e->call_end.reason);
		break;
	default:
		break;
	}
	if (e->type != EVENT_CALL_START)
		assert_int_not_equal(tap_number(e->call), 0);
}

static void *tap_audio_open(const char *leg, void *arg)
{
	struct tap_heard *h = &tp.heard[tp.n_heard++];

	(void)arg;
	assert_true(tp.n_heard <= TAP_LEGS);
	snprintf(h->leg, sizeof(h->leg), "%s", leg);
	return h;
}

static void tap_audio(void *handle, const int16_t *pcm, uint64_t n)
{
	struct tap_heard *h = handle;

	for (uint64_t i = 0; pcm && i < n; i++)
		for (unsigned s = 1; s < 128; s++)
			h->of[s] |= pcm[i] == law_mu((uint8_t)s) ||
				    pcm[i] == law_a((uint8_t)s);
	h->samples += n;
}

static void tap_audio_close(void *handle)
{
	(void)handle;
}

static struct service *tap_choose(const struct leg_facts *f, void *arg)
{
	(void)f;
	(void)arg;
	return NULL;
}

/* -- what goes in -------------------------------------------------------------------- */

static struct tap_event *tap_add(double ms)
{
	struct tap_event *e = &tp.events[tp.n_events];

	assert_true(tp.n_events < TAP_EVENTS);
	*e = (struct tap_event){
		.at_us = TAP_BASE_S * (uint64_t)1000000 +
			 (uint64_t)(ms * 1000),
		.order = tp.n_events++,
	};
	return e;
}

static struct addr tap_addr(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct addr a;
	uint64_t port = 0;

	if (!colon || addr_parse(&a, text, (size_t)(colon - text)) ||
	    number_parse(&port, colon + 1, strlen(colon + 1), 65535))
		fail_msg("no address: %s", text);
	a.port = (uint16_t)port;
	return a;
}

static void tap_pair(struct tap_event *e, char *text)
{
	char *to = strchr(text, '>');

	assert_non_null(to);
	*to++ = '\0';
	e->from = tap_addr(text);
	e->to = tap_addr(to);
}

/* "10.0.0.1:4000/0,101=telephone-event!" as an m-line. */
static void tap_media(struct buf *sdp, char *word)
{
	char *formats = strchr(word, '/');
	const size_t len = strlen(word);
	const bool secret = word[len - 1] == '!';
	const bool sent = word[len - 1] == '^';
	struct buf maps = {0};

	assert_non_null(formats);
	*formats++ = '\0';
	if (secret || sent)
		word[len - 1] = '\0';
	const struct addr a = tap_addr(word);
	char ip[ADDR_TEXT];
	const struct addr bare = addr_v4(a.ip, 0);

	buf_printf(sdp, "m=audio %u RTP/%s", a.port, secret ? "SAVP" : "AVP");
	for (char *f; (f = strsep(&formats, ","));) {
		char *name = strchr(f, '=');

		if (name) {
			*name++ = '\0';
			buf_printf(&maps, "a=rtpmap:%s %s%s\r\n", f, name,
				   strchr(name, '/') ? "" : "/8000");
		}
		buf_printf(sdp, " %s", f);
	}
	buf_printf(sdp, "\r\nc=IN IP4 %s\r\n%s%s", addr_print(ip, &bare),
		   buf_str(&maps), sent ? "a=sendonly\r\n" : "");
	buf_free(&maps);
}

static void tap_message(struct tap_event *e, char *what, char *rest)
{
	struct buf sdp = {0};
	char *word[5] = { what };

	for (int i = 1; i < 5; i++)
		if (!(word[i] = strsep(&rest, " ")))
			fail_msg("%s: too short", what);
	for (char *m; (m = strsep(&rest, " "));) {
		if (!sdp.len)
			buf_puts(&sdp, "v=0\r\no=- 1 1 IN IP4 10.9.0.1\r\n"
				       "s=-\r\nt=0 0\r\n");
		tap_media(&sdp, m);
	}

	const char *method = strchr(what, ':');
	const bool answer = what[0] >= '0' && what[0] <= '9';

	if (answer)
		buf_printf(&e->data, "SIP/2.0 %.3s Said\r\n", what);
	else
		buf_printf(&e->data, "%s sip:bob@example.net SIP/2.0\r\n",
			   what);
	buf_printf(&e->data,
		   "Via: SIP/2.0/UDP 10.9.0.1:5060;branch=z9hG4bK%s%s\r\n"
		   "Max-Forwards: 70\r\n"
		   "From: <sip:alice@example.net>;tag=%s\r\n"
		   "To: <sip:bob@example.net>%s%s\r\n"
		   "Call-ID: %s\r\nCSeq: %s %s\r\n"
		   "Contact: <sip:x@10.9.0.1>\r\n%s%sContent-Length: %zu"
		   "\r\n\r\n%s",
		   word[4], word[1], word[2], strcmp(word[3], "-") ? ";tag=" : "",
		   strcmp(word[3], "-") ? word[3] : "", word[1], word[4],
		   !answer ? what : method ? method + 1 : "INVITE",
		   strncmp(word[1], "rec", 3)
			   ? strncmp(word[1], "sid", 3)
				     ? "" : "Session-ID: ab;remote=cd\r\n"
			   : "Require: siprec\r\n",
		   sdp.len ? "Content-Type: application/sdp\r\n" : "",
		   sdp.len, buf_str(&sdp));
	buf_free(&sdp);
	e->from = tap_addr("10.9.0.1:5060");
	e->to = tap_addr("10.9.0.2:5060");
}

static void tap_tcp_message(double ms, char *what, char *rest)
{
	struct tap_event whole = {0};

	tap_message(&whole, what, rest);
	for (size_t at = 0; at < whole.data.len;) {
		const size_t n = MIN(whole.data.len - at, (size_t)300);
		struct tap_event *e = tap_add(ms);

		e->tcp = true;
		e->from = whole.from;
		e->to = whole.to;
		buf_add(&e->data, whole.data.data + at, n);
		at += n;
	}
	buf_free(&whole.data);
}

static unsigned tap_arg(char **rest, unsigned otherwise)
{
	const char *word = strsep(rest, " ");
	uint64_t v = 0;

	if (!word)
		return otherwise;
	if (number_parse(&v, word, strlen(word), UINT32_MAX))
		fail_msg("no number: %s", word);
	return (unsigned)v;
}

static void tap_rtp_packets(double ms, char *rest)
{
	char *pair = strsep(&rest, " ");
	const unsigned ssrc = tap_arg(&rest, 0), pt = tap_arg(&rest, 0);
	unsigned seq = tap_arg(&rest, 0);
	const unsigned n = tap_arg(&rest, 1), step = tap_arg(&rest, 1);

	for (unsigned i = 0; i < n; i++, seq += step) {
		const uint32_t ts = seq * 160;
		const uint8_t head[12] = {
			0x80, (uint8_t)pt, (uint8_t)(seq >> 8), (uint8_t)seq,
			(uint8_t)(ts >> 24), (uint8_t)(ts >> 16),
			(uint8_t)(ts >> 8), (uint8_t)ts, (uint8_t)(ssrc >> 24),
			(uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8),
			(uint8_t)ssrc,
		};
		struct tap_event *e = tap_add(ms + 20 * i);
		char copy[2 * ADDR_TEXT];

		snprintf(copy, sizeof(copy), "%s", pair);
		tap_pair(e, copy);
		buf_add(&e->data, head, sizeof(head));
		memset(buf_room(&e->data, 160), (int)ssrc, 160);
		e->data.len += 160;
	}
}

static void tap_hex(struct buf *out, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		char digits[3] = { hex[0], hex[1], 0 };
		const uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);

		buf_add(out, &byte, 1);
	}
}

static void tap_line(char *line)
{
	const double ms = strtod(strsep(&line, " "), NULL);
	char *word = strsep(&line, " ");

	assert_non_null(word);
	if (!strcmp(word, "rtp")) {
		tap_rtp_packets(ms, line);
	} else if (!strcmp(word, "zrtp") || !strcmp(word, "raw")) {
		struct tap_event *e = tap_add(ms);

		tap_pair(e, strsep(&line, " "));
		tap_hex(&e->data, word[0] == 'r' ? line
			: "100012345a525450" "00000001" "505a001d"
			  "436f6d6d69742020" "0000000000000000");
	} else if (!strcmp(word, "wait")) {
		tap_add(ms);
	} else if (!strcmp(word, "end")) {
		tap_add(ms)->end = true;
	} else if (!strncmp(word, "tcp:", 4)) {
		tap_tcp_message(ms, word + 4, line);
	} else {
		tap_message(tap_add(ms), word, line);
	}
}

static int tap_by_time(const void *a, const void *b)
{
	const struct tap_event *x = a, *y = b;

	if (x->at_us != y->at_us)
		return x->at_us < y->at_us ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* -- running it -------------------------------------------------------------------------- */

static void tap_feed(const struct tap_event *e)
{
	/* an exact block, so that reading beyond it is seen */
	uint8_t *data = malloc(e->data.len);
	struct decap_packet p = {
		.kind = e->tcp ? DECAP_TCP : DECAP_UDP, .from = e->from,
		.to = e->to, .data = data, .len = e->data.len,
		.wire_len = e->data.len, .tcp_seq = tp.tcp_seq,
		.tcp_flags = DECAP_ACK,
	};

	assert_non_null(data);
	memcpy(data, e->data.data, e->data.len);
	if (e->tcp)
		tp.tcp_seq += (uint32_t)e->data.len;
	tap_packet(tp.tap, &p, e->at_us);
	free(data);
}

static void tap_begin(void)
{
	const struct calls_config cc = {
		.events = { .emit = tap_on_event },
		.audio = { .open = tap_audio_open, .samples = tap_audio,
			   .close = tap_audio_close },
		.choose = tap_choose, .backlog = 240000,
	};

	memset(&tp, 0, sizeof(tp));
	assert_int_equal(timers_new(&tp.timers), 0);

	struct calls_config cfg = cc;
	cfg.timers = tp.timers;
	assert_int_equal(calls_new(&tp.calls, &cfg), 0);
	const struct tap_config tc = { .calls = tp.calls, .timers = tp.timers,
				       .source = "replay" };
	assert_int_equal(tap_new(&tp.tap, &tc), 0);
}

static void tap_finish(void)
{
	tap_free(tp.tap);
	calls_free(tp.calls);
	timers_free(tp.timers);
	buf_free(&tp.out);
}

/** Put a script's lines into the list, feed all, and free them. */
static void tap_play(const char *script)
{
	char *copy = strdup(script), *rest = copy;

	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (line[0])
			tap_line(line);
	free(copy);
	qsort(tp.events, tp.n_events, sizeof(*tp.events), tap_by_time);
	for (unsigned i = 0; i < tp.n_events; i++) {
		timers_run(tp.timers, tp.events[i].at_us);
		if (tp.events[i].end)
			tap_end(tp.tap, "capture_end");
		else if (tp.events[i].data.len)
			tap_feed(&tp.events[i]);
		buf_free(&tp.events[i].data);
	}
	tp.n_events = 0;
}
