/** @file recording.c  A recorded call as its recording client tells it */
#include "daemon/ingress/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/hash.h"

/* The other system's name of the call, as Oracle, Ribbon, jambonz and
 * BroadWorks say */
static const char *const usual[] = { "ucid", "gcid", "callid", "callsid",
				     "extTrackingID", NULL };

struct recording {
	struct recording_config cfg;
	struct siprec *known;         /* NULL: no metadata so far */
	struct recording_line lines[SDP_MEDIA_MAX];
	struct recording_line told[SDP_MEDIA_MAX];
	uint64_t told_ids, told_participants; /* hashes */
};

/* C has no such conversion, though nothing is less const behind it */
static const char *const *list(char **names)
{
	return (const char *const *)(void *)names;
}

void recording_configure(struct recording_config *out, const struct config *c)
{
	*out = (struct recording_config){ 0 };
	if (!c)
		return;
	out->rules.caller = list(c->siprec.caller);
	out->rules.agent = list(c->siprec.agent);
	out->rules.internal = list(c->siprec.internal);
	out->rules.swap = c->siprec.swap;
	out->extensions = list(c->siprec.extensions);
}

int recording_new(struct recording **out, const struct recording_config *cfg)
{
	struct recording *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	if (cfg)
		r->cfg = *cfg;
	if (!r->cfg.extensions || !r->cfg.extensions[0])
		r->cfg.extensions = usual;
	*out = r;
	return 0;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	siprec_free(r->known);
	free(r);
}

int recording_take(struct recording *r, const char *xml, size_t len)
{
	struct siprec *news;
	const int err = siprec_parse(&news, xml, len);

	if (!err)
		siprec_update(&r->known, news);
	return err;
}

/* The label of an m-line that has none */
static const char *index_label(char out[24], unsigned line)
{
	snprintf(out, 24, "media-index %u", line);
	return out;
}

static void put_escaped(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("<>&\"'", text[i]))
			buf_printf(b, "&#%d;", text[i]);
		else
			buf_add(b, text + i, 1);
}

/* `sip:1@x;media-index="0"`; what makes no sense is as if it were not there */
static void put_header(struct buf *b, const char *value, size_t len)
{
	static const char name[] = "media-index=";
	const char *at = memmem(value, len, name, strlen(name));
	const char *semicolon = memchr(value, ';', len);
	char label[24];
	unsigned line;

	if (!at || !semicolon)
		return;
	at += strlen(name);
	if (at < value + len && *at == '"')
		at++;
	if (at >= value + len || *at < '0' || *at >= '0' + SDP_MEDIA_MAX)
		return;
	line = (unsigned)(*at - '0');
	buf_printf(b, "<participant participant_id='%u'><nameID aor='", line);
	put_escaped(b, value, (size_t)(semicolon - value));
	buf_printf(b, "'/></participant><stream stream_id='%u'><label>%s"
		   "</label></stream><participantstreamassoc "
		   "participant_id='%u'><send>%u</send>"
		   "</participantstreamassoc>", line, index_label(label, line),
		   line, line);
}

int recording_take_headers(struct recording *r, const char *recorded)
{
	struct buf xml = { 0 };
	int err;

	buf_puts(&xml, "<recording>");
	while (*recorded) {
		const size_t len = strcspn(recorded, ",");

		put_header(&xml, recorded, len);
		recorded += len + (recorded[len] == ',');
	}
	buf_puts(&xml, "</recording>");
	err = xml.err ? xml.err : recording_take(r, buf_str(&xml), xml.len);
	buf_free(&xml);
	return err;
}

void recording_line_set(struct recording *r, unsigned line, bool used,
			const char *label)
{
	struct recording_line *l = &r->lines[line];

	if (used && (!l->used || strcmp(l->label, label) != 0)) {
		l->role = ROLE_UNKNOWN;
		l->role_source = NULL;
	}
	l->used = used;
	snprintf(l->label, sizeof(l->label), "%s", label);
}

/* An association that ended does not make somebody else of who speaks there */
static bool is_worse(const struct siprec_line *now,
		     const struct recording_line *was)
{
	return was->role_source && strcmp(was->role_source, "labels") != 0 &&
	       strcmp(was->role_source, "mixed") != 0 &&
	       strcmp(now->source, "labels") == 0;
}

void recording_settle(struct recording *r)
{
	const char *labels[SDP_MEDIA_MAX];
	struct siprec_line found[SDP_MEDIA_MAX];
	char own[SDP_MEDIA_MAX][24];
	unsigned at[SDP_MEDIA_MAX];
	size_t n = 0;

	if (r->known)
		siprec_settle(r->known, &r->cfg.rules);
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		if (r->lines[i].used) {
			labels[n] = r->lines[i].label[0]
					    ? r->lines[i].label
					    : index_label(own[i], i);
			at[n++] = i;
		}
	siprec_lines(found, labels, n, r->known, &r->cfg.rules);
	for (size_t i = 0; i < n; i++) {
		struct recording_line *l = &r->lines[at[i]];

		if (n > 1 && is_worse(&found[i], l))
			continue;
		l->role = found[i].role;
		l->role_source = found[i].source;
	}
}

const struct recording_line *recording_line(const struct recording *r,
					    unsigned line)
{
	return &r->lines[line];
}

/* -- what is told ------------------------------------------------------------------ */

static void add_id(struct recording_identity *out, const char *name,
		   const char *value)
{
	if (value && value[0] && out->n_ids < RECORDING_IDS_MAX)
		out->ids[out->n_ids++] = (struct event_id){ name, value };
}

