/** @file sip_call.c  A call's life: what it sends, its timers, its end */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/utf8.h"
#include "daemon/ingress/sip_server.h"
#include "daemon/ingress/sip_siprec.h"
#include "daemon/net/random.h"
#include "daemon/sig/sip_judge.h"
#include "daemon/sig/sip_session.h"

enum {
	SECOND_US = 1000 * 1000,
	LAST_US = 2 * SECOND_US, /* for goodbyes at the end of the daemon */
	LOOKS = 4,               /* within media-timeout */
};

static uint64_t now_of(const struct sip_call *c)
{
	return timers_now_us(c->server->cfg.timers);
}

/* -- which call --------------------------------------------------------------- */

static bool same_dialog(const void *value, const void *key)
{
	const struct sip_call *c = value;

	return sip_dialog_is(c->dialog, key);
}

/* The INVITE that began it, once more or by another way; or a CANCEL */
static bool same_invite(const void *value, const void *key)
{
	const struct sip_call *c = value;
	const struct sip_message *m = key;

	if (m->to_tag[0])
		return c->invite_cseq == m->cseq && sip_dialog_is(c->dialog, m);
	return c->begin_cseq == m->cseq &&
	       !strcmp(c->dialog->remote_tag, m->from_tag) &&
	       !strcmp(c->dialog->call_id, m->call_id);
}

static uint64_t hash_of(const struct sip_message *m)
{
	return hash_bytes(m->call_id, strlen(m->call_id));
}

struct sip_call *sip_call_find(struct sip_server *s,
			       const struct sip_message *m)
{
	return map_find(&s->by_call_id, hash_of(m), same_dialog, m);
}

struct sip_call *sip_call_begun_by(struct sip_server *s,
				   const struct sip_message *m)
{
	return map_find(&s->by_call_id, hash_of(m), same_invite, m);
}

/* -- what goes out ------------------------------------------------------------- */

int sip_call_compose(struct buf *out, const struct sip_call *c,
		     const struct sip_request *r, unsigned status,
		     const char *headers, const struct buf *sdp)
{
	const struct sip_response x = {
		.status = status, .to_tag = c->dialog->local_tag,
		.source = r->peer.from, .record_route = status < 300,
		.headers = headers, .type = sdp ? "application/sdp" : NULL,
		.body = sdp ? buf_str(sdp) : NULL,
		.body_len = sdp ? sdp->len : 0,
	};

	return sip_respond(out, r->f, &x);
}

void sip_call_send(struct sip_call *c, const struct buf *message)
{
	/* what does not go out now is as good as lost on the way */
	(void)sip_sockets_send(c->server->sockets, &c->peer, &c->answer_to,
			       message->data, message->len);
}

static void put_contact(struct buf *b, const struct sip_call *c)
{
	struct addr at = c->peer.at;
	char text[ADDR_TEXT];

	if (addr_is_any(&at)) {
		at = c->origin.at;
		at.port = c->peer.at.port;
	}
	buf_printf(b, "Contact: <sip:trunkscribe@%s", addr_print(text, &at));
	if (c->peer.transport != SIP_UDP)
		buf_printf(b, ";transport=%s",
			   sip_transport_name(c->peer.transport));
	buf_puts(b, c->siprec ? ">;+sip.srs\r\n" : ">\r\n");
}

void sip_call_accept(struct sip_call *c, const struct sip_request *r,
		     const char *headers, const struct buf *sdp)
{
	struct buf lines = { 0 };

	put_contact(&lines, c);
	buf_puts(&lines, "Allow: " SIP_ALLOW "\r\n"
			 "Supported: " SIP_SUPPORTED "\r\n");
	buf_puts(&lines, headers);
	buf_clear(&c->final);
	/* without memory nothing goes out, and they ask again */
	(void)sip_call_compose(&c->final, c, r, 200, buf_str(&lines), sdp);
	buf_free(&lines);
	c->acked = false;
	sip_resend_begin(&c->resend, now_of(c));
	sip_call_send(c, &c->final);
	sip_call_arm(c);
}

