/** @file oreka.c  What FreeSWITCH's mod_oreka announces */
#include "daemon/sig/oreka.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"

enum { LINES_MAX = 200, PORT_MIN = 1024 };

static const char id_characters[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

struct text {
	const char *p;
	size_t len;
};

/* The next line without its end; false: there is none. */
static bool next_line(struct text *rest, struct text *line)
{
	if (!rest->len)
		return false;
	const char *end = memchr(rest->p, '\n', rest->len);
	const size_t n = end ? (size_t)(end - rest->p) : rest->len;

	*line = (struct text){ rest->p, n };
	if (n && line->p[n - 1] == '\r')
		line->len--;
	rest->p += n + (end != NULL);
	rest->len -= n + (end != NULL);
	return true;
}

static struct text trim(struct text t)
{
	while (t.len && (*t.p == ' ' || *t.p == '\t')) {
		t.p++;
		t.len--;
	}
	while (t.len && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static bool begins(struct text t, const char *with)
{
	const size_t n = strlen(with);

	return t.len >= n && !memcmp(t.p, with, n);
}

static bool is_name(struct text t, const char *name)
{
	return t.len == strlen(name) && !strncasecmp(t.p, name, t.len);
}

static bool is_id(struct text t, size_t room)
{
	if (!t.len || t.len >= room || memchr(t.p, 0, t.len))
		return false;
	for (size_t i = 0; i < t.len; i++)
		if (!strchr(id_characters, t.p[i]))
			return false;
	return true;
}

/* Made fit to be published. */
static void copy(char out[OREKA_TEXT], struct text t)
{
	const size_t n = utf8_cut(t.p, t.len, OREKA_TEXT - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = t.p[i] ? t.p[i] : '?';
	out[n] = 0;
	utf8_clean(out);
}

/* -- headers --------------------------------------------------------------------- */

static void take_call_id(struct oreka_message *m, struct text v)
{
	if (!is_id(v, sizeof(m->call_id)))
		return;
	memcpy(m->call_id, v.p, v.len);
	m->call_id[v.len] = 0;
}

/* <sip:NUMBER@HOST:5061;tag=1>: up to the last @, a number may be anything. */
static void take_number(char out[OREKA_TEXT], struct text v)
{
	static const char scheme[] = "sip:";
	const char *at = memmem(v.p, v.len, scheme, sizeof(scheme) - 1);

	if (!at)
		return;
	at += sizeof(scheme) - 1;
	const struct text uri = { at, (size_t)(v.p + v.len - at) };
	const char *end = memrchr(uri.p, '@', uri.len);
	if (end)
		copy(out, (struct text){ uri.p, (size_t)(end - uri.p) });
}

static void take_from(struct oreka_message *m, struct text v)
{
	take_number(m->from, v);
}

static void take_to(struct oreka_message *m, struct text v)
{
	take_number(m->to, v);
}

struct reading {
	struct oreka_message *m;
	bool has_stream, has_port, has_at;
	uint16_t port;
};

static void take_stream(struct reading *r, struct text v)
{
	static const struct {
		const char *words;
		bool begin, tx;
	} rows[] = {
		{ "BEGIN RX ", true, false }, { "BEGIN TX ", true, true },
		{ "END RX ", false, false }, { "END TX ", false, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (begins(v, rows[i].words) && rows[i].begin == r->m->begin) {
			r->m->tx = rows[i].tx;
			r->has_stream = true;
		}
}

static void take_other(struct oreka_message *m, struct text name, struct text v)
{
	struct oreka_header *h = &m->headers[m->n_headers];

	if (m->n_headers == OREKA_HEADERS || !is_id(name, sizeof(h->name)) ||
	    !v.len)
		return;
	memcpy(h->name, name.p, name.len);
	h->name[name.len] = 0;
	copy(h->value, v);
	if (*h->value) /* nothing is left of one endless character */
		m->n_headers++;
}

static void take_header(struct reading *r, struct text line)
{
	static const struct {
		const char *name;
		void (*take)(struct oreka_message *m, struct text v);
	} rows[] = {
		{ "Call-ID", take_call_id }, { "From", take_from },
		{ "To", take_to }, { "Via", NULL }, { "CSeq", NULL },
		{ "Contact", NULL }, { "Max-Forwards", NULL },
		{ "Content-Type", NULL }, { "Content-Length", NULL },
	};
	const char *colon = memchr(line.p, ':', line.len);

	if (!colon)
		return;
	const struct text name = trim((struct text){ line.p,
					(size_t)(colon - line.p) });
	const struct text v = trim((struct text){ colon + 1,
			(size_t)(line.p + line.len - colon - 1) });
	if (is_name(name, "Subject")) {
		take_stream(r, v);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_name(name, rows[i].name)) {
			if (rows[i].take)
				rows[i].take(r->m, v);
			return;
		}
	take_other(r->m, name, v);
}

/* -- description ------------------------------------------------------------------ */

/* "... IN IP4 192.0.2.1" */
static bool take_address(struct addr *out, struct text line)
{
	static const char before[] = "IN IP4 ";
	const char *at = memmem(line.p, line.len, before, sizeof(before) - 1);

	if (!at)
		return false;
	at += sizeof(before) - 1;
	return !addr_parse(out, at, (size_t)(line.p + line.len - at)) &&
	       !addr_is_any(out);
}

static void take_port(struct reading *r, struct text line)
{
	static const char before[] = "m=audio ", behind[] = " RTP/AVP 0";
	const size_t n = sizeof(before) - 1;
	uint64_t port;
	size_t digits = 0;

	while (n + digits < line.len && line.p[n + digits] >= '0' &&
	       line.p[n + digits] <= '9')
		digits++;
	const struct text rest = { line.p + n + digits, line.len - n - digits };
	if (r->has_port || !begins(rest, behind) ||
	    number_parse(&port, line.p + n, digits, UINT16_MAX) ||
	    port < PORT_MIN)
		return;
	r->port = (uint16_t)port;
	r->has_port = true;
}

static void take_sdp(struct reading *r, struct text line)
{
	if (begins(line, "o="))
		(void)take_address(&r->m->sender, line);
	else if (begins(line, "c="))
		r->has_at = take_address(&r->m->at, line);
	else if (begins(line, "m=audio "))
		take_port(r, line);
}

int oreka_parse(struct oreka_message *out, const uint8_t *data, size_t len)
{
	struct text rest = { (const char *)data, len }, line;
	struct reading r = { .m = out };
	bool body = false;

	if (len > OREKA_MAX)
		return -EMSGSIZE;
	*out = (struct oreka_message){0};
	if (!next_line(&rest, &line))
		return -EBADMSG;
	out->begin = begins(line, "INVITE sip:");
	if (!out->begin && !begins(line, "BYE sip:"))
		return -EBADMSG;
	for (unsigned n = 0; next_line(&rest, &line); n++) {
		if (n == LINES_MAX)
			return -EMSGSIZE;
		if (!line.len)
			body = true;
		else if (body)
			take_sdp(&r, line);
		else
			take_header(&r, line);
	}
	if (!*out->call_id || !r.has_stream)
		return -EBADMSG;
	if (out->begin && (!r.has_port || !r.has_at))
		return -EBADMSG;
	if (out->begin)
		out->at.port = r.port;
	return 0;
}
