/*
 * expat takes the XML apart; an element's meaning is its local name and the
 * element it stands in (table below).  Namespaces are not looked at: three are
 * in use, some senders declare none, and some forget to declare a prefix.
 */
#include <errno.h>
#include <expat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/siprec.h"

enum element {
	NOTHING, ROOT, DATAMODE, RECORDING, GROUP, SESSION, SIP_SESSION,
	GROUP_REF, PARTICIPANT, NAME_ID, AOR, NAME, STREAM, LABEL, MODE,
	SESSION_LINK, STREAM_LINK, SEND, RECV, STREAM_ID, GONE, UNUSED,
	EXTENSION,
};

static const struct {
	enum element in;
	const char *name;
	enum element is;
} meanings[] = {
	{ NOTHING, "recording", ROOT },
	{ NOTHING, "recording_metadata", ROOT },
	{ ROOT, "datamode", DATAMODE },
	{ ROOT, "recording", RECORDING },
	{ ROOT, "group", GROUP },
	{ ROOT, "session", SESSION },
	{ ROOT, "participant", PARTICIPANT },
	{ ROOT, "stream", STREAM },
	{ ROOT, "sessionrecordingassoc", UNUSED },
	{ ROOT, "participantsessionassoc", SESSION_LINK },
	{ ROOT, "participantstreamassoc", STREAM_LINK },
	{ RECORDING, "requestor", UNUSED },
	{ RECORDING, "type", UNUSED },
	{ GROUP, "associate-time", UNUSED },
	{ GROUP, "disassociate-time", UNUSED },
	{ SESSION, "sipsessionid", SIP_SESSION },
	{ SESSION, "group-ref", GROUP_REF },
	{ SESSION, "associate-time", UNUSED },
	{ SESSION, "start-time", UNUSED },
	{ SESSION, "stop-time", UNUSED },
	{ SESSION, "reason", UNUSED },
	{ PARTICIPANT, "nameid", NAME_ID },
	{ PARTICIPANT, "aor", AOR },
	{ PARTICIPANT, "name", NAME },
	{ PARTICIPANT, "send", SEND },
	{ PARTICIPANT, "recv", RECV },
	{ PARTICIPANT, "associate-time", UNUSED },
	{ PARTICIPANT, "disassociate-time", GONE },
	{ NAME_ID, "name", NAME },
	{ NAME_ID, "aor", AOR },
	{ STREAM, "label", LABEL },
	{ STREAM, "mode", MODE },
	{ STREAM, "associate-time", UNUSED },
	{ STREAM, "disassociate-time", UNUSED },
	{ STREAM_LINK, "send", SEND },
	{ STREAM_LINK, "recv", RECV },
	{ STREAM_LINK, "associate-time", UNUSED },
	{ STREAM_LINK, "disassociate-time", GONE },
	{ SESSION_LINK, "associate-time", UNUSED },
	{ SESSION_LINK, "disassociate-time", GONE },
	{ SEND, "id", STREAM_ID },
	{ RECV, "id", STREAM_ID },
};

struct reader {
	XML_Parser expat;
	struct siprec *m;
	int err;
	size_t elements, depth;
	enum element stack[SIPREC_DEPTH_MAX + 1]; /* 0: NOTHING */
	char text[SIPREC_TEXT + 1];               /* of the element at work */
	size_t len;
	bool cut;
	/* What the element stands in; NULL: none, or one too many */
	struct siprec_session *session;
	struct siprec_participant *participant;
	struct siprec_stream *stream;
	char link[SIPREC_TEXT + 1];               /* its participant */
	size_t first_link;                        /* of this association */
	char said[SIPREC_TEXT + 1];               /* label of an extension */
};

static void stop(struct reader *r, int err)
{
	if (!r->err)
		r->err = err;
	XML_StopParser(r->expat, XML_FALSE);
}

static char *copy(struct reader *r, const char *text)
{
	char *c = strndup(text, utf8_cut(text, strlen(text), SIPREC_TEXT));

	if (!c)
		stop(r, -ENOMEM);
	else
		utf8_clean(c);
	return c;
}

/* In place of what was there; "" says nothing */
static void set(struct reader *r, char **at, const char *text)
{
	char *c;

	if (!text[0])
		return;
	c = copy(r, text);
	if (!c)
		return;
	free(*at);
	*at = c;
}

static const char *attribute(const XML_Char **attributes, const char *name,
			     const char *old)
{
	const char *found = "";

	for (; attributes[0]; attributes += 2)
		if (strcasecmp(attributes[0], name) == 0)
			return attributes[1];
		else if (old && strcasecmp(attributes[0], old) == 0)
			found = attributes[1];
	return found;
}

static void keep(char out[SIPREC_TEXT + 1], const char *text)
{
	const size_t n = utf8_cut(text, strlen(text), SIPREC_TEXT);

	memcpy(out, text, n);
	out[n] = '\0';
	utf8_clean(out);
}

/* -- what begins ---------------------------------------------------------------------- */

