/** @file sip_inside.c  Requests inside a dialog */
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/sip_server.h"
#include "daemon/ingress/sip_siprec.h"
#include "daemon/sig/sip_judge.h"
#include "daemon/sig/sip_session.h"

/* An answer that is kept, in case the request comes again. */
static void answer(struct sip_call *c, const struct sip_request *r,
		   unsigned status, const char *headers, const struct buf *sdp)
{
	buf_clear(&c->last);
	c->last_method = r->m->method;
	c->last_cseq = r->m->cseq;
	if (!sip_call_compose(&c->last, c, r, status, headers, sdp))
		sip_call_send(c, &c->last);
}

/* -- a new session description -------------------------------------------------- */

/*
 * Judge all of it before anything is done: what is refused changes nothing
 * (RFC 3261 section 14.2).
 *
 * @return 0 with `headers` and `sdp` of the answer, or its status
 */
static unsigned renew(struct sip_call *c, const struct sip_request *r,
		      struct buf *headers, struct buf *sdp)
{
	const bool invite = r->m->method == SIP_INVITE;
	struct sdp *offer = NULL;
	struct sdp_answer a = { 0 };
	uint32_t session_s;
	unsigned status = sip_session(headers, &session_s, r->f);

	/* our offer is out: theirs has to wait (RFC 3311 section 5.2) */
	if (!status && c->offered && (invite || r->m->sdp_len))
		status = 491;
	if (!status && (invite || r->m->sdp_len))
		status = sip_media_judge(c, &a, &offer, r->m, headers);
	if (status)
		return status;
	if (invite || r->m->sdp_len) {
		sip_siprec_take(c, r, &a, offer);
		if (sip_media_apply(c, &a, offer, sdp))
			return 503;
	} else {
		sip_siprec_take(c, r, NULL, NULL);
	}
	sip_call_refresh(c, session_s);
	sip_dialog_target(c->dialog, r->f);
	return 0;
}

static void on_invite(struct sip_call *c, const struct sip_request *r)
{
	struct buf headers = { 0 }, sdp = { 0 };
	const unsigned status = renew(c, r, &headers, &sdp);

	if (status) {
		/* kept like any answer; its ACK needs nothing */
		answer(c, r, status, buf_str(&headers), NULL);
	} else {
		c->invite_cseq = r->m->cseq;
		sip_call_accept(c, r, buf_str(&headers), &sdp);
		sip_siprec_update(c);
	}
	buf_free(&headers);
	buf_free(&sdp);
}

static void on_update(struct sip_call *c, const struct sip_request *r)
{
	struct buf headers = { 0 }, sdp = { 0 };
	const unsigned status = renew(c, r, &headers, &sdp);

	if (!status)
		sip_siprec_update(c);
	answer(c, r, status ? status : 200, buf_str(&headers),
	       sdp.len ? &sdp : NULL);
	sip_call_arm(c);
	buf_free(&headers);
	buf_free(&sdp);
}

/* -- the others ------------------------------------------------------------------ */

static void on_ack(struct sip_call *c, const struct sip_request *r)
{
	const bool waited = c->offered;

	if (r->m->cseq != c->invite_cseq || c->acked)
		return;
	c->acked = true;
	c->offered = false;
	if (waited && !sip_media_agree(c, r->m)) {
		sip_call_bye(c, "not_agreed");
		return;
	}
	sip_call_arm(c);
}

static void on_bye(struct sip_call *c, const struct sip_request *r)
{
	answer(c, r, 200, NULL, NULL);
	sip_call_over(c, "bye");
}

/* Newest already answered: the same again.  @return handled */
static bool is_repeated(struct sip_call *c, const struct sip_request *r)
{
	const struct sip_message *m = r->m;

	if (m->method == SIP_INVITE && m->cseq == c->invite_cseq) {
		sip_call_send(c, &c->final);
		return true;
	}
	if (m->method != c->last_method || m->cseq != c->last_cseq)
		return false;
	sip_call_send(c, &c->last);
	return true;
}

static void new_request(struct sip_call *c, const struct sip_request *r)
{
	switch (r->m->method) {
	case SIP_INVITE:
		on_invite(c, r);
		break;
	case SIP_UPDATE:
		on_update(c, r);
		break;
	case SIP_BYE:
		on_bye(c, r);
		break;
	case SIP_INFO:
		sip_siprec_take(c, r, NULL, NULL);
		sip_siprec_update(c);
		answer(c, r, 200, NULL, NULL);
		break;
	case SIP_OPTIONS:
		answer(c, r, 200, "Allow: " SIP_ALLOW "\r\n"
				  "Accept: application/sdp\r\n"
				  "Supported: " SIP_SUPPORTED "\r\n", NULL);
		break;
	default: /* PRACK: nothing of ours waits for one (RFC 3262) */
		answer(c, r, 481, NULL, NULL);
		break;
	}
}

void sip_inside(struct sip_call *c, const struct sip_request *r)
{
	c->peer = r->peer;
	if (r->m->method == SIP_ACK) {
		if (c->state == SIP_RUNNING)
			on_ack(c, r);
		return;
	}
	c->answer_to = sip_answer_to(r->f, &r->peer.from);
	if (is_repeated(c, r))
		return;
	if (c->state == SIP_OVER ||
	    (c->state == SIP_ENDING && r->m->method != SIP_BYE)) {
		sip_refuse(c->server, r, 481, NULL);
		return;
	}
	if (r->m->cseq <= c->dialog->remote_cseq) {
		/* RFC 3261 section 12.2.2 */
		sip_refuse(c->server, r, 500, NULL);
		return;
	}
	c->dialog->remote_cseq = r->m->cseq;
	if (c->state == SIP_RUNNING)
		new_request(c, r);
	else
		on_bye(c, r); /* both at once */
}
