/**
 * @file fuzz_sip_answer.c  A request, what is wrong with it, and our answer
 *
 * What we send holds foreign text: it must be whole lines, say the same again
 * when it is read, and never become another message.  Mutated line by line, as
 * in fuzz_sip.c.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/sig/sip_dialog.h"
#include "daemon/sig/sip_judge.h"
#include "daemon/sig/sip_respond.h"
#include "daemon/sig/sip_session.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

static const char *const whole_lines[] = {
	"INVITE sip:a@h SIP/2.0", "BYE sip:a SIP/2.0", "FLY sip:a SIP/2.0",
	"OPTIONS tel:1 SIP/2.0", "INVITE sip:a SIP/3.0", "CANCEL a:b SIP/2.0",
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport",
	"v: SIP / 2.0 / TCP [2001:db8::1] : 70 ;received=1.2.3.4 , x/y/z w",
	"From: \"A, B\" <sip:a@h>;tag=1", "f: sip:a@h;tag=2", "To: <sip:b@h>",
	"To: \"x\\\"\" <sip:b@h>;tag=3", "Call-ID: 1@h", "i: \xff",
	"CSeq: 1 INVITE", "CSeq: 2 BYE", "Contact: <sip:a@192.0.2.1:9;lr>",
	"m: sips:a@[::1];transport=tcp", "Contact: *",
	"Record-Route: <sip:p1;lr>, <sip:p2>", "Record-Route: sip:p3;lr",
	"Require: timer, foo", "Supported: timer", "k: timer",
	"Session-Expires: 90;refresher=uas", "x: 1800", "Min-SE: 9",
	"Accept: text/plain", "Accept: */*", "Content-Type: application/sdp",
	"c: text/plain", "Content-Length: 3", "l: 0", "e: gzip",
	"Max-Forwards: 70", "", " folded",
};
static const char *const values[] = {
	"", " ", ",", ";", "\"", "<", ">", "\\", "\r", "\n", "a\rb", "tag=",
	";tag=x;tag=y", ";rport", ";rport=1", ";received=1.1.1.1", ";lr",
	"sip:", "sips:a:b@h:5060", "[::1]", "]:1", "99999999999999999999", "-1",
	"0", "refresher=uac", "%", "%s%n", "\xff\xfe", "SIP/2.0", "INVITE",
};
static const struct lines_words words = {
	whole_lines, ARRAY_LEN(whole_lines), values, ARRAY_LEN(values),
};

static bool has(const struct buf *b, const char *name, const char *compact)
{
	const char *text = buf_str(b), *end = strstr(text, "\r\n\r\n");

	for (const char *at = text; (at = strchr(at, '\n')) && at < end; at++)
		if (!strncasecmp(at + 1, name, strlen(name)) ||
		    (*compact && !strncasecmp(at + 1, compact, 2)))
			return true;
	return false;
}

