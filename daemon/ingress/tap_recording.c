/** @file tap_recording.c  Calls of a tap that a recording client made */
#include <string.h>

#include "daemon/ingress/tap_calls.h"

/* What both said of each m-line; the client is who calls */
static void set_lines(struct tap_call *c)
{
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++) {
		const struct tap_side *client = c->media[i].side[SIDE_CALLER];
		const struct tap_side *server = c->media[i].side[SIDE_CALLEE];
		const bool used = client && !client->off &&
				  !(server && server->off);

		recording_line_set(c->recording, i, used,
				   client ? client->label : "");
	}
}

/* Several lines that are only sent: a recording that does not say so */
static bool is_fork(const struct tap_call *c)
{
	unsigned sent = 0, all = 0;

	for (unsigned i = 0; i < c->n_media; i++) {
		const struct tap_side *s = c->media[i].side[SIDE_CALLER];

		all += s && !s->off;
		sent += s && !s->off && s->sendonly;
	}
	return sent > 1 && sent == all;
}

static void tell_line(unsigned i, const struct recording_line *line,
		      const char *label, void *arg)
{
	struct tap_call *c = arg;

	list_each(&c->legs, x) {
		struct tap_leg *l = list_item(x, struct tap_leg, in_call);

		if (l->media == i && l->side == SIDE_CALLER && l->leg)
			leg_update(l->leg, line->role, line->role_source,
				   label);
	}
}

/* What makes no sense is no reason to do without the call */
static void take_parties(struct tap_call *c, const struct sip_message *m)
{
	int err = 0;

	if (m->metadata_len)
		err = recording_take(c->recording, m->metadata,
				     m->metadata_len);
	else if (m->recorded[0])
		err = recording_take_headers(c->recording, m->recorded);
	c->tap->stats.sip_bad += err != 0;
}

void tap_recording_take(struct tap_call *c, const struct sip_message *m,
			unsigned speaker)
{
	if (!c->siprec && !c->recording && !m->recorded[0] && !is_fork(c))
		return;
	if (!c->recording &&
	    recording_new(&c->recording, c->tap->cfg.recording))
		return;
	if (m->request && speaker == SIDE_CALLER)
		take_parties(c, m);
	set_lines(c);
	recording_settle(c->recording);
	if (c->call)
		recording_tell(c->recording, c->call, tell_line, c);
}

const struct recording_line *tap_recording_line(const struct tap_leg *l)
{
	const struct recording_line *line;

	if (!l->call->recording || l->side != SIDE_CALLER)
		return NULL;
	line = recording_line(l->call->recording, l->media);
	return line->used ? line : NULL;
}
