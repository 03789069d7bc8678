/**
 * @file fuzz_tap.c  Any order of SIP and RTP through a tap, with calls behind it
 *
 * The bytes are a script of 6-byte steps:
 *   0    low three bits: 0-3 RTP, 4-5 SIP, 6 ZRTP or rubbish, 7 time; the
 *        others: how many packets, or how much time (times 2^)
 *   1    RTP: from and to (three bits each: two ports of four hosts), and
 *        encrypted with key 1 to 3
 *        SIP: which message, of the table
 *   2    RTP: SSRC (two bits), type (three), 0x20: as the last one, 0x40: a gap
 *        SIP: Call-ID (two bits), From tag, 4: of the callee, 8: a To tag,
 *        0x10: over TCP, 0x20: in two pieces
 *   3    RTP: length in tens of bytes; SIP: addresses of the m-lines
 *   4    SIP: formats of the m-lines, and 0x80: encrypted
 *   5    SIP: CSeq, and the high two bits: with key 1 to 3, and the next one;
 *        RTP: high bits of the SSRC
 *
 * What must hold for any: a call begins and ends once, and what is told of it
 * and of its legs lies between; time does not go back; the account is right.
 */
#include <string.h>

#include <srtp2/srtp.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/must.h"
#include "daemon/base/rd.h"
#include "daemon/ingress/tap.h"
#include "daemon/media/srtp.h"
#include "tests/fuzz/fuzz.h"

enum { STEP = 6, STEPS_MAX = 600, CALLS = 4096, LEGS = 64, FLOWS = 4096, KEYS = 3 };

struct seen {
	char id[EVENT_ID];
	bool ended;
	unsigned legs;
	bool leg_ended[LEGS];
};

static struct {
	struct timers *timers;
	struct calls *calls;
	struct tap *tap;
	struct seen seen[CALLS];
	unsigned n_seen;
	uint64_t at_us, told_us;
	uint16_t seq[FLOWS];
	uint32_t tcp_seq;
	uint64_t audio;
	struct srtp_out keys[KEYS];
} st;

/* -- what is told --------------------------------------------------------------- */

static struct seen *find(const char *id)
{
	for (unsigned i = 0; i < st.n_seen; i++)
		if (!strcmp(st.seen[i].id, id))
			return &st.seen[i];
	return NULL;
}

static unsigned leg_number(const struct event *e)
{
	const size_t len = strlen(e->call);
	unsigned n = 0;

	must(!strncmp(e->leg, e->call, len) && e->leg[len] == '.');
	for (const char *c = e->leg + len + 1; *c; c++)
		n = n * 10 + (unsigned)(*c - '0');
	must(n >= 1);
	return n;
}

static void check_leg(struct seen *s, const struct event *e)
{
	const unsigned n = leg_number(e);

	if (e->type == EVENT_LEG_START)
		must(n == ++s->legs);
	must(n <= s->legs);
	if (n >= LEGS)
		return;
	must(!s->leg_ended[n]);
	if (e->type != EVENT_LEG_END)
		return;
	s->leg_ended[n] = true;
	must(e->leg_end.received == e->leg_end.sent + e->leg_end.lost +
					    e->leg_end.paused);
	must(e->leg_end.received <= e->leg_end.duration);
	st.audio += e->leg_end.received;
}

static void on_event(const struct event *e, void *arg)
{
	struct seen *s = find(e->call);

	(void)arg;
	/* an unannounced call begins at the first of the packets that made it */
	must(e->now_us >= st.told_us || e->type == EVENT_CALL_START);
	if (e->now_us > st.told_us)
		st.told_us = e->now_us;
	if (e->type == EVENT_CALL_START) {
		must(!s && st.n_seen < CALLS);
		s = &st.seen[st.n_seen++];
		*s = (struct seen){0};
		snprintf(s->id, sizeof(s->id), "%s", e->call);
		return;
	}
	must(s && !s->ended);
	if (e->leg)
		check_leg(s, e);
	if (e->type != EVENT_CALL_END)
		return;
	s->ended = true;
	must(e->call_end.legs == s->legs);
	for (unsigned i = 1; i <= s->legs && i < LEGS; i++)
		must(s->leg_ended[i]);
}

static struct service *choose(const struct leg_facts *f, void *arg)
{
	(void)f;
	(void)arg;
	return NULL;
}

/* -- what goes in ------------------------------------------------------------------ */

static struct addr endpoint(unsigned n)
{
	const uint8_t ip[4] = { 10, 0, 0, (uint8_t)(1 + (n >> 1 & 3)) };

	return addr_v4(ip, (uint16_t)(4000 + 2 * (n & 1)));
}

static void feed(enum decap_kind kind, struct addr from, struct addr to,
		 const void *data, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	struct decap_packet p = {
		.kind = kind, .from = from, .to = to, .data = copy,
		.len = len, .wire_len = len, .tcp_flags = DECAP_ACK,
		.tcp_seq = st.tcp_seq,
	};

	must(copy);
	memcpy(copy, data, len);
	if (kind == DECAP_TCP)
		st.tcp_seq += (uint32_t)len;
	timers_run(st.timers, st.at_us);
	tap_packet(st.tap, &p, st.at_us);
	free(copy);
}

