/** @file way_sip.c  SIP and SIPREC: sockets, who may call, and what for */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/network.h"
#include "daemon/ingress/sip_server.h"
#include "daemon/media/srtp.h"
#include "daemon/net/fds.h"
#include "daemon/net/random.h"
#include "daemon/sig/sip_judge.h"

enum {
	KEPT_MAX = 8000,        /* calls that are over, besides max-calls */
	SECOND_US = 1000 * 1000,
	STRANGERS_MAX = 100,     /* told 403, a second */
	RETRY_S = 5,
	FDS_LEG = 3,             /* RTP, RTCP, and to its asr */
	FDS_KEPT = 32,           /* for what is there: a new connection ... */
	DRAIN_RETRY_S = 30,
};

/* -- who may call ----------------------------------------------------------------- */

static bool permitted(const struct addr *from, void *arg)
{
	const struct sip_server *s = arg;
	char **permit = s->cfg.config->sip.permit;

	return permit && permit[0] ? network_any_has(permit, from)
				   : addr_is_loopback(from);
}

/* So many a second: nobody makes us a mirror with a sender's address forged */
static bool may_say_403(struct sip_server *s)
{
	const uint64_t now_s = timers_now_us(s->cfg.timers) / SECOND_US;

	if (s->strangers_s != now_s)
		s->strangers = 0;
	s->strangers_s = now_s;
	return s->strangers++ < STRANGERS_MAX;
}

static bool limited(struct sip_server *s, unsigned kind, uint64_t *more)
{
	return log_limited(&s->told[kind % ARRAY_LEN(s->told)],
			   timers_now_us(s->cfg.timers), more);
}

unsigned sip_admit(struct sip_server *s, unsigned lines, struct buf *headers)
{
	const struct config *c = s->cfg.config;
	const char *why = NULL;

	if (s->draining)
		why = "draining";
	else if (s->n_calls >= c->sip.max_calls)
		why = "max-calls are there";
	else if (s->n_kept >= c->sip.max_calls + KEPT_MAX)
		why = "too many calls came and went";
	else if (!fds_left(FDS_KEPT + (lines ? lines : 1) * FDS_LEG))
		why = "too many files and sockets are open, raise the limit "
		      "(LimitNOFILE)";
	else if (!rtp_ports_can(s->cfg.ports, lines ? lines : 1))
		why = "no port is free, widen rtp { ports }";
	else if (c->sip.refuse_without_asr && s->cfg.asr_down &&
		 s->cfg.asr_down(s->cfg.arg))
		why = "no asr has answered for long";
	if (!why)
		return 0;

	uint64_t more;

	if (limited(s, 0, &more))
		log_warn("sip", "503: %s (%llu more since the last such line)",
			 why, (unsigned long long)more);
	buf_printf(headers, "Retry-After: %d\r\n",
		   s->draining ? DRAIN_RETRY_S : RETRY_S);
	return 503;
}

/* -- answers without a call ---------------------------------------------------------- */

/* The same tag for a request that comes again (RFC 3261 section 8.2.7) */
static uint64_t tag_of(const struct sip_server *s, const struct sip_fields *f)
{
	static const char *const names[] = { "call-id", "from", "cseq", "via" };
	uint64_t h = s->secret;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct sip_text v = sip_field(f, names[i], 0);

		h = hash_mix(h, hash_bytes(v.p ? v.p : "", v.len));
	}
	return h;
}

/* @param own_tag Of the call that it is about, or NULL */
static void reply(struct sip_server *s, const struct sip_request *r,
		  unsigned status, const char *own_tag, const char *headers)
{
	char tag[24];
	struct buf out = { 0 };
	const struct sip_response x = {
		.status = status, .to_tag = own_tag ? own_tag : tag,
		.source = r->peer.from, .headers = headers,
	};
	const struct addr to = sip_answer_to(r->f, &r->peer.from);

	snprintf(tag, sizeof(tag), "%016llx",
		 (unsigned long long)tag_of(s, r->f));
	/* what does not go out now is as good as lost on the way */
	if (!sip_respond(&out, r->f, &x))
		(void)sip_sockets_send(s->sockets, &r->peer, &to, out.data,
				       out.len);
	buf_free(&out);
}

