/** @file answer.c  What we say to an SDP offer, and our own offer */
#include "daemon/sig/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"

enum { EVENTS_PT = 101 };

static bool is_named(const struct sdp_format *f, const char *name)
{
	return strcasecmp(f->name, name) == 0 && f->clock_hz == 8000 &&
	       f->channels == 1;
}

static bool is_speech(const struct sdp_format *f)
{
	return is_named(f, "PCMU") || is_named(f, "PCMA");
}

static bool is_events(const struct sdp_format *f)
{
	return is_named(f, "telephone-event");
}

/* @return whether there is speech among what was kept */
static bool keep_formats(struct answer_line *l, const struct sdp_media *m)
{
	bool speech = false;

	for (size_t i = 0; i < m->n_formats; i++) {
		const struct sdp_format *f = &m->formats[i];

		if (!is_speech(f) && !is_events(f) && !is_named(f, "CN"))
			continue;
		speech |= is_speech(f);
		l->formats[l->n_formats++] = *f;
	}
	return speech;
}

static bool is_plain(const struct sdp_media *m)
{
	return strcasecmp(m->proto, "RTP/AVP") == 0 ||
	       strcasecmp(m->proto, "RTP/AVPF") == 0;
}

static bool is_secure(const struct sdp_media *m)
{
	return strcasecmp(m->proto, "RTP/SAVP") == 0 ||
	       strcasecmp(m->proto, "RTP/SAVPF") == 0;
}

static enum sdp_direction mirror(enum sdp_direction theirs)
{
	return theirs == SDP_SENDRECV || theirs == SDP_SENDONLY ? SDP_RECVONLY
								: SDP_INACTIVE;
}

static const char *refusal(struct answer_line *l, const struct sdp_media *m)
{
	if (!m->at.port)
		return "disabled";
	if (!m->audio || !m->rtp)
		return "media";
	if (!is_plain(m) && !(is_secure(m) && l->crypto))
		return "encrypted";
	return keep_formats(l, m) ? NULL : "codec";
}

void answer_decide(struct sdp_answer *out, const struct sdp *offer,
		   const char *const crypto[SDP_MEDIA_MAX])
{
	*out = (struct sdp_answer){ .n_lines = offer->n_media };
	for (size_t i = 0; i < offer->n_media; i++) {
		const struct sdp_media *m = &offer->media[i];
		struct answer_line *l = &out->lines[i];

		l->crypto = crypto ? crypto[i] : NULL;
		l->direction = mirror(m->direction);
		l->refused = refusal(l, m);
		l->accepted = !l->refused;
		out->accepted += l->accepted;
		out->disabled += !m->at.port;
	}
}

static const struct sdp_format ours[] = {
	{ 0, "PCMU", 8000, 1 },
	{ 8, "PCMA", 8000, 1 },
	{ EVENTS_PT, "telephone-event", 8000, 1 },
};

/* Neither twice, nor a number that means something else there */
static void add_ours(struct answer_line *l, const struct sdp_format *f)
{
	for (size_t i = 0; i < l->n_formats; i++)
		if (l->formats[i].pt == f->pt || is_named(&l->formats[i], f->name))
			return;
	if (l->n_formats < SDP_FORMATS_MAX)
		l->formats[l->n_formats++] = *f;
}

void answer_offer_again(struct sdp_answer *a)
{
	for (size_t i = 0; i < a->n_lines; i++) {
		struct answer_line *l = &a->lines[i];

		l->direction = SDP_RECVONLY;
		for (size_t k = 0; l->accepted && k < ARRAY_LEN(ours); k++)
			add_ours(l, &ours[k]);
	}
}

void answer_own_offer(struct sdp_answer *out)
{
	struct answer_line *l = &out->lines[0];

	*out = (struct sdp_answer){ .n_lines = 1, .accepted = 1 };
	l->accepted = true;
	l->direction = SDP_RECVONLY;
	l->n_formats = ARRAY_LEN(ours);
	memcpy(l->formats, ours, sizeof(ours));
}

