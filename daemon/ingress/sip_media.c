/** @file sip_media.c  Session descriptions and the legs they make */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/sdp_remote.h"
#include "daemon/ingress/sip_server.h"
#include "daemon/ingress/sip_siprec.h"

/* RFC 3261 section 20.43: 304 media type, 305 format, 301 transport */
static void warn(struct buf *headers, const struct sdp_answer *a)
{
	const char *why = a->n_lines ? a->lines[0].refused : NULL;

	buf_printf(headers, "Warning: %s\r\n",
		   why && !strcmp(why, "codec")
			   ? "305 trunkscribe \"PCMU and PCMA at 8 kHz only\""
		   : why && !strcmp(why, "encrypted")
			   ? "302 trunkscribe \"no usable a=crypto line\""
			   : "304 trunkscribe \"RTP audio only\"");
}

unsigned sip_media_judge(const struct sip_call *c, struct sdp_answer *out,
			 struct sdp **offer, const struct sip_message *m,
			 struct buf *headers)
{
	const char *crypto[SDP_MEDIA_MAX];
	struct sdp *sdp;

	*offer = NULL;
	if (!m->sdp_len) {
		answer_own_offer(out);
		if (c && c->answer->accepted)
			*out = *c->answer; /* offered again, off hold */
		answer_offer_again(out);
		return 0;
	}
	sdp = calloc(1, sizeof(*sdp));
	if (!sdp)
		return 503;
	const int err = sdp_parse(sdp, m->sdp, m->sdp_len);

	if (err) {
		free(sdp);
		if (err == -EMSGSIZE)
			buf_puts(headers, "Warning: 399 trunkscribe \"more "
					  "lines or formats than are read\"\r\n");
		return err == -ENOMEM ? 503 : err == -EMSGSIZE ? 488 : 400;
	}
	sip_keys_offered(crypto, sdp);
	answer_decide(out, sdp, crypto);
	/* all lines off by a re-offer: the call is on hold */
	if (!out->accepted && !(c && out->disabled && out->n_lines)) {
		free(sdp);
		warn(headers, out);
		return 488;
	}
	*offer = sdp;
	return 0;
}

/* Of their family, so that they can send there */
static struct addr bind_address(const struct sip_call *c,
				const struct sdp *offer)
{
	struct addr at = c->server->media;
	const uint8_t family = offer && offer->n_media
				       ? offer->media[0].at.family : 0;

	if (family && family != at.family && c->peer.at.family == family &&
	    !addr_is_any(&c->peer.at))
		at = c->peer.at;
	at.port = 0;
	return at;
}

/* A name instead of an address, or 0.0.0.0 (old rtpproxies): then they send
 * from where they signal */
static void remote_of(struct rtp_remote *out, const struct sip_call *c,
		      const struct sdp_media *m)
{
	const bool unknown = addr_is_any(&m->at) &&
			     m->direction == SDP_SENDONLY;

	sdp_remote(out, m);
	if (m->at.family && !unknown)
		return;
	out->at = c->peer.from;
	out->at.port = m->at.port;
}

static int open_leg(struct sip_call *c, unsigned i, const struct answer_line *l,
		    const struct sdp_media *m)
{
	const struct sip_server *s = c->server;
	struct rtp_leg_config rc = {
		.tell = s->cfg.tell, .tell_arg = s->cfg.arg,
		.loop = s->cfg.loop, .timers = s->cfg.timers,
		.clock = s->cfg.clock, .ports = s->cfg.ports,
		.bind = c->origin.at, .call = c->call,
		.info = { .codec = l->formats[0].name,
			  .label = m && m->label[0] ? m->label : NULL,
			  .language = m && m->language[0] ? m->language
							  : NULL },
		.source = RTP_SOURCE_SDP,
	};

	if (m) {
		remote_of(&rc.remote, c, m);
	} else { /* our offer: what it means is known, who sends is not yet */
		struct sdp_media own = { .n_formats = l->n_formats };

		memcpy(own.formats, l->formats, sizeof(own.formats));
		sdp_remote(&rc.remote, &own);
	}
	sip_keys_remote(&rc.remote, &c->legs[i].keys);
	if (!strcmp(s->cfg.config->rtp.source, "learn"))
		rc.source = RTP_SOURCE_LEARN;
	sip_siprec_leg(c, i, &rc.info);
	return rtp_leg_open(&c->legs[i].rtp, &rc);
}

static void close_leg(struct sip_leg *l, const char *reason)
{
	if (l->rtp)
		rtp_leg_close(l->rtp, reason);
	l->rtp = NULL;
	sip_keys_clear(&l->keys);
}