static void begin_session(struct reader *r, const XML_Char **attributes)
{
	struct siprec *m = r->m;

	r->session = NULL;
	if (m->n_sessions == SIPREC_SESSIONS_MAX)
		return;
	struct siprec_session *s = &m->sessions[m->n_sessions++];

	s->id = copy(r, attribute(attributes, "session_id", "id"));
	s->sip_session_id = copy(r, "");
	s->group = copy(r, attribute(attributes, "group_id", "group"));
	r->session = s;
}

static struct siprec_participant *known(struct reader *r, const char *id)
{
	struct siprec *m = r->m;
	char own[SIPREC_TEXT + 1];

	keep(own, id);
	for (size_t i = 0; own[0] && i < m->n_participants; i++)
		if (m->participants[i].id &&
		    strcmp(m->participants[i].id, own) == 0)
			return &m->participants[i];
	return NULL;
}

static struct siprec_participant *participant(struct reader *r, const char *id)
{
	struct siprec *m = r->m;
	struct siprec_participant *p = known(r, id);

	if (p || m->n_participants == SIPREC_PARTICIPANTS_MAX)
		return p;
	p = &m->participants[m->n_participants++];
	p->id = copy(r, id);
	p->aor = copy(r, "");
	p->name = copy(r, "");
	return p;
}

/* Of several associations the last one holds */
static void come_back(struct reader *r, const char *id)
{
	struct siprec_participant *p = known(r, id);

	if (p)
		p->gone = false;
}

static void begin_stream(struct reader *r, const XML_Char **attributes)
{
	struct siprec *m = r->m;

	r->stream = NULL;
	if (m->n_streams == SIPREC_STREAMS_MAX)
		return;
	struct siprec_stream *s = &m->streams[m->n_streams++];

	s->id = copy(r, attribute(attributes, "stream_id", "id"));
	s->label = copy(r, "");
	r->stream = s;
}

static void begin(struct reader *r, enum element is, enum element in,
		  const XML_Char **attributes)
{
	switch (is) {
	case ROOT: /* Metaswitch */
	case RECORDING:
		set(r, &r->m->recording,
		    attribute(attributes, "recording_id", "id"));
		break;
	case SESSION:
		begin_session(r, attributes);
		break;
	case PARTICIPANT:
		keep(r->link, attribute(attributes, "participant_id", "id"));
		r->participant = participant(r, r->link);
		r->first_link = r->m->n_links;
		break;
	case NAME_ID:
		if (r->participant)
			set(r, &r->participant->aor,
			    attribute(attributes, "aor", NULL));
		break;
	case STREAM:
		begin_stream(r, attributes);
		break;
	case SESSION_LINK:
		come_back(r, attribute(attributes, "participant_id",
				       "participant"));
		/* fall through */
	case STREAM_LINK:
		keep(r->link, attribute(attributes, "participant_id",
					"participant"));
		r->first_link = r->m->n_links;
		break;
	case EXTENSION:
		/* Oracle and BroadWorks: outside, with the id of its owner */
		if (in == ROOT)
			r->participant = known(r, attribute(attributes,
							    "parent", NULL));
		/* <header label="From"><value>...: named by its label */
		if (attribute(attributes, "label", NULL)[0])
			keep(r->said, attribute(attributes, "label", NULL));
		break;
	default:
		break;
	}
}

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static enum element meaning(enum element in, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].in == in &&
		    strcasecmp(meanings[i].name, name) == 0)
			return meanings[i].is;
	return in == UNUSED ? UNUSED : in == NOTHING ? NOTHING : EXTENSION;
}

static void XMLCALL on_start(void *arg, const XML_Char *name,
			     const XML_Char **attributes)
{
	struct reader *r = arg;
	const enum element is = meaning(r->stack[r->depth], local_name(name));

	r->len = 0;
	r->cut = false;
	if (is == NOTHING) {
		stop(r, -EBADMSG);
	} else if (++r->elements > SIPREC_ELEMENTS_MAX ||
		   r->depth == SIPREC_DEPTH_MAX) {
		stop(r, -EMSGSIZE);
	} else {
		const enum element in = r->stack[r->depth];

		r->stack[++r->depth] = is;
		begin(r, is, in, attributes);
	}
}

/* -- what ends --------------------------------------------------------------------------- */

static void add_link(struct reader *r, bool sends, const char *stream)
{
	struct siprec *m = r->m;

	if (!stream[0] || !r->link[0] || m->n_links == SIPREC_LINKS_MAX)
		return;
	m->links[m->n_links++] = (struct siprec_link){
		.participant = copy(r, r->link), .stream = copy(r, stream),
		.sends = sends,
	};
}

/* It has a time of leaving: the session, or the streams it names */
static void take_gone(struct reader *r, enum element in)
{
	struct siprec_participant *p;

	if (in == STREAM_LINK) {
		for (size_t i = r->first_link; i < r->m->n_links; i++)
			r->m->links[i].gone = true;
		return;
	}
	p = r->link[0] ? participant(r, r->link) : NULL;
	if (p)
		p->gone = true;
}

