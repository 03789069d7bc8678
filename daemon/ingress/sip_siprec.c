/** @file sip_siprec.c  What a recording client says besides the audio */
#include "daemon/ingress/sip_siprec.h"

#include <errno.h>

static void set_lines(struct recording *r, const struct sdp_answer *a,
		      const struct sdp *offer)
{
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		const bool used = i < a->n_lines && a->lines[i].accepted;

		recording_line_set(r, i, used,
				   used && offer && i < offer->n_media
					   ? offer->media[i].label : "");
	}
}

/* One line an INVITE: the metadata is the client's, and foreign */
static void complain(struct sip_call *c, int err)
{
	struct sip_server *s = c->server;
	char from[ADDR_TEXT];
	uint64_t kept_back;

	if (log_limited(&s->bad_metadata,
			timers_now_us(s->cfg.timers), &kept_back))
		log_warn("sip", "recording metadata from %s not understood "
			 "(%s); recorded without (%llu more since the last "
			 "such line)", addr_print(from, &c->peer.from),
			 err == -EMSGSIZE ? "over a limit" : "no such XML",
			 (unsigned long long)kept_back);
}

/* Several lines that are only sent, as Cisco's NBR and rtpengine's forks offer
 * them: a recording that does not say so */
static bool is_fork(const struct sdp_answer *a, const struct sdp *offer)
{
	unsigned sent = 0;

	for (unsigned i = 0; a && offer && i < a->n_lines; i++)
		sent += a->lines[i].accepted &&
			offer->media[i].direction == SDP_SENDONLY;
	return sent > 1 && sent == a->accepted;
}

void sip_siprec_take(struct sip_call *c, const struct sip_request *r,
		     const struct sdp_answer *a, const struct sdp *offer)
{
	int err;

	c->siprec |= r->m->siprec;
	if (!c->siprec && !c->recording && !r->m->recorded[0] &&
	    !is_fork(a, offer))
		return;
	/* without memory: roles unknown, the call goes on */
	if (!c->recording && recording_new(&c->recording,
					   &c->server->recording))
		return;
	if (r->m->metadata_len) {
		err = recording_take(c->recording, r->m->metadata,
				     r->m->metadata_len);
		if (err)
			complain(c, err);
	} else if (r->m->recorded[0]) {
		(void)recording_take_headers(c->recording, r->m->recorded);
	}
	if (a)
		set_lines(c->recording, a, offer);
	recording_settle(c->recording);
}

void sip_siprec_begin(struct sip_call *c, struct sip_identity *out)
{
	struct recording_identity who;

	if (!c->recording)
		return;
	recording_start(c->recording, &who);
	for (size_t i = 0; i < who.n_ids; i++)
		out->ids[out->n_ids++] = who.ids[i];
	for (size_t i = 0; i < who.n_participants; i++)
		out->participants[out->n_participants++] = who.participants[i];
	out->calling = who.calling;
	out->called = who.called;
}

void sip_siprec_leg(const struct sip_call *c, unsigned line,
		    struct leg_info *info)
{
	const struct recording_line *l;

	if (!c->recording)
		return;
	l = recording_line(c->recording, line);
	if (!l->used)
		return;
	info->role = l->role;
	info->role_source = l->role_source;
}

static void tell_line(unsigned i, const struct recording_line *l,
		      const char *label, void *arg)
{
	struct sip_call *c = arg;

	if (c->legs[i].rtp)
		rtp_leg_role(c->legs[i].rtp, l->role, l->role_source, label);
}

void sip_siprec_update(struct sip_call *c)
{
	if (!c->recording)
		return;
	/* a line may have got no port after all */
	set_lines(c->recording, c->answer, c->offer);
	recording_settle(c->recording);
	recording_tell(c->recording, c->call, tell_line, c);
}

void sip_siprec_end(struct sip_call *c)
{
	recording_free(c->recording);
	c->recording = NULL;
}
