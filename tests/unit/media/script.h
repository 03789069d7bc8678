/**
 * @file script.h  A receiver driven by words: what arrives, what comes out
 *
 * In, each word a packet or a look:
 *   7@20      number 7 arrives at 20 ms; 160 bytes of type 0, every byte 7,
 *             timestamp 7 * 160
 *   7t800@20  its timestamp is 800.  Also: p8 (type), n80 (payload bytes),
 *             w160 (bytes on the wire), s2 (SSRC, else 1), e5 (type 101 with
 *             event 5), d320 (its duration), E (its end)
 *   =80       look at 80 ms
 *   !         no more will come
 *
 * Out:
 *   7:0+160   160 samples, every byte 7, at position 0
 *   s160+80   80 samples silence from 160 on; l160+80: loss
 *   ssrc@240  a discontinuity, or ts@240, codec@240
 *   d5:160+800  the digit 5 at 160, 800 samples long
 *   dup late unknown big    the packet just put was refused
 *
 * Checked for every script: positions join without a gap, the samples add up,
 * what is looked at stays readable until the next call (each datagram has a
 * heap block of its own, gone when receiver_next() has said 0).
 */
#pragma once

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/media/receiver.h"

struct script {
	struct receiver *receiver;
	uint64_t now_us;
	uint64_t pos;          /* where the next item must begin */
	uint64_t samples;
	const char *broken;    /* an invariant that did not hold */
	size_t len;
	char out[8192];
};

__attribute__((format(printf, 2, 3)))
static inline void script_say(struct script *s, const char *fmt, ...)
{
	va_list ap;

	if (s->len && s->len + 1 < sizeof(s->out))
		s->out[s->len++] = ' ';
	va_start(ap, fmt);
	const int n = vsnprintf(s->out + s->len, sizeof(s->out) - s->len, fmt,
				ap);
	va_end(ap);
	s->len += (size_t)n;
	if (s->len >= sizeof(s->out))
		s->len = sizeof(s->out) - 1;
}

static inline void script_audio(struct script *s, const struct media_item *it)
{
	for (size_t i = 1; i < it->bytes; i++) {
		if (it->data[i] != it->data[0])
			s->broken = "bytes of one packet";
	}
	if (it->bytes != it->len * (it->payload == PAYLOAD_L16 ? 2 : 1))
		s->broken = "bytes and samples";
	s->samples += it->len;
	script_say(s, "%u:%" PRIu64 "+%" PRIu64, (unsigned)it->data[0],
		   it->pos, it->len);
}

static inline void script_item(struct script *s, const struct media_item *it)
{
	static const char *const what[] = {
		[BREAK_SSRC] = "ssrc", [BREAK_TIMESTAMP] = "ts",
		[BREAK_CODEC] = "codec",
	};

	if (it->kind == MEDIA_DTMF) {
		script_say(s, "d%c:%" PRIu64 "+%" PRIu64, it->digit, it->pos,
			   it->len);
		return;
	}
	if (it->pos != s->pos)
		s->broken = "positions join";
	if ((it->kind == MEDIA_DISCONTINUITY) != (it->len == 0))
		s->broken = "a length";
	s->pos += it->len;
	if (it->kind == MEDIA_DISCONTINUITY)
		script_say(s, "%s@%" PRIu64, what[it->what], it->pos);
	else if (it->kind == MEDIA_AUDIO)
		script_audio(s, it);
	else
		script_say(s, "%c%" PRIu64 "+%" PRIu64,
			   it->kind == MEDIA_LOSS ? 'l' : 's', it->pos,
			   it->len);
}

static inline void script_look(struct script *s)
{
	struct media_item it;
	struct receiver_stats st;

	while (receiver_next(s->receiver, &it, s->now_us))
		script_item(s, &it);
	receiver_stats(s->receiver, &st);
	if (st.samples != s->samples)
		s->broken = "samples add up";
	if (receiver_position(s->receiver) != s->pos)
		s->broken = "the position";
	if (receiver_deadline_us(s->receiver) <= s->now_us)
		s->broken = "the deadline lies ahead";
}

static inline void script_put(struct script *s, const struct rtp *h)
{
	const int err = receiver_put(s->receiver, h, s->now_us);
	static const struct { int err; const char *word; } said[] = {
		{ -EALREADY, "dup" }, { -ETIMEDOUT, "late" },
		{ -ENOTSUP, "unknown" }, { -EMSGSIZE, "big" },
		{ -ENOBUFS, "full" },
	};

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		if (err == said[i].err)
			script_say(s, "%s", said[i].word);
	}
}