void sip_refuse(struct sip_server *s, const struct sip_request *r,
		unsigned status, const char *headers)
{
	char text[ADDR_TEXT];
	uint64_t more;

	s->refused++;
	if (limited(s, status == 403 ? 1 : 2 + status % 6, &more))
		log_info("sip", "%u %s to %s (%llu more like it since the last "
			 "such line)", status, sip_phrase(status),
			 addr_print(text, &r->peer.from),
			 (unsigned long long)more);
	reply(s, r, status, NULL, headers);
}

static void on_options(struct sip_server *s, const struct sip_request *r)
{
	struct buf headers = { 0 };
	const unsigned status = sip_admit(s, 1, &headers);

	buf_puts(&headers, "Allow: " SIP_ALLOW "\r\n"
			   "Accept: application/sdp, multipart/mixed, "
			   "application/rs-metadata+xml\r\n"
			   "Supported: " SIP_SUPPORTED "\r\n");
	reply(s, r, status ? status : 200, NULL, buf_str(&headers));
	buf_free(&headers);
}

/* -- messages ---------------------------------------------------------------------------- */

/* Our only requests are BYEs: whatever the answer, that dialog is over. */
static void on_response(struct sip_server *s, const struct sip_message *m)
{
	struct sip_message turned = *m;
	struct sip_call *c;

	if (m->method != SIP_BYE || m->status < 200)
		return;
	turned.from_tag = m->to_tag;
	turned.to_tag = m->from_tag;
	c = sip_call_find(s, &turned);
	if (c && c->state == SIP_ENDING && m->cseq == c->dialog->local_cseq)
		sip_call_over(c, "bye");
}

/* Its INVITE has its final answer already, and its tag (section 9.2) */
static void on_cancel(struct sip_server *s, const struct sip_request *r)
{
	const struct sip_call *c = sip_call_begun_by(s, r->m);

	if (c)
		reply(s, r, 200, c->dialog->local_tag, NULL);
	else
		sip_refuse(s, r, 481, NULL);
}

static void on_outside(struct sip_server *s, const struct sip_request *r)
{
	switch (r->m->method) {
	case SIP_INVITE:
		sip_call_invite(s, r);
		break;
	case SIP_OPTIONS:
		on_options(s, r);
		break;
	case SIP_CANCEL:
		on_cancel(s, r);
		break;
	case SIP_ACK:
		break;
	default:
		sip_refuse(s, r, 481, NULL);
		break;
	}
}

static void on_good(struct sip_server *s, const struct sip_request *r)
{
	struct sip_call *c;

	s->answered++;
	if (!r->m->to_tag[0] || r->m->method == SIP_CANCEL) {
		on_outside(s, r);
		return;
	}
	c = sip_call_find(s, r->m);
	if (c)
		sip_inside(c, r);
	else if (r->m->method == SIP_OPTIONS)
		on_options(s, r);
	else if (r->m->method != SIP_ACK)
		sip_refuse(s, r, 481, NULL);
}

static bool is_ack(const struct sip_fields *f)
{
	return f->method.len == 3 && !memcmp(f->method.p, "ACK", 3);
}

static void on_request(struct sip_server *s, struct sip_request *r, int err)
{
	struct buf headers = { 0 };

	if (!permitted(&r->peer.from, s)) {
		if (is_ack(r->f))
			return;
		if (may_say_403(s))
			sip_refuse(s, r, 403, NULL);
		else
			s->refused++;
		return;
	}
	const unsigned status = sip_judge(&headers, r->f, r->m, err);

	if (!status)
		on_good(s, r);
	else if (!is_ack(r->f))
		sip_refuse(s, r, status, buf_str(&headers));
	buf_free(&headers);
}

static void on_message(const struct sip_peer *p, const uint8_t *data,
		       size_t len, void *arg)
{
	struct sip_server *s = arg;
	struct sip_message *m = NULL;
	struct sip_fields f;
	struct sip_request r = { .f = &f, .data = data, .len = len, .peer = *p };

	if (sip_fields_read(&f, (const char *)data, len)) {
		s->strange++;
		return;
	}
	const int err = sip_parse(&m, data, len);

	r.m = m;
	if (sip_text_is(f.method, "SIP/2.0")) {
		if (m && !m->request && permitted(&p->from, s))
			on_response(s, m);
	} else if (sip_fields_request(&f)) {
		on_request(s, &r, err);
	} else {
		s->strange++; /* keep-alives and junk are not answered */
	}
	sip_free(m);
	sip_fields_free(&f);
}