/* -- deadlines ------------------------------------------------------------------ */

static uint64_t look_us(const struct sip_call *c)
{
	const uint64_t ms = c->server->cfg.config->sip.media_timeout_ms;

	return ms * 1000 / LOOKS;
}

void sip_call_arm(struct sip_call *c)
{
	uint64_t due = c->forget_us;

	if (c->state == SIP_ENDING)
		due = sip_resend_due_us(&c->bye_resend);
	if (c->state == SIP_RUNNING) {
		due = c->latest_us;
		if (c->session_us)
			due = MIN(due, c->session_us);
		if (!c->acked)
			due = MIN(due, sip_resend_due_us(&c->resend));
		if (look_us(c))
			due = MIN(due, now_of(c) + look_us(c));
	}
	/* without memory it stays until the end */
	(void)timers_arm(c->server->cfg.timers, &c->timer, due);
}

/* @return why it has to end now, or NULL */
static const char *judge_time(struct sip_call *c, uint64_t now_us)
{
	const uint64_t limit_us =
		1000ull * c->server->cfg.config->sip.media_timeout_ms;
	bool on_hold;

	if (now_us >= c->latest_us)
		return "max_duration";
	if (c->session_us && now_us >= c->session_us)
		return "session_expired";
	if (!c->acked && sip_resend_over(&c->resend, now_us))
		return "no_ack";
	const uint64_t packets = sip_media_packets(c, &on_hold);

	if (packets != c->packets || on_hold) {
		c->packets = packets;
		c->heard_us = now_us;
	}
	return limit_us && now_us - c->heard_us >= limit_us ? "media_timeout"
							     : NULL;
}

static void on_running(struct sip_call *c, uint64_t now_us)
{
	const char *why = judge_time(c, now_us);

	if (why) {
		sip_call_bye(c, why);
		return;
	}
	if (!c->acked && sip_resend_step(&c->resend, now_us))
		sip_call_send(c, &c->final);
	sip_call_arm(c);
}

static void set_state(struct sip_call *c, enum sip_state state)
{
	struct sip_server *s = c->server;
	const bool was_ending = c->state == SIP_ENDING;

	s->n_ending += (state == SIP_ENDING) - was_ending;
	c->state = state;
	if (was_ending && s->ended && !s->n_ending && s->cfg.quiet)
		s->cfg.quiet(s->cfg.arg);
}

static void forget_later(struct sip_call *c)
{
	set_state(c, SIP_OVER);
	c->forget_us = now_of(c) + SIP_GIVE_UP_US;
	sip_call_arm(c);
}

static void send_bye(struct sip_call *c)
{
	struct addr to = c->peer.from;
	struct sip_uri hop;

	/* a name is not looked up: then it goes where they called from */
	if (!sip_dialog_next_hop(&hop, c->dialog))
		(void)sip_uri_address(&to, &hop);
	/* a Contact behind NAT cannot be reached, but where they called from */
	if (to.family != c->peer.from.family || c->byes++ % 2)
		to = c->peer.from;
	(void)sip_sockets_send(c->server->sockets, &c->peer, &to, c->bye.data,
			       c->bye.len);
}

static void on_ending(struct sip_call *c, uint64_t now_us)
{
	if (sip_resend_over(&c->bye_resend, now_us)) {
		forget_later(c);
		return;
	}
	if (sip_resend_step(&c->bye_resend, now_us))
		send_bye(c);
	sip_call_arm(c);
}

static void on_timer(struct timer *t, uint64_t now_us)
{
	struct sip_call *c = list_item(t, struct sip_call, timer);

	if (c->state == SIP_RUNNING)
		on_running(c, now_us);
	else if (c->state == SIP_ENDING)
		on_ending(c, now_us);
	else
		sip_call_free(c, "end");
}

/* -- the end --------------------------------------------------------------------- */

static void end_media(struct sip_call *c, const char *reason)
{
	struct call *call = c->call;

	if (c->state == SIP_RUNNING)
		c->server->n_calls--;
	sip_media_close(c, reason);
	c->call = NULL;
	if (call)
		call_end(call, reason);
	sip_siprec_end(c);
}

