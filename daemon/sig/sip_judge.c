/** @file sip_judge.c  What is wrong with a request, whatever it wants */
#include "daemon/sig/sip_judge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"

enum { UNSUPPORTED_MAX = 1024 }; /* of its text, in the answer */

/* 100rel: we never send what would have to be reliable, so that holds, too */
static const char *const extensions[] = { "siprec", "timer", "100rel" };

static const char *const methods[] = { "INVITE", "ACK",	   "BYE",  "CANCEL",
				       "OPTIONS", "UPDATE", "INFO", "PRACK" };

/* Media types that an INVITE or UPDATE may bring and we can read */
static const char *const types[] = { "application/sdp", "multipart/mixed",
				     "multipart/related",
				     "multipart/alternative",
				     "application/rs-metadata",
				     "application/rs-metadata+xml" };

static bool is_one_of(struct sip_text t, const char *const *of, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (sip_text_is(t, of[i]))
			return true;
	return false;
}

static bool same(struct sip_text t, const char *what)
{
	return t.len == strlen(what) && !memcmp(t.p, what, t.len);
}

/* Methods are told apart by case (RFC 3261 section 7.1) */
static bool is_known_method(struct sip_text t)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (same(t, methods[i]))
			return true;
	return false;
}

/* A version, but not ours */
static bool is_other_version(struct sip_text v)
{
	v = sip_text_trim(v);
	return v.len > 4 && !strncasecmp(v.p, "SIP/", 4) &&
	       v.p[4] >= '0' && v.p[4] <= '9' && !sip_text_is(v, "SIP/2.0");
}

static bool is_known_scheme(struct sip_text uri)
{
	struct sip_text rest = uri;
	const struct sip_text scheme = sip_text_cut(&rest, ':');

	return sip_text_is(scheme, "sip") || sip_text_is(scheme, "sips") ||
	       sip_text_is(scheme, "tel");
}

static unsigned judge_require(struct buf *headers, const struct sip_fields *f)
{
	struct buf list = { 0 };
	unsigned status = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct sip_text rest = f->items[i].value, one;

		if (!sip_field_is(&f->items[i], "require"))
			continue;
		while (sip_next_value(&rest, &one)) {
			if (is_one_of(one, extensions, ARRAY_LEN(extensions)))
				continue;
			status = 420;
			if (list.len + one.len > UNSUPPORTED_MAX)
				continue;
			buf_puts(&list, list.len ? ", " : "");
			buf_add(&list, one.p, one.len);
		}
	}
	if (list.len)
		buf_printf(headers, "Unsupported: %s\r\n", buf_str(&list));
	buf_free(&list);
	return status;
}

static bool has_body(const struct sip_fields *f)
{
	const struct sip_text len = sip_field(f, "content-length", 0);

	for (size_t i = 0; i < len.len; i++)
		if (len.p[i] != '0')
			return true;
	return !len.p;
}

static unsigned judge_content(struct buf *headers, const struct sip_fields *f,
			      const struct sip_message *m)
{
	struct sip_text type = sip_field(f, "content-type", 0);
	const struct sip_text coding = sip_field(f, "content-encoding", 0);

	if (!has_body(f))
		return 0;
	if (coding.len && !sip_text_is(coding, "identity")) {
		buf_puts(headers, "Accept-Encoding: identity\r\n");
		return 415;
	}
	type = sip_text_trim(sip_text_cut(&type, ';'));
	if (m->method == SIP_INFO || !type.len ||
	    is_one_of(type, types, ARRAY_LEN(types)))
		return 0;
	buf_puts(headers, "Accept: application/sdp, multipart/mixed, "
			  "application/rs-metadata, "
			  "application/rs-metadata+xml\r\n");
	return 415;
}

/* May we answer with a session description? */
static bool accepts_sdp(const struct sip_fields *f)
{
	static const char *const good[] = { "application/sdp", "application/*",
					    "*/*" };
	bool given = false;

	for (size_t i = 0; i < f->n; i++) {
		struct sip_text rest = f->items[i].value, one;

		if (!sip_field_is(&f->items[i], "accept"))
			continue;
		while (sip_next_value(&rest, &one)) {
			given = true;
			one = sip_text_trim(sip_text_cut(&one, ';'));
			if (is_one_of(one, good, ARRAY_LEN(good)))
				return true;
		}
	}
	return !given;
}

/* Metaswitch's recording client writes `<sip:1@192.0.2.1;+sip.src` */
static bool is_open(struct sip_text value)
{
	size_t quotes = 0, open = 0, closed = 0;

	for (size_t i = 0; i < value.len; i++) {
		quotes += value.p[i] == '"' || value.p[i] == '\\';
		open += value.p[i] == '<';
		closed += value.p[i] == '>';
	}
	return quotes == 0 && open == 1 && closed == 0;
}

static bool is_balanced(const struct sip_fields *f, bool siprec)
{
	enum { CONTACT };
	static const char *const names[] = { [CONTACT] = "contact", "from",
					     "to", "record-route" };
	struct sip_text value;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t n = 0; (value = sip_field(f, names[i], n)).p; n++)
			if (!sip_balanced(value) &&
			    !(siprec && i == CONTACT && is_open(value)))
				return false;
	return true;
}

unsigned sip_judge(struct buf *headers, const struct sip_fields *f,
		   const struct sip_message *m, int err)
{
	if (is_other_version(f->version))
		return 505;
	if (f->method.len && sip_text_is(f->version, "SIP/2.0") &&
	    !is_known_method(f->method)) {
		buf_puts(headers, "Allow: " SIP_ALLOW "\r\n");
		return 405;
	}
	if (!m)
		return err == -EMSGSIZE ? 513 : err == -ENOMEM ? 503 : 400;
	if (!is_known_scheme(f->uri))
		return 416;
	if (!is_balanced(f, m->siprec))
		return 400;
	if (m->method == SIP_ACK || m->method == SIP_CANCEL)
		return 0;
	unsigned status = judge_require(headers, f);

	if (!status)
		status = judge_content(headers, f, m);
	/* recording clients list only what else they take */
	if (!status && m->method == SIP_INVITE && !m->siprec && !accepts_sdp(f))
		status = 406;
	return status;
}