static void take_extension(struct reader *r, const char *name,
			   const char *text)
{
	struct siprec *m = r->m;

	if (r->participant && strcasecmp(name, "callingParty") == 0) {
		r->participant->calling = strcasecmp(text, "true") == 0
						  ? SIPREC_CALLING_YES
						  : SIPREC_CALLING_NO;
		return;
	}
	if (r->participant && strcasecmp(name, "role") == 0) {
		if (strcasecmp(text, "calling") == 0)
			r->participant->calling = SIPREC_CALLING_YES;
		if (strcasecmp(text, "called") == 0)
			r->participant->calling = SIPREC_CALLING_NO;
		return;
	}
	if (!text[0] || m->n_extensions == SIPREC_EXTENSIONS_MAX)
		return;
	if (r->said[0] && (strcasecmp(name, "value") == 0 ||
			   strcasecmp(name, "header") == 0))
		name = r->said;
	m->extensions[m->n_extensions++] = (struct siprec_extension){
		.name = copy(r, name), .value = copy(r, text),
	};
}

/* Blanks at both ends taken off, the rest fit to print */
static const char *text_of(struct reader *r)
{
	char *begin = r->text;

	r->text[r->len] = '\0';
	while (r->len && strchr(" \t\r\n", r->text[r->len - 1]))
		r->text[--r->len] = '\0';
	begin += strspn(begin, " \t\r\n");
	utf8_clean(begin);
	return begin;
}

static void end(struct reader *r, enum element is, enum element in,
		const char *name, const char *text)
{
	switch (is) {
	case DATAMODE:
		r->m->partial = strcasecmp(text, "partial") == 0;
		break;
	case SIP_SESSION:
		if (r->session)
			set(r, &r->session->sip_session_id, text);
		break;
	case GROUP_REF:
		if (r->session)
			set(r, &r->session->group, text);
		break;
	case AOR:
		if (r->participant)
			set(r, &r->participant->aor, text);
		break;
	case NAME:
		if (r->participant)
			set(r, &r->participant->name, text);
		break;
	case LABEL:
		if (r->stream)
			set(r, &r->stream->label, text);
		break;
	case MODE:
		if (r->stream)
			r->stream->mixed = strcasecmp(text, "mixed") == 0;
		break;
	case SEND:
	case RECV:
		add_link(r, is == SEND, text);
		break;
	case STREAM_ID:
		add_link(r, in == SEND, text);
		break;
	case GONE:
		take_gone(r, in);
		break;
	case EXTENSION:
		take_extension(r, name, text);
		break;
	case PARTICIPANT:
		r->participant = NULL;
		break;
	default:
		break;
	}
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;

	if (r->err)
		return;
	end(r, r->stack[r->depth], r->stack[r->depth - 1], local_name(name),
	    text_of(r));
	/* what surrounds an element has no text of its own */
	r->len = 0;
	r->cut = false;
	r->depth--;
	if (strcasecmp(local_name(name), "value") != 0)
		r->said[0] = '\0';
}

/* As much as fits, without half a character */
static void XMLCALL on_text(void *arg, const XML_Char *text, int n)
{
	struct reader *r = arg;
	const size_t fits = r->cut ? 0 : utf8_cut(text, (size_t)n,
						  SIPREC_TEXT - r->len);

	if (r->len == 0 && n == 1 && strchr(" \t\r\n", text[0]))
		return;
	r->cut = fits < (size_t)n;
	memcpy(r->text + r->len, text, fits);
	r->len += fits;
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name,
			       const XML_Char *system, const XML_Char *public,
			       int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(arg, -EBADMSG);
}

static int read_all(struct reader *r, const char *xml, size_t len)
{
	XML_SetUserData(r->expat, r);
	XML_SetElementHandler(r->expat, on_start, on_end);
	XML_SetCharacterDataHandler(r->expat, on_text);
	XML_SetStartDoctypeDeclHandler(r->expat, on_doctype);
	const enum XML_Status status =
		XML_Parse(r->expat, xml, (int)len, XML_TRUE);

	if (r->err)
		return r->err;
	if (status == XML_STATUS_OK)
		return 0;
	return XML_GetErrorCode(r->expat) == XML_ERROR_NO_MEMORY ? -ENOMEM
								 : -EBADMSG;
}

int siprec_parse(struct siprec **out, const char *xml, size_t len)
{
	/* an XML declaration may only stand at the very beginning */
	while (len && strchr(" \t\r\n", *xml) && *xml) {
		xml++;
		len--;
	}
	if (len > SIPREC_BYTES_MAX)
		return -EMSGSIZE;
	struct reader *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->m = calloc(1, sizeof(*r->m));
	if (r->m)
		r->m->recording = strdup("");
	r->expat = XML_ParserCreate(NULL);
	if (r->m && r->m->recording && r->expat)
		err = read_all(r, xml, len);
	if (!err)
		*out = r->m;
	else
		siprec_free(r->m);
	if (r->expat)
		XML_ParserFree(r->expat);
	free(r);
	return err;
}