static uint8_t noise(uint32_t at)
{
	at *= 0x9e3779b1;
	at ^= at >> 15;
	at *= 0x85ebca77;
	return (uint8_t)(at >> 24);
}

/* a=crypto lines of all keys: bytes that are the key's number */
static const char *const key_text[KEYS] = {
	"inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
	"inline:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
	"inline:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
};

static size_t encrypt(unsigned key, uint8_t *data, size_t len)
{
	struct srtp_key k = { .suite = SRTP_AES_CM_128_80 };
	int n = (int)len;

	memset(k.key, (int)key + 1, srtp_key_len(k.suite));
	must(!srtp_out_set(&st.keys[key], &k));
	/* the same number again: not encrypted twice */
	return srtp_protect(st.keys[key].now.ctx, data, &n) ? len : (size_t)n;
}

static void send_rtp(const uint8_t *b)
{
	static const uint8_t types[8] = { 0, 8, 0, 18, 13, 101, 96, 72 };
	const unsigned flow = (b[1] & 63) << 2 | (b[2] & 3);
	const size_t len = b[3] ? (size_t)b[3] % 160 * 10 : 160;
	_Alignas(8) uint8_t data[12 + 1600 + SRTP_MAX_TRAILER_LEN];
	const unsigned key = b[1] >> 6;

	for (unsigned i = 0; i <= (unsigned)b[0] >> 3; i++) {
		uint16_t *seq = &st.seq[flow];

		*seq = (uint16_t)(*seq + (b[2] & 0x20 ? 0 : 1) +
				  (b[2] & 0x40 ? 7 : 0));
		const uint32_t ts = *seq * 160u;
		const uint8_t head[12] = {
			0x80, types[b[2] >> 2 & 7], (uint8_t)(*seq >> 8),
			(uint8_t)*seq, (uint8_t)(ts >> 24), (uint8_t)(ts >> 16),
			(uint8_t)(ts >> 8), (uint8_t)ts, b[5], 0, 0,
			(uint8_t)(b[2] & 3),
		};

		memcpy(data, head, sizeof(head));
		/* flows with equal numbers have equal audio */
		for (size_t k = 0; k < len; k++)
			data[12 + k] = noise(ts + (uint32_t)k);
		const size_t n = key ? encrypt(key - 1, data, 12 + len)
				     : 12 + len;
		feed(DECAP_UDP, endpoint(b[1] & 7), endpoint(b[1] >> 3 & 7),
		     data, n);
		st.at_us += 20000;
	}
}

static void add_sdp(struct buf *sdp, const uint8_t *b, unsigned lines)
{
	static const char *const formats[8] = {
		"0", "8", "0 101\r\na=rtpmap:101 telephone-event/8000", "18",
		"96\r\na=rtpmap:96 opus/48000/2",
		"96\r\na=rtpmap:96 PCMU/8000", "96\r\na=rtpmap:96 L16/8000",
		"0 8 18 13",
	};

	buf_puts(sdp, "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\n"
		      "c=IN IP4 10.0.0.1\r\nt=0 0\r\n");
	for (unsigned i = 0; i < lines; i++) {
		const struct addr a = endpoint(b[3] >> (4 * i) & 7);

		buf_printf(sdp, "m=audio %u RTP/%s %s\r\nc=IN IP4 %u.0.0.%u\r\n",
			   a.port, b[4] & 0x80 ? "SAVP" : "AVP",
			   formats[b[4] >> (3 * i) & 7],
			   b[3] >> (4 * i) & 8 ? 0u : 10u,
			   b[3] >> (4 * i) & 8 ? 0u : a.ip[3]);
		for (unsigned k = 0; b[5] >> 6 && k < 2; k++)
			buf_printf(sdp, "a=crypto:%u AES_CM_128_HMAC_SHA1_80 "
				   "%s\r\n", k + 1,
				   key_text[((b[5] >> 6) - 1 + k) % KEYS]);
	}
}

/* Request, or status; method of the CSeq; m-lines. */
static const struct {
	const char *first;
	const char *method;
	unsigned lines;
} messages[] = {
	{ "INVITE sip:b@x SIP/2.0", "INVITE", 1 },
	{ "SIP/2.0 200 OK", "INVITE", 1 },
	{ "SIP/2.0 183 Progress", "INVITE", 1 },
	{ "SIP/2.0 180 Ringing", "INVITE", 0 },
	{ "ACK sip:b@x SIP/2.0", "ACK", 0 },
	{ "ACK sip:b@x SIP/2.0", "ACK", 1 },
	{ "BYE sip:b@x SIP/2.0", "BYE", 0 },
	{ "SIP/2.0 200 OK", "BYE", 0 },
	{ "CANCEL sip:b@x SIP/2.0", "CANCEL", 0 },
	{ "SIP/2.0 487 Terminated", "INVITE", 0 },
	{ "SIP/2.0 401 Unauthorized", "INVITE", 0 },
	{ "SIP/2.0 486 Busy", "INVITE", 0 },
	{ "SIP/2.0 422 Interval", "INVITE", 0 },
	{ "INVITE sip:b@x SIP/2.0", "INVITE", 0 },
	{ "INVITE sip:b@x SIP/2.0", "INVITE", 2 },
	{ "UPDATE sip:b@x SIP/2.0", "UPDATE", 1 },
	{ "SIP/2.0 200 OK", "INVITE", 2 },
	{ "OPTIONS sip:b@x SIP/2.0", "OPTIONS", 0 },
	{ "INVITE sip:b@x SIP/9.9", "INVITE", 1 },
};

