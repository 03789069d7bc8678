/** @file uplink_lost.c  Audio of a leg that is given up, and the gaps it leaves */
#include "daemon/base/array.h"
#include "daemon/call/uplink_impl.h"

static const char *cause(const struct uplink *u)
{
	if (uplink_streaming(u))
		return "asr_slow";
	switch (u->why.class) {
	case REASON_AUTH:    return "auth";
	case REASON_PAYMENT: return "payment";
	case REASON_QUOTA:   return "quota";
	case REASON_TLS:     return "tls";
	case REASON_DNS:     return "dns";
	case REASON_SPEED:   return "asr_slow";
	case REASON_TIMEOUT: /* it took the audio and said nothing */
		return u->connections ? "asr_slow" : "asr_connect";
	default:
		return u->connections ? "asr_disconnect" : "asr_connect";
	}
}

void uplink_flush_gap(struct uplink *u)
{
	const uint64_t start = u->gap_start, end = u->gap_end;

	u->gap_start = u->gap_end = 0;
	if (start < end)
		u->cb.gap(start, end, u->gap_cause, u->arg);
}

/* An outage is one gap, with the cause it began with: what it changes to on the
 * way is in the states. */
static void extend_gap(struct uplink *u, uint64_t from, uint64_t end)
{
	const bool outage = !uplink_streaming(u);

	if (u->gap_start < u->gap_end &&
	    (u->gap_end != from || u->gap_outage != outage))
		uplink_flush_gap(u);
	if (u->gap_start == u->gap_end) {
		u->gap_start = from;
		u->gap_cause = cause(u);
		u->gap_outage = outage;
	}
	u->gap_end = end;
	losses_add(&u->given_up, from, end);
}

void uplink_give_up(struct uplink *u, const struct span *s)
{
	const uint64_t from = MAX(s->pos, u->sent);
	const uint64_t end = s->pos + s->len;

	if (end <= from)
		return;
	if (s->kind == SPAN_PAUSED) { /* is told of by the leg */
		uplink_flush_gap(u);
		u->sent = end;
		return;
	}
	if (span_is_audio(s))
		u->cb.lost(end - from, u->arg);
	u->sent = end;
	extend_gap(u, from, end);
}

void uplink_give_up_all(struct uplink *u)
{
	struct span s;

	while (backlog_drop(u->backlog, &s))
		uplink_give_up(u, &s);
}

void uplink_tell_unsettled(struct uplink *u, uint64_t from, uint64_t upto)
{
	struct event_span told;

	while (from < upto) {
		const bool more = losses_behind(&u->given_up, from, &told);
		const uint64_t end = more ? MIN(told.start, upto) : upto;

		if (from < end)
			extend_gap(u, from, end);
		from = more ? told.end : upto;
	}
}

void uplink_tell_overflow(struct uplink *u)
{
	struct span oldest;
	const uint64_t first =
		backlog_span(u->backlog, backlog_first(u->backlog), &oldest)
			? oldest.pos : backlog_end(u->backlog);
	uint64_t start;

	while (u->lost_number &&
	       transcript_open_from(u->transcript, u->lost_number, &start) &&
	       start < first)
		uplink_close_segment(u, u->lost_number, SEGMENT_FINAL);
	uplink_tell_unsettled(u, transcript_settled(u->transcript),
			      MIN(first, u->sent));
	backlog_forget(u->backlog,
		       MIN(transcript_settled(u->transcript), u->sent));
}

void uplink_trim(struct uplink *u)
{
	struct feeder *f = uplink_streaming(u) ? u->link->feeder : NULL;
	struct span s;

	while (backlog_over(u->backlog) && backlog_drop(u->backlog, &s)) {
		if (!f) {
			uplink_tell_overflow(u);
			uplink_give_up(u, &s);
		} else if (feeder_span(f) < backlog_first(u->backlog)) {
			u->sent = MAX(u->sent, feeder_position(f));
			uplink_give_up(u, &s);
			feeder_overtaken(f);
		}
	}
}