/* Three times in four all that must be there is, and no body is promised */
static void mend(struct buf *b)
{
	static const char *const must_be[][3] = {
		{ "Via:", "v:", "Via: SIP/2.0/UDP h;branch=z9hG4bKm\r\n" },
		{ "From:", "f:", "From: <sip:a@h>;tag=m\r\n" },
		{ "To:", "t:", "To: <sip:b@h>\r\n" },
		{ "Call-ID:", "i:", "Call-ID: m\r\n" },
		{ "CSeq:", "", "" },
	};
	const char *text = buf_str(b), *lf = strchr(text, '\n');
	const int method = (int)strcspn(text, " \r\n");
	struct buf out = { 0 };

	if (!lf || strlen(text) != b->len || lines_roll(4) == 0)
		return;
	const size_t first = (size_t)(lf + 1 - text);

	buf_add(&out, text, first);
	for (size_t i = 0; i < ARRAY_LEN(must_be); i++)
		if (!has(b, must_be[i][0], must_be[i][1]))
			buf_puts(&out, must_be[i][2]);
	if (!has(b, "CSeq:", ""))
		buf_printf(&out, "CSeq: 1 %.*s\r\n", method, text);
	for (const char *at = text + first; *at;) {
		const char *end = strchr(at, '\n');
		const size_t n = end ? (size_t)(end + 1 - at) : strlen(at);

		if (strncasecmp(at, "Content-Length", 14) != 0 &&
		    strncasecmp(at, "l:", 2) != 0)
			buf_add(&out, at, n);
		at += n;
	}
	if (out.err) {
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

/* Whole lines, nothing that ends one early, and only one message */
static void check_message(const struct buf *b)
{
	const char *text = buf_str(b), *end = strstr(text, "\r\n\r\n");

	must(strlen(text) == b->len && end && end + 4 == text + b->len);
	for (size_t i = 0; i < b->len; i++) {
		must(text[i] != '\r' || text[i + 1] == '\n');
		must(text[i] != '\n' || (i && text[i - 1] == '\r'));
	}
}

static bool same(struct sip_text a, struct sip_text b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

/* @return there is one */
static bool check_answer(const struct sip_fields *f, const char *headers)
{
	static const uint8_t ip[4] = { 192, 0, 2, 7 };
	const struct sip_response r = {
		.status = 400, .to_tag = "ours", .source = addr_v4(ip, 6000),
		.record_route = true, .headers = headers,
	};
	static struct sip_fields back;
	struct buf out = { 0 };
	struct sip_text tag = { 0 };

	(void)sip_answer_to(f, &r.source);
	if (sip_respond(&out, f, &r)) {
		must(out.len == 0);
		buf_free(&out);
		return false;
	}
	check_message(&out);
	must(!sip_fields_read(&back, buf_str(&out), out.len));
	must(same(sip_field(&back, "from", 0), sip_field(f, "from", 0)));
	must(same(sip_field(&back, "call-id", 0), sip_field(f, "call-id", 0)));
	must(same(sip_field(&back, "cseq", 0), sip_field(f, "cseq", 0)));
	must(same(sip_field(&back, "via", 1), sip_field(f, "via", 1)));
	must(same(sip_field(&back, "record-route", 0),
		  sip_field(f, "record-route", 0)));
	if (sip_field(f, "to", 0).p && sip_balanced(sip_field(f, "to", 0)))
		must(sip_param(sip_field(&back, "to", 0), "tag", &tag));
	sip_fields_free(&back);
	buf_free(&out);
	return true;
}

static void check_dialog(const struct sip_message *m,
			 const struct sip_fields *f)
{
	struct sip_dialog *d;
	struct buf bye = { 0 };
	struct sip_uri hop;
	struct addr at;

	if (sip_dialog_new(&d, m, f, "ours"))
		return;
	must(!sip_dialog_request(&bye, d, "BYE", "UDP 192.0.2.7:5060", "x"));
	check_message(&bye);
	if (!sip_dialog_next_hop(&hop, d))
		(void)sip_uri_address(&at, &hop);
	sip_dialog_target(d, f);
	(void)sip_dialog_is(d, m);
	buf_free(&bye);
	sip_dialog_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sip_fields f;
	struct sip_message *m = NULL;
	struct buf headers = { 0 };
	uint32_t session_s;

	if (sip_fields_read(&f, (const char *)data, len)) {
		fuzz_count_input(false);
		return 0;
	}
	const int err = sip_parse(&m, data, len);
	const unsigned status = sip_judge(&headers, &f, m, err);

	must(status == 0 || (status >= 400 && status < 600));
	must(status || m);
	(void)sip_fields_request(&f);
	(void)sip_session(&headers, &session_s, &f);
	must(session_s == 0 || sip_session_ends_s(session_s) <= session_s);
	fuzz_count_input(check_answer(&f, headers.len ? buf_str(&headers)
						      : NULL));
	if (m && m->request)
		check_dialog(m, &f);
	sip_free(m);
	sip_fields_free(&f);
	buf_free(&headers);
	return 0;
}
