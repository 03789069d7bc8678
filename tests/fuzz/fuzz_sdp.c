/**
 * @file fuzz_sdp.c  Session descriptions
 *
 * libosip2 is not instrumented: the mutator changes lines and values.
 */
#include <errno.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/answer.h"
#include "daemon/sig/sdp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

static const char *const whole_lines[] = {
	"v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "t=0 0", "b=AS:64", "k=clear:x",
	"c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1", "c=IN IP4 0.0.0.0",
	"c=IN IP4 host.example", "c=IN IP4 224.2.1.1/127/3",
	"m=audio 4000 RTP/AVP 0 8 101", "m=audio 4000/2 RTP/SAVP 9",
	"m=video 0 RTP/AVP 31", "m=image 4000 udptl t38",
	"m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=rtpmap:101 telephone-event/8000",
	"a=rtpmap:96 opus/48000/2", "a=ptime:20", "a=sendonly", "a=recvonly",
	"a=inactive", "a=sendrecv", "a=rtcp:4001 IN IP4 192.0.2.1",
	"a=rtcp-mux", "a=label:1", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:a",
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "|2^20|1:4",
	"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY " KDR=0 -X",
	("a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:" KEY),
	"m=audio 4000 RTP/SAVP 0",
	"", "a=", "m=", "r=7d 1h 0", "z=0 0", "i=x", "u=http://x/", "e=x", "p=1",
};
static const char *const values[] = {
	"", " ", "  ", "\t", ":", "/", "-1", "+1", "0", "65535", "65536", "127",
	"128", "4294967296", "PCMU/8000", "a/8000/2", "IN", "IP4", "IP6",
	"192.0.2.1", "::", "0.0.0.0", "RTP/AVP", "rtp/savp", "audio", "AUDIO",
	"\xff", "\x1b[", "rtpmap:", "ptime:", "label:", "rtcp:", "RTP/", "TLS",
	"inline:", "|", "2^31", "1:4", ";", "KDR=1", "WSH=64", "=", KEY,
};
static const struct lines_words words = {
	whole_lines, ARRAY_LEN(whole_lines), values, ARRAY_LEN(values),
};

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	return lines_mutate(data, size, max, seed, &words, NULL);
}

/* What was read is printed and read again as the same */
static void check_crypto(const struct sdes *c)
{
	char text[SDES_TEXT_MAX];
	struct sdes again;
	const size_t n = sdes_print(text, c->tag, &c->key);

	must(c->tag >= 1 && c->tag <= 999999999);
	must(srtp_key_len(c->key.suite) && c->key.mki_len <= SRTP_MKI_BYTES);
	must(n == strlen(text) && n < sizeof(text));
	must(sdes_parse(&again, text, n) == 0 && again.tag == c->tag);
	must(again.key.suite == c->key.suite);
	must(!memcmp(again.key.key, c->key.key, SRTP_KEY_BYTES));
}

static void check_media(const struct sdp_media *m)
{
	must(m->n_formats <= SDP_FORMATS_MAX);
	must(m->n_crypto <= SDES_LINES_MAX && (!m->n_crypto || m->encrypted));
	for (size_t i = 0; i < m->n_crypto; i++)
		check_crypto(&m->crypto[i]);
	must(m->at.family == 0 || m->at.family == 4 || m->at.family == 6);
	must(m->ptime_ms == 0 || (m->ptime_ms >= 10 && m->ptime_ms <= 200));
	must(m->direction <= SDP_INACTIVE);
	must(utf8_valid(m->label, strnlen(m->label, SDP_LABEL)));
	must(strnlen(m->label, SDP_LABEL) < SDP_LABEL);
	for (size_t i = 0; i < m->n_formats; i++) {
		const struct sdp_format *f = &m->formats[i];

		must(f->pt < 128 && f->channels >= 1 && f->channels <= 255);
		must(strnlen(f->name, SDP_NAME) < SDP_NAME);
		must(utf8_valid(f->name, strnlen(f->name, SDP_NAME)));
		must(f->clock_hz || !f->name[0]);
	}
}

/* What we answer is a description itself, with as many lines, refused or not */
static void check_answer(const struct sdp *offer)
{
	static const char *const crypto[SDP_MEDIA_MAX] = { "1 A inline:b" };
	static struct sdp_answer a;
	static struct sdp said;
	struct answer_origin o = { .id = 7, .at = { .family = 4 } };
	struct buf text = { 0 };

	for (int keys = 0; keys < 2; keys++) {
		answer_decide(&a, offer, keys ? crypto : NULL);
		must(a.n_lines == offer->n_media);
		for (size_t i = 0; i < a.n_lines; i++)
			a.lines[i].port = (uint16_t)(4000 + i);
		buf_clear(&text);
		must(!answer_print(&text, &o, &a, offer));
		must(!sdp_parse(&said, buf_str(&text), text.len));
		must(said.n_media == offer->n_media);
		for (size_t i = 0; i < a.n_lines; i++) {
			must((said.media[i].at.port != 0) == a.lines[i].accepted);
			must(said.media[i].direction != SDP_SENDRECV ||
			     !a.lines[i].accepted);
			must(!a.lines[i].accepted ||
			     said.media[i].n_formats == a.lines[i].n_formats);
		}
	}
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sdp s;
	const int err = sdp_parse(&s, (const char *)data, len);

	must(err == 0 || err == -EBADMSG || err == -EMSGSIZE);
	if (!err) {
		must(s.n_media <= SDP_MEDIA_MAX);
		for (size_t i = 0; i < s.n_media; i++)
			check_media(&s.media[i]);
		check_answer(&s);
	}
	fuzz_count_input(err == 0);
	return 0;
}