void answer_agree(struct sdp_answer *own, const struct sdp *theirs)
{
	struct answer_line *l = &own->lines[0];
	struct sdp_answer agreed;

	answer_decide(&agreed, theirs, NULL);
	if (!agreed.n_lines || !agreed.lines[0].accepted) {
		l->accepted = false;
		l->refused = agreed.n_lines ? agreed.lines[0].refused : "media";
		own->accepted = 0;
		return;
	}
	agreed.lines[0].port = l->port;
	*l = agreed.lines[0];
}

/* -- the text -------------------------------------------------------------------------- */

static const char *or_else(const char *text, const char *otherwise)
{
	return text[0] ? text : otherwise;
}

static void print_refused(struct buf *b, const struct sdp_media *m)
{
	buf_printf(b, "m=%s 0 %s %s\r\n", or_else(m->type, "audio"),
		   or_else(m->proto, "RTP/AVP"), or_else(m->format, "0"));
	if (m->label[0])
		buf_printf(b, "a=label:%s\r\n", m->label);
}

static void print_formats(struct buf *b, const struct answer_line *l)
{
	for (size_t i = 0; i < l->n_formats; i++) {
		const struct sdp_format *f = &l->formats[i];

		buf_printf(b, "a=rtpmap:%u %s/%" PRIu32 "\r\n", f->pt, f->name,
			   f->clock_hz);
		/* the digits and no flash: RFC 4733 section 2.4.1 */
		if (is_events(f))
			buf_printf(b, "a=fmtp:%u 0-15\r\n", f->pt);
	}
}

static void print_accepted(struct buf *b, const struct answer_line *l,
			   const struct sdp_media *m)
{
	buf_printf(b, "m=audio %u %s", l->port, m ? m->proto : "RTP/AVP");
	for (size_t i = 0; i < l->n_formats; i++)
		buf_printf(b, " %u", l->formats[i].pt);
	buf_puts(b, "\r\n");
	print_formats(b, l);
	if (m && m->ptime_ms)
		buf_printf(b, "a=ptime:%" PRIu32 "\r\n", m->ptime_ms);
	if (m && m->rtcp_mux)
		buf_puts(b, "a=rtcp-mux\r\n");
	if (m && m->label[0])
		buf_printf(b, "a=label:%s\r\n", m->label);
	if (l->crypto)
		buf_printf(b, "a=crypto:%s\r\n", l->crypto);
	buf_puts(b, l->direction == SDP_RECVONLY ? "a=recvonly\r\n"
						 : "a=inactive\r\n");
}

/* What stands behind o=, which alone does not count as a change */
static void print_rest(struct buf *b, const struct sdp_answer *a,
		       const struct sdp *offer, const char *where)
{
	buf_printf(b, "s=-\r\nc=IN %s\r\nt=0 0\r\n", where);
	for (size_t i = 0; i < a->n_lines; i++) {
		const struct answer_line *l = &a->lines[i];
		const struct sdp_media *m = offer ? &offer->media[i] : NULL;

		if (l->accepted && l->port)
			print_accepted(b, l, m);
		else if (m)
			print_refused(b, m);
	}
}

int answer_print(struct buf *out, struct answer_origin *o,
		 const struct sdp_answer *a, const struct sdp *offer)
{
	struct addr at = o->at;
	char ip[ADDR_TEXT], where[ADDR_TEXT + 8];
	struct buf rest = { 0 };

	at.port = 0;
	snprintf(where, sizeof(where), "IP%u %s", at.family == 6 ? 6 : 4,
		 addr_print(ip, &at));
	print_rest(&rest, a, offer, where);

	/* 0 stands for nothing said */
	const uint64_t said = hash_bytes(rest.data, rest.len) | 1;
	const uint64_t version =
		!o->said ? o->id : o->version + (said != o->said);

	buf_printf(out, "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN %s\r\n%s", o->id,
		   version, where, buf_str(&rest));
	const int err = rest.err ? rest.err : out->err;

	buf_free(&rest);
	if (err)
		return err;
	o->version = version;
	o->said = said;
	return 0;
}