/* What they say of the line now; plain again without a key of theirs */
static int update_leg(struct sip_leg *leg, const struct sip_call *c,
		      const struct sdp_media *m)
{
	struct rtp_remote remote;

	remote_of(&remote, c, m);
	sip_keys_remote(&remote, &leg->keys);
	return rtp_leg_update(leg->rtp, &remote);
}

static void tell_no_leg(struct sip_server *s, int err)
{
	uint64_t more;

	if (log_limited(&s->no_leg, timers_now_us(s->cfg.timers), &more))
		log_warn("sip", "an audio line is refused: %s (%llu more since "
			 "the last such line)", rtp_leg_trouble(err),
			 (unsigned long long)more);
}

static int apply_line(struct sip_call *c, unsigned i, struct answer_line *l,
		      const struct sdp_media *m)
{
	struct sip_leg *leg = &c->legs[i];
	int err = 0;

	if (!l->accepted) {
		close_leg(leg, "removed");
		return 0;
	}
	if (m && l->crypto)
		sip_keys_answer(&leg->keys, m);
	else if (m)
		sip_keys_clear(&leg->keys);
	l->crypto = leg->keys.tag ? leg->keys.text : NULL;
	if (!leg->rtp)
		err = open_leg(c, i, l, m);
	else if (m)
		err = update_leg(leg, c, m);
	if (err) {
		tell_no_leg(c->server, err);
		close_leg(leg, "error");
		return err;
	}
	l->port = rtp_leg_address(leg->rtp).port;
	return 0;
}

int sip_media_apply(struct sip_call *c, const struct sdp_answer *a,
		    struct sdp *offer, struct buf *sdp)
{
	const struct sdp *lines = offer ? offer : c->offer;
	int err = -EADDRNOTAVAIL;
	unsigned open = 0;

	if (!c->origin.at.family)
		c->origin.at = bind_address(c, offer);
	*c->answer = *a;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		struct answer_line *l = &c->answer->lines[i];

		if (i >= a->n_lines) {
			close_leg(&c->legs[i], "removed");
			continue;
		}
		const int e = apply_line(c, i, l, offer ? &offer->media[i]
							: NULL);
		if (e) { /* refused like a codec that we do not have */
			l->accepted = false;
			l->port = 0;
			err = e;
		}
		open += l->accepted;
	}
	if (!open && a->accepted) {
		free(offer);
		return err;
	}
	c->offered = !offer;
	if (offer) {
		free(c->offer);
		c->offer = offer;
	}
	return answer_print(sdp, &c->origin, c->answer, lines);
}

bool sip_media_agree(struct sip_call *c, const struct sip_message *ack)
{
	struct sdp *theirs = NULL;
	struct buf none = { 0 };
	struct sdp_answer a;

	if (!ack->sdp_len)
		return false;
	const unsigned status = sip_media_judge(c, &a, &theirs, ack, &none);

	buf_free(&none);
	if (status || !theirs)
		return false;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		struct sip_leg *leg = &c->legs[i];

		if (i >= a.n_lines || !a.lines[i].accepted) {
			close_leg(leg, "removed");
			continue;
		}
		if (!leg->rtp)
			continue;
		a.lines[i].port = c->answer->lines[i].port;
		if (leg->keys.tag && a.lines[i].crypto)
			sip_keys_agreed(&leg->keys, &theirs->media[i]);
		else
			sip_keys_clear(&leg->keys);
		a.lines[i].crypto = leg->keys.tag ? leg->keys.text : NULL;
		if (update_leg(leg, c, &theirs->media[i]))
			close_leg(leg, "error");
	}
	*c->answer = a;
	free(c->offer);
	c->offer = theirs;
	return true;
}

void sip_media_close(struct sip_call *c, const char *reason)
{
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		close_leg(&c->legs[i], reason);
	free(c->offer);
	free(c->answer);
	c->offer = NULL;
	c->answer = NULL;
}

uint64_t sip_media_packets(const struct sip_call *c, bool *on_hold)
{
	struct rtp_leg_stats s;
	uint64_t n = 0;

	*on_hold = true;
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		if (!c->legs[i].rtp)
			continue;
		rtp_leg_stats(c->legs[i].rtp, &s);
		n += s.packets;
		if (c->answer->lines[i].direction == SDP_RECVONLY)
			*on_hold = false;
	}
	return n;
}

unsigned sip_media_legs(const struct sip_call *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		n += c->legs[i].rtp != NULL;
	return n;
}
