/**
 * @file fuzz_sip.c  One SIP message, the parts of its body and its SDP
 *
 * libosip2 is not instrumented: the mutator keeps messages nearly whole and
 * mends Content-Length, so that most get through to the code behind it.
 */
#include <errno.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/sdp.h"
#include "daemon/sig/sip.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

static const char *const whole_lines[] = {
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
	"v: SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKy;rport",
	"From: \"A\" <sip:a@h>;tag=1", "f: sip:a@h;tag=2",
	"To: <sip:b@h>;tag=3", "t: <tel:+4930123>", "Call-ID: 1@h", "i: 2",
	"CSeq: 1 INVITE", "CSeq: 2 BYE", "Max-Forwards: 70",
	"Content-Type: application/sdp", "c: multipart/mixed;boundary=b",
	"Content-Type: multipart/mixed;boundary=\"b c\"",
	"Content-Type: application/rs-metadata+xml", "Content-Length: 0",
	"l: 10", "Content-Encoding: gzip", "e: identity", "Require: siprec",
	"Contact: <sip:a@h>;+sip.src", "--b", "--b--", "--b c", "", " folded",
	"BYE sip:a@h SIP/2.0", "SIP/2.0 200 OK", "v=0", "c=IN IP4 192.0.2.1",
	"m=audio 4000 RTP/AVP 0 8", "a=sendonly", "a=rtpmap:0 PCMU/8000",
};
static const char *const values[] = {
	"", " ", "\"", "\"a\\\" <b>\" ", "<", ">", "sip:", "sips:a:b@h:5060",
	"tel:+1", "urn:x:y", "a%00b", "a%1b%zz", "[2001:db8::1]", "[", "]:1",
	"tag=", ";tag=x", "branch=z9hG4bK", "boundary=", "multipart/mixed",
	"application/sdp", "SIP/2.0", "SIP/2.0/UDP ", "INVITE", "BYE", ",",
	"1@h", "\xff\xfe", "\xe0\xa4\xa8", "99999999999999999999", "siprec",
};
static const struct lines_words words = {
	whole_lines, ARRAY_LEN(whole_lines), values, ARRAY_LEN(values),
};

/* Content-Length as long as what stands behind the blank line */
static void mend(struct buf *b)
{
	static struct lines l;
	struct buf out = { 0 };
	size_t blank = 0, done = 0;

	lines_split(&l, (const uint8_t *)buf_str(b), b->len);
	while (blank < l.n && l.at[blank][0] != '\n' && l.at[blank][0] != '\r')
		blank++;
	for (size_t i = 0; i < l.n; i++) {
		const char *line = (const char *)l.at[i];
		const size_t begin = (size_t)(l.at[i] - b->data);

		done += l.len[i];
		if (i < blank && l.len[i] > 2 &&
		    (strncasecmp(line, "l:", 2) == 0 ||
		     (l.len[i] > 15 &&
		      strncasecmp(line, "content-length:", 15) == 0))) {
			size_t body = b->len;

			if (blank < l.n)
				body -= (size_t)(l.at[blank] - b->data) +
					l.len[blank];
			else
				body = 0;
			buf_printf(&out, "Content-Length: %zu\r\n", body);
		} else {
			buf_add(&out, b->data + begin, l.len[i]);
		}
	}
	if (out.err || done != b->len) {
		buf_free(&out);
		return;
	}
	buf_free(b);
	*b = out;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	return lines_mutate(data, size, max, seed, &words, mend);
}

static void check_text(const char *text)
{
	must(text);
	must(utf8_valid(text, strlen(text)));
	for (; *text; text++)
		must((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_sdp(const struct sip_message *m)
{
	static struct sdp s;
	/* In a block of its own: a byte read behind it is seen */
	char *exact = malloc(m->sdp_len ? m->sdp_len : 1);

	must(exact);
	memcpy(exact, m->sdp, m->sdp_len);
	const int err = sdp_parse(&s, exact, m->sdp_len);

	free(exact);
	must(err == 0 || err == -EBADMSG || err == -EMSGSIZE);
	if (!err)
		must(s.n_media <= SDP_MEDIA_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sip_message *m = NULL;
	const int err = sip_parse(&m, data, len);

	must(err == 0 || err == -EBADMSG || err == -EMSGSIZE);
	must(!m == (err != 0));
	if (m) {
		check_text(m->call_id);
		check_text(m->from);
		check_text(m->from_tag);
		check_text(m->to);
		check_text(m->to_tag);
		check_text(m->branch);
		check_text(m->session_id);
		check_text(m->recorded);
		must(m->metadata && m->metadata_len <= len);
		must(m->request ? m->status == 0
				: m->status >= 100 && m->status <= 699);
		must(m->cseq <= 0x7fffffff && *m->call_id);
		must(m->sdp && m->sdp_len <= len);
		check_sdp(m);
		sip_free(m);
	}
	(void)sip_looks_like(data, len);
	fuzz_count_input(err == 0);
	return 0;
}