/* @return behind the word */
static const char *script_packet(struct script *s, const char *at)
{
	char *end;
	struct rtp h = { .ssrc = 1, .len = 160 };
	uint8_t event[4] = { 0 };
	uint8_t *payload;

	h.seq = (uint16_t)strtoul(at, &end, 10);
	h.ts  = h.seq * 160u;
	while (*end && *end != '@') {
		const char key = *end++;
		const unsigned long v = key == 'E' ? 0 : strtoul(end, &end, 10);

		switch (key) {
		case 't': h.ts = (uint32_t)v; break;
		case 'p': h.pt = (uint8_t)v; break;
		case 'n': h.len = v; break;
		case 'w': h.wire_len = v; break;
		case 's': h.ssrc = (uint32_t)v; break;
		case 'e': h.pt = 101; h.len = 4; event[0] = (uint8_t)v; break;
		case 'E': event[1] = 0x80; break;
		case 'd': event[2] = (uint8_t)(v >> 8);
			  event[3] = (uint8_t)v; break;
		default: s->broken = "a word nobody knows"; break;
		}
	}
	if (h.wire_len < h.len)
		h.wire_len = h.len;
	s->now_us = *end ? (uint64_t)(strtod(end + 1, &end) * 1000) : 0;

	h.payload = payload = malloc(h.len);
	memset(payload, h.seq & 255, h.len);
	if (h.pt == 101 && h.len == sizeof(event))
		memcpy(payload, event, sizeof(event));
	script_put(s, &h);
	script_look(s);
	free(payload);
	return end;
}

static inline void script_play(struct script *s, const char *words)
{
	char *end;

	while (*words) {
		if (*words == ' ') {
			words++;
		} else if (*words == '=') {
			s->now_us = (uint64_t)(strtod(words + 1, &end) * 1000);
			words = end;
			script_look(s);
		} else if (*words == '!') {
			words++;
			receiver_flush(s->receiver);
			script_look(s);
		} else {
			words = script_packet(s, words);
		}
	}
}

/** @return 0 or receiver_new()'s error */
static inline int script_open(struct script *s)
{
	struct receiver_config cfg;

	memset(s, 0, sizeof(*s));
	receiver_config_default(&cfg);
	cfg.kind[96]  = PAYLOAD_L16;
	cfg.kind[101] = PAYLOAD_TELEPHONE_EVENT;
	cfg.kind[18]  = PAYLOAD_OTHER_CODEC;
	return receiver_new(&s->receiver, &cfg);
}

static inline void script_close(struct script *s)
{
	receiver_free(s->receiver);
}

struct script_row {
	const char *name;
	const char *in;
	const char *out;
	const char *stats;     /* those that are not 0 */
};

static inline void script_stats(const struct receiver *r, char *out, size_t size)
{
	struct receiver_stats st;
	size_t n = 0;

	receiver_stats(r, &st);
	const struct { const char *name; uint64_t v; } all[] = {
		{ "packets", st.packets }, { "lost", st.lost },
		{ "late", st.late }, { "duplicate", st.duplicate },
		{ "reordered", st.reordered }, { "unknown", st.unknown },
		{ "oversize", st.oversize },
	};
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].v)
			n += (size_t)snprintf(out + n, size - n,
					      "%s%s %" PRIu64, n ? " " : "",
					      all[i].name, all[i].v);
	}
}

/** @return rows that went wrong; each is told */
static inline unsigned script_rows(const struct script_row *rows, size_t n)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		char stats[128];
		struct script s;

		if (script_open(&s))
			return (unsigned)n;
		script_play(&s, rows[i].in);
		script_stats(s.receiver, stats, sizeof(stats));
		script_close(&s);
		if (!s.broken && !strcmp(rows[i].out, s.out) &&
		    !strcmp(rows[i].stats, stats))
			continue;
		wrong++;
		fprintf(stderr, "%s: %s\n want %s\n got  %s\n want %s\n"
			" got  %s\n", rows[i].name, s.broken ? s.broken : "",
			rows[i].out, s.out, rows[i].stats, stats);
	}
	return wrong;
}
