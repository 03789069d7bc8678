/** @file uplink_text.c  What a service says, moved to the leg's timeline */
#include "daemon/base/array.h"
#include "daemon/call/uplink_impl.h"

enum {
	BEYOND = 5 * UPLINK_RATE,  /* of what was sent [samples] */
	BACKWARDS_US = 1000000,    /* an end before its start: rounding */
};

/* When the last sample of a segment arrived: its span may still be kept. */
static uint64_t arrival(const struct uplink *u, uint64_t end)
{
	struct span s;

	if (end == 0 ||
	    !backlog_span(u->backlog, backlog_find(u->backlog, end - 1), &s) ||
	    s.pos >= end)
		return 0;
	return s.at_us;
}

static void publish(struct uplink *u, const struct link *l,
		    const struct transcript_segment *s,
		    const struct asr_result *r)
{
	const struct uplink_segment out = {
		.segment = s, .result = r, .service = l->service,
		.map = l->feeder ? feeder_map(l->feeder) : NULL,
		.arrived_us = arrival(u, s->end),
		.session = l->session[0] ? l->session : NULL,
		.connection = s->connection,
	};

	u->cb.segment(&out, u->arg);
}

/* The link a segment came by; all but the current and the old one are gone. */
static const struct link *link_of(const struct uplink *u, unsigned connection,
				  const struct link *gone)
{
	if (u->link && u->link->number == connection)
		return u->link;
	if (u->old && u->old->number == connection)
		return u->old;
	return gone;
}

/* One the daemon closed. */
static void publish_closed(struct uplink *u, const struct transcript_segment *s)
{
	const struct link gone = { .service = u->lost ? u->lost : u->service };

	publish(u, link_of(u, s->connection, &gone), s, NULL);
}

bool uplink_close_segment(struct uplink *u, unsigned connection,
			  enum segment_state state)
{
	const struct transcript_segment *s =
		transcript_close(u->transcript, connection, state);

	if (s)
		publish_closed(u, s);
	return s != NULL;
}

void uplink_close_segments(struct uplink *u, unsigned connection,
			   enum segment_state state)
{
	while (uplink_close_segment(u, connection, state))
		;
}

/* Microseconds on the connection to samples. */
static uint64_t samples_at(int64_t us)
{
	return us < 0 ? 0 : ((uint64_t)us * UPLINK_RATE + 500000) / 1000000;
}

/* Where a result without times begins: where its segment did, or the last ended */
static uint64_t untimed_start(const struct link *l, const struct asr_result *r)
{
	uint64_t start;

	return transcript_start(l->uplink->transcript, l->number, r->key,
				&start) ? start : l->settled;
}

/* Can these times be?  Within what was sent, give or take some seconds. */
static bool believable(const struct positions *map, const struct asr_result *r)
{
	const uint64_t most = positions_total(map) + BEYOND;

	if (r->start_us != TIME_UNKNOWN && samples_at(r->start_us) > most)
		return false;
	if (r->end_us != TIME_UNKNOWN && samples_at(r->end_us) > most)
		return false;
	return r->start_us == TIME_UNKNOWN || r->end_us == TIME_UNKNOWN ||
	       r->start_us <= r->end_us + BACKWARDS_US;
}

bool uplink_result(struct link *l, const struct asr_result *r)
{
	struct uplink *u = l->uplink;
	const struct transcript_segment *s;

	if (!l->feeder)
		return true; /* before it was ready: about nothing we sent */
	if (!believable(feeder_map(l->feeder), r))
		return false;

	const struct positions *map = feeder_map(l->feeder);
	uint64_t end = r->end_us == TIME_UNKNOWN
			       ? l->upto
			       : positions_end(map, samples_at(r->end_us));
	uint64_t start = r->start_us == TIME_UNKNOWN
				 ? untimed_start(l, r)
				 : positions_start(map, samples_at(r->start_us));

	end = MIN(end, l->upto);
	start = MIN(start, end);
	const uint64_t settled = transcript_settled(u->transcript);
	s = *r->text ? transcript_crowded(u->transcript, l->number, r->key)
		     : NULL;
	if (s)
		publish_closed(u, s);
	s = transcript_result(u->transcript, l->number, r, start, end);
	if (transcript_settled(u->transcript) > settled)
		u->down_since_ms = 0; /* we get on */
	if (r->state == RESULT_FINAL)
		l->settled = MAX(l->settled, end);
	if (s)
		publish(u, l, s, r);
	backlog_forget(u->backlog,
		       MIN(transcript_settled(u->transcript), u->sent));
	return true;
}

void uplink_speech(struct link *l, enum speech_event e, int64_t at_us)
{
	struct uplink *u = l->uplink;

	if (!l->feeder)
		return;
	u->cb.speech(e,
		     at_us == TIME_UNKNOWN
			     ? l->upto
			     : positions_start(feeder_map(l->feeder),
					       samples_at(at_us)),
		     u->arg);
}