static void put_ids(struct recording_identity *out, const struct recording *r)
{
	static const char *const sessions[] = {
		"siprec_session", "siprec_session_2", "siprec_session_3",
		"siprec_session_4",
	};
	_Static_assert(ARRAY_LEN(sessions) == SIPREC_SESSIONS_MAX, "names");
	const struct siprec *m = r->known;

	add_id(out, "siprec_recording", m->recording);
	for (size_t i = 0; i < m->n_sessions; i++)
		add_id(out, sessions[i], m->sessions[i].id);
	if (m->n_sessions) {
		add_id(out, "siprec_group", m->sessions[0].group);
		add_id(out, "sip_session_id", m->sessions[0].sip_session_id);
	}
	for (const char *const *x = r->cfg.extensions; *x; x++)
		add_id(out, *x, siprec_extension(m, *x));
}

/* The stream it sends, of an m-line in use if there is one */
static const struct siprec_stream *stream_of(const struct recording *r,
					     const struct siprec_participant *p)
{
	const struct siprec *m = r->known;
	const struct siprec_stream *any = NULL;

	for (size_t i = 0; i < m->n_streams; i++) {
		const struct siprec_stream *s = &m->streams[i];

		if (!siprec_sends(m, p, s))
			continue;
		any = any ? any : s;
		for (unsigned k = 0; k < SDP_MEDIA_MAX; k++)
			if (r->lines[k].used &&
			    strcmp(r->lines[k].label, s->label) == 0)
				return s;
	}
	return any;
}

static void put_participants(struct recording_identity *out,
			     const struct recording *r)
{
	const struct siprec *m = r->known;

	for (size_t i = 0; i < m->n_participants; i++) {
		const struct siprec_participant *p = &m->participants[i];
		const struct siprec_stream *s = stream_of(r, p);

		/* a line's index is not its label */
		const bool told = s && strncmp(s->label, "media-index ", 12);

		if (p->gone)
			continue;
		out->participants[out->n_participants++] =
			(struct event_participant){
				.id = p->id, .aor = p->aor, .name = p->name,
				.role = p->role,
				.label = told ? s->label : NULL,
				.stream = told ? s->id : NULL,
			};
	}
}

static const char *without_scheme(const char *aor)
{
	static const char *const schemes[] = { "sip:", "sips:", "tel:" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncasecmp(aor, schemes[i], strlen(schemes[i])) == 0)
			return aor + strlen(schemes[i]);
	return aor;
}

static void put_parties(struct recording_identity *out)
{
	for (size_t i = out->n_participants; i > 0; i--) {
		const struct event_participant *p = &out->participants[i - 1];

		if (!p->aor[0])
			continue;
		if (p->role == ROLE_CALLER)
			out->calling = without_scheme(p->aor);
		if (p->role == ROLE_AGENT)
			out->called = without_scheme(p->aor);
	}
}

static void identify(struct recording_identity *out, const struct recording *r)
{
	*out = (struct recording_identity){ 0 };
	if (!r->known)
		return;
	put_ids(out, r);
	put_participants(out, r);
	put_parties(out);
}

static uint64_t hash_text(uint64_t h, const char *text)
{
	return hash_mix(h, text ? hash_bytes(text, strlen(text)) : 0);
}

static uint64_t hash_ids(const struct recording_identity *x)
{
	uint64_t h = x->n_ids;

	for (size_t i = 0; i < x->n_ids; i++)
		h = hash_text(hash_text(h, x->ids[i].name), x->ids[i].value);
	return h;
}

static uint64_t hash_participants(const struct recording_identity *x)
{
	uint64_t h = x->n_participants;

	for (size_t i = 0; i < x->n_participants; i++) {
		const struct event_participant *p = &x->participants[i];

		h = hash_text(hash_text(hash_text(h, p->id), p->aor), p->name);
		h = hash_text(hash_text(h, p->label), p->stream);
		h = hash_mix(h, p->role);
	}
	return h;
}

static void told(struct recording *r, const struct recording_identity *x)
{
	r->told_ids = hash_ids(x);
	r->told_participants = hash_participants(x);
	memcpy(r->told, r->lines, sizeof(r->told));
}

void recording_start(struct recording *r, struct recording_identity *out)
{
	identify(out, r);
	told(r, out);
}

static void tell_line(const struct recording *r, unsigned i,
		      void (*line)(unsigned i, const struct recording_line *l,
				   const char *label, void *arg),
		      void *arg)
{
	const struct recording_line *l = &r->lines[i], *was = &r->told[i];
	const bool labelled = strcmp(l->label, was->label) != 0;

	/* what was not there before begins with all this */
	if (!l->used || !was->used ||
	    (!labelled && l->role == was->role && was->role_source &&
	     strcmp(l->role_source, was->role_source) == 0))
		return;
	line(i, l, labelled ? l->label : NULL, arg);
}

void recording_tell(struct recording *r, struct call *c,
		    void (*line)(unsigned i, const struct recording_line *l,
				 const char *label, void *arg),
		    void *arg)
{
	struct recording_identity now;
	struct call_news news = { 0 };

	identify(&now, r);
	if (now.n_ids && r->told_ids != hash_ids(&now)) {
		news.ids = now.ids;
		news.n_ids = now.n_ids;
	}
	if (r->told_participants != hash_participants(&now)) {
		news.participants = now.participants;
		news.n_participants = now.n_participants;
	}
	if (news.ids || news.participants)
		call_update(c, &news);
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		tell_line(r, i, line, arg);
	told(r, &now);
}
