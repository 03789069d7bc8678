/** @file siprec.c  What is known of a recorded call, and its updates */
#include "daemon/sig/siprec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void participant_free(struct siprec_participant *p)
{
	free(p->id);
	free(p->aor);
	free(p->name);
}

static void session_free(struct siprec_session *s)
{
	free(s->id);
	free(s->sip_session_id);
	free(s->group);
}

static void stream_free(struct siprec_stream *s)
{
	free(s->id);
	free(s->label);
}

static void link_free(struct siprec_link *l)
{
	free(l->participant);
	free(l->stream);
}

static void extension_free(struct siprec_extension *e)
{
	free(e->name);
	free(e->value);
}

void siprec_free(struct siprec *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_sessions; i++)
		session_free(&m->sessions[i]);
	for (size_t i = 0; i < m->n_participants; i++)
		participant_free(&m->participants[i]);
	for (size_t i = 0; i < m->n_streams; i++)
		stream_free(&m->streams[i]);
	for (size_t i = 0; i < m->n_links; i++)
		link_free(&m->links[i]);
	for (size_t i = 0; i < m->n_extensions; i++)
		extension_free(&m->extensions[i]);
	free(m->recording);
	free(m->caller);
	free(m);
}

const struct siprec_stream *siprec_stream(const struct siprec *m,
					  const char *label)
{
	for (size_t i = 0; m && label[0] && i < m->n_streams; i++)
		if (strcmp(m->streams[i].label, label) == 0)
			return &m->streams[i];
	return NULL;
}

bool siprec_sends(const struct siprec *m, const struct siprec_participant *p,
		  const struct siprec_stream *s)
{
	if (!p->id[0] || !s->id[0] || p->gone)
		return false;
	for (size_t i = 0; i < m->n_links; i++) {
		const struct siprec_link *l = &m->links[i];

		if (l->sends && !l->gone && strcmp(l->participant, p->id) == 0 &&
		    strcmp(l->stream, s->id) == 0)
			return true;
	}
	return false;
}

const char *siprec_extension(const struct siprec *m, const char *name)
{
	for (size_t i = 0; i < m->n_extensions; i++)
		if (strcasecmp(m->extensions[i].name, name) == 0)
			return m->extensions[i].value;
	return NULL;
}

/* -- updates ------------------------------------------------------------------------ */

static struct siprec_participant *find_participant(struct siprec *m,
						   const char *id)
{
	for (size_t i = 0; id[0] && i < m->n_participants; i++)
		if (strcmp(m->participants[i].id, id) == 0)
			return &m->participants[i];
	return NULL;
}

/* The other's stays behind, to be freed with it */
static void swap(char **a, char **b)
{
	char *was = *a;

	*a = *b;
	*b = was;
}

static void take_text(char **to, char **from)
{
	if (**from)
		swap(to, from);
}

static void merge_participant(struct siprec *m, struct siprec_participant *p)
{
	struct siprec_participant *known = find_participant(m, p->id);

	if (known) {
		take_text(&known->aor, &p->aor);
		take_text(&known->name, &p->name);
		if (p->calling)
			known->calling = p->calling;
		known->gone = p->gone;
		return;
	}
	if (m->n_participants == SIPREC_PARTICIPANTS_MAX)
		return;
	m->participants[m->n_participants++] = *p;
	*p = (struct siprec_participant){ 0 };
}

static void merge_stream(struct siprec *m, struct siprec_stream *s)
{
	for (size_t i = 0; i < m->n_streams; i++)
		if (strcmp(m->streams[i].id, s->id) == 0) {
			take_text(&m->streams[i].label, &s->label);
			m->streams[i].mixed |= s->mixed;
			return;
		}
	if (m->n_streams == SIPREC_STREAMS_MAX)
		return;
	m->streams[m->n_streams++] = *s;
	*s = (struct siprec_stream){ 0 };
}

static void merge_session(struct siprec *m, struct siprec_session *s)
{
	for (size_t i = 0; i < m->n_sessions; i++)
		if (strcmp(m->sessions[i].id, s->id) == 0) {
			take_text(&m->sessions[i].sip_session_id,
				  &s->sip_session_id);
			take_text(&m->sessions[i].group, &s->group);
			return;
		}
	if (m->n_sessions == SIPREC_SESSIONS_MAX)
		return;
	m->sessions[m->n_sessions++] = *s;
	*s = (struct siprec_session){ 0 };
}

static bool has_links(const struct siprec *m, const char *participant)
{
	for (size_t i = 0; i < m->n_links; i++)
		if (strcmp(m->links[i].participant, participant) == 0)
			return true;
	return false;
}

/* What a participant does now is what the update says it does */
static void merge_links(struct siprec *m, struct siprec *news)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n_links; i++)
		if (has_links(news, m->links[i].participant))
			link_free(&m->links[i]);
		else
			m->links[kept++] = m->links[i];
	m->n_links = kept;
	for (size_t i = 0; i < news->n_links; i++) {
		if (m->n_links == SIPREC_LINKS_MAX)
			return;
		m->links[m->n_links++] = news->links[i];
		news->links[i] = (struct siprec_link){ 0 };
	}
}

static void merge_extension(struct siprec *m, struct siprec_extension *e)
{
	for (size_t i = 0; i < m->n_extensions; i++)
		if (strcmp(m->extensions[i].name, e->name) == 0) {
			swap(&m->extensions[i].value, &e->value);
			return;
		}
	if (m->n_extensions == SIPREC_EXTENSIONS_MAX)
		return;
	m->extensions[m->n_extensions++] = *e;
	*e = (struct siprec_extension){ 0 };
}

static void merge(struct siprec *m, struct siprec *news)
{
	take_text(&m->recording, &news->recording);
	for (size_t i = 0; i < news->n_sessions; i++)
		merge_session(m, &news->sessions[i]);
	for (size_t i = 0; i < news->n_participants; i++)
		merge_participant(m, &news->participants[i]);
	for (size_t i = 0; i < news->n_streams; i++)
		merge_stream(m, &news->streams[i]);
	for (size_t i = 0; i < news->n_extensions; i++)
		merge_extension(m, &news->extensions[i]);
	merge_links(m, news);
}

void siprec_update(struct siprec **known, struct siprec *news)
{
	struct siprec *was = *known;

	if (was && news->partial) {
		merge(was, news);
		siprec_free(news);
		return;
	}
	for (size_t i = 0; was && i < news->n_participants; i++) {
		struct siprec_participant *p = &news->participants[i];
		const struct siprec_participant *same =
			find_participant(was, p->id);

		if (!same)
			continue;
		p->role = same->role;
		p->role_source = same->role_source;
	}
	if (was) {
		news->had_caller = was->had_caller;
		swap(&news->caller, &was->caller);
	}
	siprec_free(was);
	*known = news;
}
