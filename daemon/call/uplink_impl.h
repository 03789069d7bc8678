/** @file uplink_impl.h  What the files of the uplink share */
#pragma once

#include "daemon/call/backlog.h"
#include "daemon/call/connection.h"
#include "daemon/call/gate.h"
#include "daemon/call/losses.h"
#include "daemon/call/uplink.h"
#include "daemon/call/wire.h"
#include "daemon/net/timer.h"

enum {
	UPLINK_RATE = 8000,                /* of the leg's timeline [samples/s] */
	UPLINK_UNSENT_MAX = 2 * UPLINK_RATE, /* more holds up a replay, and is
						sent at the catch-up rate */
	/* at once; not quite 2 s, for the service sees it through a network */
	UPLINK_BURST = UPLINK_UNSENT_MAX - UPLINK_RATE / 10,
	UPLINK_SESSION_ID = 128,
};

/**
 * One connection of the uplink with what was sent on it.
 *
 *   waiting (at the gate) -> connecting -> streaming -> draining -> gone
 */
struct link {
	struct uplink *uplink;
	struct service *service;
	struct gate_ticket ticket;
	struct connection *connection; /* NULL: waiting, or over */
	struct feeder *feeder;         /* from streaming on */
	struct wire *wire;             /* NULL: a law, from the feeder */
	unsigned number;               /* of the connection; 0: not ready yet */
	char session[UPLINK_SESSION_ID]; /* the service's id of it */
	bool streaming, finish_sent;
	uint64_t up_since_ms;
	uint64_t settled;              /* end of its last final */
	uint64_t upto;                 /* leg position it was sent up to */
};

struct uplink {
	struct uplink_config cfg;
	struct uplink_cb cb;
	void *arg;

	struct backlog *backlog;
	struct transcript *transcript;
	struct service *service;       /* of the next connection */
	struct link *link;             /* the one that gets the audio */
	struct link *next;             /* its successor at a session limit */
	struct link *old;              /* its predecessor, giving last words */
	struct service *lost;          /* of the last connection that was lost */
	unsigned lost_number;          /* ... and which; 0: none, or closed */
	struct timer_once *retry;      /* back-off, or a look at the gate */
	struct timer_once *end;        /* limit once the leg is over */
	struct timer_once *pace;
	struct timer_once *watch;      /* every second while streaming */
	struct timer idle;             /* keep-alive, on the media clock */

	const char *state;
	struct reason told;            /* with that state */
	bool finishing, failed, over, busy;
	bool doubtful;                 /* its service was dead from the first */
	bool overtime;                 /* a connection came behind the end */
	unsigned connections;          /* that became ready */
	unsigned fallbacks;            /* services changed so far */
	unsigned tries;                /* failures in a row */
	uint64_t down_since_ms;        /* loop time; 0: a connection lasted,
					  or settled something, since then */
	struct reason why;             /* of the last failure */

	uint64_t sent;                 /* leg position sent up to, ever */
	uint64_t audio_at_us;          /* arrival of the last audio put */
	uint64_t idle_from_us;         /* nothing to send since, media clock */
	unsigned idles;                /* keep-alives since then */
	double budget;                 /* samples that may be sent [paced] */
	uint64_t budget_at_ms;
	int16_t *pcm;                  /* one chunk, of any service */

	uint64_t message_ms;           /* loop time of the last message */
	uint64_t speech;               /* samples with a voice since then */
	bool asked_again;              /* reconnected once for want of results */
	bool told_no_results;
	size_t queued;                 /* on the way at the last look */
	unsigned stuck_s;              /* so many looks ago it was the same */
	unsigned behind_s;             /* looks since the lag was told of */

	uint64_t gap_start, gap_end;   /* being given up; equal: nothing is */
	const char *gap_cause;
	bool gap_outage;               /* it began without a connection */
	struct losses given_up;        /* all of it so far */
};

enum {
	UPLINK_CHUNK_MAX_MS = 500,
	UPLINK_END_MS = 30000, /* once the leg is over: for connecting, and
				  then for what is left to be sent */
	UPLINK_WATCH_MS = 1000,
	UPLINK_LOOK_MS = 500,  /* at the gate, while waiting there */
};

static inline const struct asr_vendor *link_vendor(const struct link *l)
{
	return l->service->vendor;
}

static inline size_t uplink_samples(uint32_t ms)
{
	return (size_t)ms * UPLINK_RATE / 1000;
}

/* uplink.c */
void uplink_set_state(struct uplink *u, const char *state,
		      const struct reason *why);
void uplink_update_busy(struct uplink *u);
/** Audio received that no service got [samples of the timeline]. */
uint64_t uplink_unsent(const struct uplink *u);
bool uplink_streaming(const struct uplink *u);
/** The current connection is no good: drop it and go on with another. */
void uplink_lose(struct uplink *u, enum reason_class class, const char *text);
/** The current one has gone, or the predecessor; may close u. */
void uplink_link_over(struct uplink *u, const struct reason *why, bool drained);
void uplink_old_over(struct uplink *u, const struct reason *why, bool drained);

/* uplink_link.c: connections, one by one */
/** One more, waiting at the gate.  @return NULL: no memory */
struct link *uplink_new_link(struct uplink *u);
/** It was let in. */
void uplink_connect(struct link *l);
void uplink_drop_link(struct uplink *u);
void uplink_drop_side(struct link **side);
/** Open a successor before the session's limit comes. */
void uplink_rollover(struct uplink *u);

/* uplink_lost.c: audio that is given up */
void uplink_give_up(struct uplink *u, const struct span *s);
void uplink_give_up_all(struct uplink *u);
/** [from, upto) was sent and will neither be sent again nor be settled; what of
 * it was told before is not told twice. */
void uplink_tell_unsettled(struct uplink *u, uint64_t from, uint64_t upto);
/** There is no connection: what was sent and is no longer kept cannot be sent
 * again.  What is known of its text stays, the rest is a gap. */
void uplink_tell_overflow(struct uplink *u);
void uplink_trim(struct uplink *u);
void uplink_flush_gap(struct uplink *u);

/* uplink_text.c: what the service says */
/** @return false: its times lie where no audio was sent */
bool uplink_result(struct link *l, const struct asr_result *r);
void uplink_speech(struct link *l, enum speech_event e, int64_t at_us);
/** Close the oldest that is open of one connection (0: of any), or all.
 * @return false: there was none */
bool uplink_close_segment(struct uplink *u, unsigned connection,
			  enum segment_state state);
void uplink_close_segments(struct uplink *u, unsigned connection,
			   enum segment_state state);

/* uplink_send.c: chunks, pacing, keep-alive */
void uplink_pump(struct uplink *u);
void uplink_finish_link(struct link *l);
void uplink_arm_idle(struct uplink *u);
void uplink_on_pace(void *arg);
void uplink_on_idle(struct timer *t, uint64_t now_us);
/** Once a second: is the service stuck, mute, behind? */
void uplink_watch(struct uplink *u);
