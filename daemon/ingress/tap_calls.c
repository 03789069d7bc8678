/** @file tap_calls.c  The calls a tap knows: their life, and what SIP says */
#include "daemon/ingress/tap_calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/ingress/endpoints.h"
#include "daemon/ingress/tap_keys.h"
#include "daemon/ingress/sdp_remote.h"
#include "daemon/ingress/tap_same.h"

enum {
	SECOND_US = 1000 * 1000,
	REMEMBER_S = 32,       /* RFC 3261's timers: nothing of it comes later */
	RTP_TIMEOUT_S = 60,    /* of an unannounced call */
	HELD_S = 3600,         /* of an announced one whose BYE was missed */
	RINGS_S = 300,         /* nobody answers (RFC 3261: timer C is 3 min) */
	LINGER_US = 200 * 1000,/* after BYE: until RTP is silent so long ... */
	LINGER_MAX_US = 5 * SECOND_US, /* ... at most */
	REFUSED_S = 5,         /* a refused INVITE may be another fork's */
	FORKS_US = 180 * SECOND_US, /* ... which may ring for so long */
	CALLS_MAX = 16384,
};

static void arm(struct tap_call *c, uint64_t seconds)
{
	const uint64_t now_us = timers_now_us(c->tap->cfg.timers);

	timers_arm(c->tap->cfg.timers, &c->timer,
		   now_us + seconds * SECOND_US);
}

/* What was under way at the BYE still belongs to the call. */
static void linger(struct tap_call *c, uint64_t now_us)
{
	const uint64_t until_us = MIN(c->heard_us + LINGER_US,
				      c->bye_us + LINGER_MAX_US);

	if (now_us >= until_us)
		tap_call_end(c, "bye");
	else
		timers_arm(c->tap->cfg.timers, &c->timer, until_us);
}

/* Nobody was told of it: it costs nothing to wait for a slower fork. */
static void linger_refused(struct tap_call *c, uint64_t now_us)
{
	const uint64_t until_us = c->refused_us + FORKS_US;

	if (c->call || now_us >= until_us)
		tap_call_end(c, c->refused);
	else
		timers_arm(c->tap->cfg.timers, &c->timer, until_us);
}

static void on_timer(struct timer *timer, uint64_t now_us)
{
	struct tap_call *c = list_item(timer, struct tap_call, timer);
	const uint64_t limit_us = (uint64_t)SECOND_US *
				  (!c->announced ? RTP_TIMEOUT_S
				   : c->call	 ? HELD_S
						 : RINGS_S);

	if (c->over) {
		tap_call_free(c);
	} else if (c->bye_us) {
		linger(c, now_us);
	} else if (c->refused) {
		linger_refused(c, now_us);
	} else if (now_us - c->heard_us >= limit_us) {
		tap_call_end(c, "rtp_timeout");
	} else {
		timers_arm(c->tap->cfg.timers, &c->timer,
			   c->heard_us + limit_us);
	}
}

static struct tap_call *call_new(struct tap *t)
{
	struct tap_call *c;

