/** @file sip_invite.c  An INVITE that begins a call, or is refused */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/utf8.h"
#include "daemon/ingress/sip_server.h"
#include "daemon/ingress/sip_siprec.h"
#include "daemon/net/random.h"
#include "daemon/sig/sip_session.h"

/* One of the headers that go into ids: the call's name end to end (RFC 7989),
 * and what the configuration asks for */
static const char *header_name(char **names, size_t i)
{
	return i == 0 ? "Session-ID" : names ? names[i - 1] : NULL;
}

/* `text` holds the values */
static void add_header_ids(const struct sip_call *c,
			   const struct sip_request *r, struct sip_identity *id,
			   struct buf *text)
{
	char **names = c->server->cfg.config->sip.headers;
	const char *name;
	size_t at = 0;

	/* the text moves while it grows: values first, then pointers */
	for (size_t i = 0; (name = header_name(names, i)); i++) {
		const struct sip_text v = sip_field(r->f, name, 0);

		buf_add(text, v.p, v.len);
		buf_add(text, "", 1);
	}
	for (size_t i = 0; !text->err && (name = header_name(names, i)); i++) {
		char *value = (char *)text->data + at;

		at += strlen(value) + 1;
		utf8_clean(value);
		if (i && !strcasecmp(name, "Session-ID"))
			continue;
		if (*value && id->n_ids < SIP_IDS_MAX)
			id->ids[id->n_ids++] = (struct event_id){ name, value };
	}
}

static int call_begin(struct sip_call *c, const struct sip_request *r)
{
	struct sip_identity id = { .from = r->m->from, .to = r->m->to };
	struct buf values = { 0 };
	char uuid[UUID_TEXT];

	sip_siprec_begin(c, &id);
	add_header_ids(c, r, &id, &values);

	const struct call_info i = {
		.id = random_uuid(uuid),
		.source = c->siprec ? "siprec" : "sip",
		.from = *id.from ? id.from : NULL,
		.to = *id.to ? id.to : NULL,
		.sip_call_id = r->m->call_id, .ids = id.ids, .n_ids = id.n_ids,
		.trunk = r->peer.from,
		.participants = id.n_participants ? id.participants : NULL,
		.n_participants = id.n_participants,
		.calling = id.calling, .called = id.called,
	};
	const int err = call_open(&c->call, c->server->cfg.calls, &i);

	buf_free(&values);
	return err;
}

static void again(struct sip_call *c, const struct sip_request *r)
{
	if (strcmp(c->begin_branch, r->m->branch) != 0) {
		/* the same one by another way (RFC 3261 section 8.2.2.2) */
		sip_refuse(c->server, r, 482, NULL);
		return;
	}
	if (c->begin_cseq == c->invite_cseq)
		sip_call_send(c, &c->final);
}

/* Everything that could be wrong with it has been looked at. */
static void begin(struct sip_server *s, const struct sip_request *r,
		  const struct sdp_answer *a, struct sdp *offer,
		  struct buf *headers, uint32_t session_s)
{
	struct sip_call *c = NULL;
	struct buf sdp = { 0 };
	int err = sip_call_new(&c, s, r);

	if (!err) {
		sip_siprec_take(c, r, a, offer);
		err = call_begin(c, r);
	}
	if (err)
		free(offer);
	else
		err = sip_media_apply(c, a, offer, &sdp);
	if (err) {
		if (c)
			sip_call_free(c, "error");
		if (err == -EMSGSIZE) /* more routes than we keep */
			sip_refuse(s, r, 513, NULL);
		else
			sip_refuse(s, r, 503, "Retry-After: 5\r\n");
	} else {
		sip_call_refresh(c, session_s);
		sip_call_accept(c, r, buf_str(headers), &sdp);
	}
	buf_free(&sdp);
}

void sip_call_invite(struct sip_server *s, const struct sip_request *r)
{
	struct sip_call *c = sip_call_begun_by(s, r->m);
	struct buf headers = { 0 };
	struct sdp_answer a = { 0 };
	struct sdp *offer = NULL;
	uint32_t session_s;

	if (c) {
		again(c, r);
		return;
	}
	unsigned status = sip_session(&headers, &session_s, r->f);

	if (!status)
		status = sip_media_judge(NULL, &a, &offer, r->m, &headers);
	if (!status && !sip_dialog_reaches(r->f))
		status = 400;
	if (!status)
		status = sip_admit(s, a.accepted, &headers);
	if (status) {
		free(offer);
		sip_refuse(s, r, status, buf_str(&headers));
	} else {
		begin(s, r, &a, offer, &headers, session_s);
	}
	buf_free(&headers);
}