/* -- the way ------------------------------------------------------------------------------ */

static bool wanted(const struct config *c)
{
	return c->sip.given;
}

static bool used(const struct sip_peer *p, void *arg)
{
	const struct sip_server *s = arg;

	list_each((struct list *)&s->calls, x) {
		const struct sip_call *c =
			list_item(x, struct sip_call, in_server);

		if (c->call && c->peer.transport == p->transport &&
		    c->peer.link == p->link)
			return true;
	}
	return false;
}

static void close_sip(void *way)
{
	struct sip_server *s = way;

	if (!s)
		return;
	list_each(&s->calls, x)
		sip_call_free(list_item(x, struct sip_call, in_server), "end");
	if (s->sockets)
		log_info("sip", "%llu requests, %llu refused, %llu were nothing",
			 (unsigned long long)s->answered,
			 (unsigned long long)s->refused,
			 (unsigned long long)s->strange);
	sip_sockets_close(s->sockets);
	map_free(&s->by_call_id);
	free(s);
}

static int open_sip(void **out, const struct way_config *cfg,
		    struct reason *why)
{
	const char *at = cfg->config->rtp.address;
	struct sip_server *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	recording_configure(&s->recording, cfg->config);
	list_init(&s->calls);
	random_bytes(&s->secret, sizeof(s->secret));

	const struct sip_sockets_config sc = {
		.loop = cfg->loop, .timers = cfg->timers, .clock = cfg->clock,
		.config = cfg->config, .permitted = permitted, .used = used,
		.message = on_message, .arg = s,
	};
	int err = addr_parse(&s->media, at, strlen(at));

	if (err)
		reason_set(why, REASON_CONFIG, 0, "rtp address %s is no "
			   "address", at);
	else
		err = sip_sockets_open(&s->sockets, &sc, why);
	if (err) {
		close_sip(s);
		return err;
	}
	if (srtp_prepare())
		log_warn("sip", "libsrtp2 does not start: calls with SRTP will "
			 "be refused; see that its crypto library is there");
	*out = s;
	return 0;
}

static void drain(void *way)
{
	((struct sip_server *)way)->draining = true;
}

static void resume(void *way)
{
	((struct sip_server *)way)->draining = false;
}

static void end(void *way, const char *reason)
{
	struct sip_server *s = way;

	s->ended = true;
	list_each(&s->calls, x)
		sip_call_bye(list_item(x, struct sip_call, in_server), reason);
}

static bool busy(const void *way)
{
	return ((const struct sip_server *)way)->n_ending > 0;
}

static bool hang_up(struct sip_server *s, const char *id)
{
	list_each(&s->calls, x) {
		struct sip_call *c = list_item(x, struct sip_call, in_server);

		if (!c->call || strcmp(call_id(c->call), id) != 0)
			continue;
		sip_call_bye(c, "ctl");
		return true;
	}
	return false;
}

static bool command(void *way, const struct command *c, struct answer *a)
{
	struct sip_server *s = way;

	if (c->kind == COMMAND_HANGUP)
		return hang_up(s, c->call);
	if (c->kind == COMMAND_STATUS || c->kind == COMMAND_DRAIN) {
		a->status.sip = true;
		a->status.sip_calls = s->n_calls;
		list_each(&s->calls, x)
			a->status.sip_legs += sip_media_legs(
				list_item(x, struct sip_call, in_server));
		a->status.sip_connections = sip_sockets_links(s->sockets);
		a->status.sip_requests = s->answered;
		a->status.sip_refused = s->refused;
		a->status.ports_used = rtp_ports_used(s->cfg.ports);
		a->status.ports = rtp_ports_limit(s->cfg.ports);
	}
	return false;
}

const struct way way_sip = {
	.name = "sip", .wanted = wanted, .open = open_sip, .drain = drain,
	.resume = resume, .command = command, .end = end, .busy = busy,
	.close = close_sip,
};