	if (t->draining)
		return NULL;
	if (t->n_calls >= CALLS_MAX) {
		t->stats.calls_full++;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	t->n_calls++;
	list_init(&c->legs);
	list_init(&c->in_tap);
	c->tap = t;
	c->timer.due = on_timer;
	c->heard_us = timers_now_us(t->cfg.timers);
	return c;
}

/* Ids come from the capture alone, so a second replay has the same. */
static void name_call(struct tap_call *c, uint64_t hash)
{
	c->number = ++c->tap->occurrences;
	/* without it a call is no other's like */
	(void)map_put(&c->tap->by_number, c->number, c);
	snprintf(c->id, sizeof(c->id), "%016llx",
		 (unsigned long long)hash_mix(hash, c->number));
}

struct tap_call *tap_call_unannounced(struct tap *t, const struct addr *a,
				      const struct addr *b, uint32_t ssrc)
{
	struct tap_call *c = call_new(t);

	if (!c)
		return NULL;
	c->n_media = 1;
	c->ends[SIDE_CALLER] = *a;
	c->ends[SIDE_CALLEE] = *b;
	list_add(&t->calls, &c->in_tap);
	name_call(c, hash_mix(hash_mix(addr_hash(a), addr_hash(b)), ssrc));
	arm(c, RTP_TIMEOUT_S);
	return c;
}

int tap_call_open(struct tap_call *c)
{
	struct recording_identity who = { 0 };
	struct event_id ids[ARRAY_LEN(who.ids) + 2];
	const char *same_as = tap_same_as(c);
	struct call_info i = {
		.id = c->id, .source = c->tap->cfg.source,
		.from = c->from && c->from[0] ? c->from : NULL,
		.to = c->to && c->to[0] ? c->to : NULL,
		.sip_call_id = c->announced ? c->call_id : NULL,
		.started_us = c->began_us, .trunk = c->trunk,
	};

	if (c->call)
		return 0;
	if (c->recording) {
		recording_start(c->recording, &who);
		i.participants = who.n_participants ? who.participants : NULL;
		i.n_participants = who.n_participants;
		i.calling = who.calling;
		i.called = who.called;
	}
	memcpy(ids, who.ids, who.n_ids * sizeof(ids[0]));
	i.ids = ids;
	i.n_ids = who.n_ids;
	if (c->session_id)
		ids[i.n_ids++] = (struct event_id){ "Session-ID",
						    c->session_id };
	if (same_as)
		ids[i.n_ids++] = (struct event_id){ "same_as", same_as };
	return call_open(&c->call, c->tap->cfg.calls, &i);
}

void tap_call_end(struct tap_call *c, const char *reason)
{
	if (c->over)
		return;
	tap_same_end(c);
	c->over = true;
	c->tap->generation++;
	tap_flows_forget(c->tap, c);
	list_each(&c->legs, l) {
		tap_keys_free(list_item(l, struct tap_leg, in_call)->keys);
		free(list_item(l, struct tap_leg, in_call));
	}
	list_init(&c->legs);
	arm(c, REMEMBER_S);

	struct call *call = c->call;
	c->call = NULL;
	if (call)
		call_end(call, reason);
}

static void side_free(struct tap_side *s)
{
	if (s)
		explicit_bzero(s->crypto, sizeof(s->crypto));
	free(s);
}

void tap_call_free(struct tap_call *c)
{
	struct tap *t = c->tap;

	timers_disarm(t->cfg.timers, &c->timer);
	tap_same_free(c);
	tap_flows_forget(t, c);
	endpoints_remove(c);
	t->generation++;
	list_each(&c->legs, l) {
		tap_keys_free(list_item(l, struct tap_leg, in_call)->keys);
		free(list_item(l, struct tap_leg, in_call));
	}
	list_remove(&c->in_tap);
	if (c->announced)
		map_remove(&t->by_call_id, c->hash, c);
	map_remove(&t->by_number, c->number, c);
	for (unsigned m = 0; m < SDP_MEDIA_MAX; m++)
		for (unsigned i = 0; i < SIDES; i++)
			side_free(c->media[m].side[i]);
	recording_free(c->recording);
	free(c->call_id);
	free(c->from_tag);
	free(c->from);
	free(c->to);
	free(c->session_id);
	free(c);
	t->n_calls--;
}

const struct tap_side *tap_side_of(const struct tap_call *c, unsigned media,
				   unsigned side)
{
	static const struct tap_side nothing;
	const struct tap_side *s = c->media[media].side[side];

	return s ? s : &nothing;
}

/* -- what SIP says ------------------------------------------------------------- */

struct dialog_key {
	const char *call_id, *from_tag, *to_tag;
};

/* Of the same Call-ID and one of its tags the caller's? */
static bool same_dialog(const void *value, const void *key)
{
	const struct tap_call *c = value;
	const struct dialog_key *k = key;

	return !strcmp(c->call_id, k->call_id) &&
	       (!strcmp(c->from_tag, k->from_tag) ||
		(k->to_tag[0] && !strcmp(c->from_tag, k->to_tag)));
}

static bool same_live_dialog(const void *value, const void *key)
{
	const struct tap_call *c = value;

	return !c->over && same_dialog(c, key);
}

static struct tap_call *find_call(const struct tap *t,
				  const struct sip_message *m)
{
	const struct dialog_key k = { m->call_id, m->from_tag, m->to_tag };
	const uint64_t hash = hash_bytes(m->call_id, strlen(m->call_id));
	struct tap_call *c =
		map_find(&t->by_call_id, hash, same_live_dialog, &k);

	return c ? c : map_find(&t->by_call_id, hash, same_dialog, &k);
}

static struct tap_call *announce(struct tap *t, const struct sip_message *m,
				 const struct addr *from)
{
	struct tap_call *c = call_new(t);

	if (!c)
		return NULL;
	c->announced = true;
	if (m->request) /* of an answer the caller is not its sender */
		c->trunk = *from;
	c->siprec = m->siprec;
	c->cseq = m->cseq;
	c->call_id = strdup(m->call_id);
	c->from_tag = strdup(m->from_tag);
	c->from = strdup(m->from);
	c->to = strdup(m->to);
	c->hash = hash_bytes(m->call_id, strlen(m->call_id));
	if (!c->call_id || !c->from_tag || !c->from || !c->to ||
	    map_put(&t->by_call_id, c->hash, c)) {
		c->announced = false;
		tap_call_free(c);
		return NULL;
	}
	list_add(&t->calls, &c->in_tap);
	name_call(c, hash_mix(c->hash, hash_bytes(m->from_tag,
						  strlen(m->from_tag))));
	arm(c, RINGS_S);
	return c;
}

static void take_formats(struct tap_side *s, const struct sdp_media *m)
{
	memset(s->kinds, 0, sizeof(s->kinds));
	memset(s->names, 0, sizeof(s->names));
	for (size_t f = 0; f < m->n_formats; f++) {
		const uint8_t pt = m->formats[f].pt & 0x7f;

		s->kinds[pt] = (uint8_t)sdp_kind(&m->formats[f]);
		memcpy(s->names[pt], m->formats[f].name, SDP_NAME);
	}
}

static bool take_keys(struct tap_side *s, const struct sdp_media *m)
{
	struct srtp_key keys[SDES_LINES_MAX] = { 0 };
	bool news = s->n_crypto != m->n_crypto;

	for (size_t i = 0; i < m->n_crypto; i++)
		keys[i] = m->crypto[i].key;
	news |= memcmp(keys, s->crypto, sizeof(keys)) != 0;
	memcpy(s->crypto, keys, sizeof(keys));
	explicit_bzero(keys, sizeof(keys));
	s->n_crypto = m->n_crypto;
	s->said += news;
	return news;
}

/* @return whether packets may now mean something else */
static bool take_line(struct tap_call *c, unsigned i, unsigned side,
		      const struct sdp_media *m)
{
	struct tap_side **slot = &c->media[i].side[side], *s = *slot;
	uint8_t before[128] = {0};
	bool news = !s || s->encrypted != m->encrypted ||
		    s->secure != m->secure;

	if (!s)
		s = *slot = calloc(1, sizeof(*s));
	if (!s)
		return false;
	memcpy(before, s->kinds, sizeof(before));
	take_formats(s, m);
	news |= memcmp(before, s->kinds, sizeof(before)) != 0;
	news |= take_keys(s, m);
	s->known = true;
	s->encrypted = m->encrypted;
	s->secure = m->secure;
	s->off = !m->at.port;
	s->sendonly = m->direction == SDP_SENDONLY;
	memcpy(s->label, m->label, sizeof(s->label));
	memcpy(s->language, m->language, sizeof(s->language));
	if (m->at.family && m->at.port && !addr_is_any(&m->at))
		news |= endpoints_add(c, i, side, &m->at) > 0;
	return news;
}

static void take_sdp(struct tap_call *c, unsigned side,
		     const struct sip_message *m)
{
	struct sdp *sdp = malloc(sizeof(*sdp));
	bool news = false;

	if (!sdp || sdp_parse(sdp, m->sdp, m->sdp_len)) {
		c->tap->stats.sip_bad += sdp != NULL;
		free(sdp);
		return;
	}
	for (unsigned i = 0; i < sdp->n_media; i++) {
		if (!sdp->media[i].audio || !sdp->media[i].rtp)
			continue;
		if (c->n_media <= i)
			c->n_media = i + 1;
		news |= take_line(c, i, side, &sdp->media[i]);
	}
	explicit_bzero(sdp, sizeof(*sdp)); /* keys */
	free(sdp);
	c->tap->generation += news;
}

static void refuse(struct tap_call *c, const char *why)
{
	c->refused = why;
	c->refused_us = timers_now_us(c->tap->cfg.timers);
	arm(c, REFUSED_S);
}

static void take_invite_answer(struct tap_call *c, const struct sip_message *m)
{
	if (m->status >= 200 && m->status < 300) {
		c->answered = true;
		c->refused = NULL;
		if (!tap_same_postpones(c))
			tap_call_open(c);
	} else if (m->status > 100 && m->status < 200) {
		c->refused = NULL; /* another fork rings */
	} else if (m->status >= 400 && m->status != 401 && m->status != 407 &&
		   !c->answered && !c->refused) {
		refuse(c, "rejected");
	}
}

static void take_bye(struct tap_call *c)
{
	const uint64_t now_us = timers_now_us(c->tap->cfg.timers);

	if (c->bye_us)
		return;
	c->bye_us = now_us;
	timers_arm(c->tap->cfg.timers, &c->timer, now_us + LINGER_US);
}

static void take_cancel(struct tap_call *c)
{
	if (c->answered)
		return;
	if (c->call)
		tap_call_end(c, "cancel");
	else
		refuse(c, "cancel"); /* a proxy may try the next one */
}

/* An INVITE that opens a dialog: is it of another call than the one that is
 * over?  (Sent again, it is not.) */
static bool is_another(const struct tap_call *c, const struct sip_message *m)
{
	return (c->over || c->bye_us) && m->request &&
	       m->method == SIP_INVITE && !m->to_tag[0] &&
	       (m->cseq != c->cseq || !c->answered);
}

static void take_request(struct tap_call *c, const struct sip_message *m,
			 unsigned asker)
{
	switch (m->method) {
	case SIP_INVITE:
		if (asker == SIDE_CALLER)
			c->cseq = m->cseq;
		c->refused = NULL; /* tried again, or elsewhere */
		break;
	case SIP_BYE:
		take_bye(c);
		break;
	case SIP_CANCEL:
		take_cancel(c);
		break;
	default:
		break;
	}
}

static void take_message(struct tap *t, const struct sip_message *m,
			 const struct addr *from)
{
	struct tap_call *c = find_call(t, m);

	if (c && is_another(c, m)) {
		tap_call_end(c, "bye");
		c = NULL;
	}
	if (!c && m->method == SIP_INVITE && (m->request || m->sdp_len))
		c = announce(t, m, from);
	if (!c || c->over)
		return;

	/* From stays the request's in its answers (RFC 3261 section 8.2.6.2) */
	const unsigned asker =
		strcmp(m->from_tag, c->from_tag) ? SIDE_CALLEE : SIDE_CALLER;
	const unsigned speaker = m->request ? asker : asker ^ 1u;

	c->siprec |= m->siprec;
	if (!c->session_id && m->session_id[0])
		c->session_id = strdup(m->session_id); /* NULL: goes unnamed */
	if (!c->answered)
		c->heard_us = timers_now_us(t->cfg.timers);
	if (m->sdp_len && (m->request || m->status < 300))
		take_sdp(c, speaker, m);
	tap_recording_take(c, m, speaker);
	if (m->request)
		take_request(c, m, asker);
	else if (m->method == SIP_INVITE)
		take_invite_answer(c, m);
}

void tap_sip(struct tap *t, const struct addr *from, const uint8_t *data,
	     size_t len)
{
	struct sip_message *m;

	t->stats.sip++;
	if (sip_parse(&m, data, len)) {
		t->stats.sip_bad++;
		return;
	}
	take_message(t, m, from);
	sip_free(m);
}