static void send_sip(const uint8_t *b)
{
	const unsigned which = b[1] % ARRAY_LEN(messages);
	const char *caller = b[2] & 0x80 ? "g" : "f";
	const bool callee = b[2] & 4;
	const struct addr from = addr_v4((uint8_t[]){ 10, 9, 0, 1 }, 5060);
	const struct addr to = addr_v4((uint8_t[]){ 10, 9, 0, 2 }, 5060);
	const enum decap_kind kind = b[2] & 0x10 ? DECAP_TCP : DECAP_UDP;
	struct buf sdp = {0}, m = {0};

	if (messages[which].lines)
		add_sdp(&sdp, b, messages[which].lines);
	buf_printf(&m, "%s\r\nVia: SIP/2.0/UDP 10.9.0.1;branch=z9hG4bK%u\r\n"
		       "Max-Forwards: 70\r\nFrom: <sip:a@x>;tag=%s\r\n"
		       "To: <sip:b@x>%s%s\r\nCall-ID: %u\r\nCSeq: %u %s\r\n"
		       "Contact: <sip:c@x>\r\n",
		   messages[which].first, b[5], callee ? "t" : caller,
		   callee || b[2] & 8 ? ";tag=" : "",
		   callee ? caller : b[2] & 8 ? "t" : "", b[2] & 3, b[5] % 4,
		   messages[which].method);
	if (sdp.len)
		buf_puts(&m, "Content-Type: application/sdp\r\n");
	buf_printf(&m, "Content-Length: %zu\r\n\r\n%s", sdp.len, buf_str(&sdp));
	must(!m.err && !sdp.err);

	const size_t cut = b[2] & 0x20 ? m.len / 2 : m.len;
	feed(kind, from, to, m.data, cut);
	if (cut < m.len)
		feed(kind, from, to, m.data + cut, m.len - cut);
	buf_free(&m);
	buf_free(&sdp);
	st.at_us += 1000;
}

static void step(const uint8_t *b)
{
	static const char commit[] = "\x10\0\0\1ZRTP\0\0\0\1\x50\x5a\0\x1d"
				     "Commit  \0\0\0\0";

	switch (b[0] & 7) {
	case 4:
	case 5:
		send_sip(b);
		break;
	case 6:
		if (b[0] & 8)
			feed(DECAP_UDP, endpoint(b[1] & 7),
			     endpoint(b[1] >> 3 & 7), commit,
			     sizeof(commit) - 1);
		else
			feed(b[0] & 16 ? DECAP_TCP : DECAP_UDP,
			     endpoint(b[1] & 7), endpoint(b[1] >> 3 & 7), b + 1,
			     STEP - 1);
		break;
	case 7:
		st.at_us += (uint64_t)1000 << (b[0] >> 3) % 24;
		timers_run(st.timers, st.at_us);
		break;
	default:
		send_rtp(b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct rd in = rd_of(data, len);

	st.n_seen = 0;
	st.at_us = 1700000000u * (uint64_t)1000000;
	st.told_us = st.audio = st.tcp_seq = 0;
	memset(st.seq, 0, sizeof(st.seq));
	must(!timers_new(&st.timers));

	const struct calls_config cc = {
		.timers = st.timers, .events = { .emit = on_event },
		.choose = choose, .backlog = 240000, .dtmf = true,
	};
	must(!calls_new(&st.calls, &cc));
	const struct tap_config tc = { .calls = st.calls, .timers = st.timers,
				       .source = "replay" };
	must(!tap_new(&st.tap, &tc));

	for (unsigned i = 0; i < STEPS_MAX && rd_left(&in) >= STEP; i++)
		step(rd_take(&in, STEP));

	struct tap_stats ts;
	tap_stats(st.tap, &ts);
	tap_end(st.tap, "capture_end");
	must(calls_count(st.calls) == 0);
	for (unsigned i = 0; i < st.n_seen; i++)
		must(st.seen[i].ended);
	fuzz_count_input(st.audio > 0);
	tap_free(st.tap);
	calls_free(st.calls);
	timers_free(st.timers);
	for (unsigned i = 0; i < KEYS; i++)
		srtp_out_clear(&st.keys[i]);
	return 0;
}