void sip_call_over(struct sip_call *c, const char *reason)
{
	if (c->state == SIP_RUNNING)
		end_media(c, reason);
	forget_later(c);
}

void sip_call_bye(struct sip_call *c, const char *reason)
{
	char via[ADDR_TEXT + 8], text[ADDR_TEXT], branch[UUID_TEXT];
	static const char *const names[] = { "UDP", "TCP", "TLS" };
	struct addr at = c->peer.at;

	if (c->state == SIP_ENDING && c->server->ended) { /* no longer, then */
		c->bye_resend.until_us = MIN(c->bye_resend.until_us,
					     now_of(c) + LAST_US);
		sip_call_arm(c);
	}
	if (c->state != SIP_RUNNING)
		return;
	end_media(c, reason);
	set_state(c, SIP_ENDING);
	if (addr_is_any(&at)) {
		at = c->origin.at;
		at.port = c->peer.at.port;
	}
	snprintf(via, sizeof(via), "%s %s", names[c->peer.transport],
		 addr_print(text, &at));
	if (sip_dialog_request(&c->bye, c->dialog, "BYE", via,
			       random_uuid(branch))) {
		forget_later(c);
		return;
	}
	sip_resend_begin(&c->bye_resend, now_of(c));
	if (c->server->ended)
		c->bye_resend.until_us = now_of(c) + LAST_US;
	send_bye(c);
	sip_call_arm(c);
}

void sip_call_refresh(struct sip_call *c, uint32_t session_s)
{
	c->session_us = session_s
				? now_of(c) + SECOND_US *
					(uint64_t)sip_session_ends_s(session_s)
				: 0;
}

void sip_call_free(struct sip_call *c, const char *reason)
{
	struct sip_server *s = c->server;

	timers_disarm(s->cfg.timers, &c->timer);
	s->n_ending -= c->state == SIP_ENDING;
	end_media(c, reason);
	map_remove(&s->by_call_id, c->hash, c);
	list_remove(&c->in_server);
	s->n_kept--;
	sip_dialog_free(c->dialog);
	free(c->begin_branch);
	buf_free(&c->final);
	buf_free(&c->last);
	buf_free(&c->bye);
	free(c);
}

/* -- the beginning ----------------------------------------------------------------- */

int sip_call_new(struct sip_call **out, struct sip_server *s,
		 const struct sip_request *r)
{
	struct sip_call *c = calloc(1, sizeof(*c));
	uint8_t chance[16];
	char tag[SIP_TAG];

	if (!c)
		return -ENOMEM;
	random_bytes(chance, sizeof(chance));
	for (size_t i = 0; i < sizeof(chance); i++)
		snprintf(tag + 2 * i, 3, "%02x", chance[i]);
	random_bytes(&c->origin.id, sizeof(c->origin.id));
	c->origin.id >>= 2; /* some read it as a signed number */
	list_init(&c->in_server);
	c->server = s;
	c->timer.due = on_timer;
	c->peer = r->peer;
	c->answer_to = sip_answer_to(r->f, &r->peer.from);
	c->begin_cseq = c->invite_cseq = r->m->cseq;
	c->hash = hash_of(r->m);
	c->begin_branch = strdup(r->m->branch);
	c->answer = calloc(1, sizeof(*c->answer));
	int err = c->begin_branch && c->answer
			  ? sip_dialog_new(&c->dialog, r->m, r->f, tag)
			  : -ENOMEM;
	if (!err)
		err = map_put(&s->by_call_id, c->hash, c);
	if (err) {
		sip_dialog_free(c->dialog);
		free(c->begin_branch);
		free(c->answer);
		free(c);
		return err;
	}
	list_add(&s->calls, &c->in_server);
	s->n_kept++;
	s->n_calls++;
	c->heard_us = now_of(c);
	c->latest_us = c->heard_us +
		       1000ull * s->cfg.config->sip.max_call_duration_ms;
	*out = c;
	return 0;
}
