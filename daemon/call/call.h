/**
 * @file call.h  Calls and their legs: what every way in makes
 *
 * A way in (ingress/) opens a call, opens its legs, hands over packets, and
 * ends them; everything behind that - timeline, ASR, events - happens here.
 * A way in knows no ASR; what a leg's is, `choose` says.
 *
 *   call_open -> leg_open -> leg_packet ... -> leg_end -> call_end
 *
 * Handles are borrowed: a leg's until leg_end() or call_end(), a call's until
 * call_end().  Behind those the leg lives on until its last words have come;
 * then `leg.end`, and after the last one `call.end`, each exactly once.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/event.h"
#include "daemon/base/leg_facts.h"
#include "daemon/base/timers.h"
#include "daemon/call/service.h"
#include "daemon/media/receiver.h"
#include "daemon/media/rtp.h"

struct calls; /**< All of them */
struct call;
struct leg;

/** Decoded audio of every leg, in timeline order (--wav). */
struct audio_sink {
	/** @return a handle for this leg, or NULL: not wanted */
	void *(*open)(const char *leg, void *arg);
	/** @param pcm 8 kHz; NULL: `n` samples of silence, however many */
	void (*samples)(void *handle, const int16_t *pcm, uint64_t n);
	void (*close)(void *handle);
	void *arg;
};

struct calls_config {
	uv_loop_t *loop;
	struct timers *timers;       /**< Media clock */
	struct event_sink events;
	struct audio_sink audio;     /**< open NULL: nobody listens */
	/** The service of a leg, or NULL: none. */
	struct service *(*choose)(const struct leg_facts *f, void *chooser);
	/** A leg that got this one is over.  NULL: nobody asks. */
	void (*release)(struct service *s, void *chooser);
	void *chooser;
	uint64_t backlog;            /**< Of a leg [samples] */
	bool paced;                  /**< See struct uplink_config */
	bool hopeless_is_final;
	uint32_t give_up_ms;
	bool dtmf;                   /**< Publish digits */
	/** Legs began or ceased to hold up a replay.  NULL: nobody asks. */
	void (*busy)(bool busy, void *arg);
	/** The last call is over.  NULL: nobody asks. */
	void (*idle)(void *arg);
	void *arg;                   /**< Of busy and idle */
};

int calls_new(struct calls **out, const struct calls_config *cfg);
/** Drops everything; no events are published for what is still open. */
void calls_free(struct calls *cs);
/** Of what comes from now on: publish digits? */
void calls_set_dtmf(struct calls *cs, bool on);
/** Calls not yet told of as ended. */
unsigned calls_count(const struct calls *cs);
/** Is one of them called so? */
bool calls_know(const struct calls *cs, const char *id);

/** Everything is copied; strings may be NULL: not known. */
struct call_info {
	const char *id;              /**< [A-Za-z0-9._-]{1,64} */
	const char *source;          /**< "replay" ... */
	const char *from, *to, *sip_call_id;
	uint64_t started_us;         /**< Its first packet came before it was
					  known; 0: now */
	const struct event_id *ids;
	size_t n_ids;
	const struct event_participant *participants; /**< NULL: not known */
	size_t n_participants;
	/** Whose numbers routes look at, where from and to are not the parties
	 * (a recording session's are not); NULL: from and to. */
	const char *calling, *called;
	struct addr trunk;           /**< Who sent it; family 0: not known */
	const char *language;        /**< Announced for the call (RFC 5646) */
};

/** Publishes call.start.  @return 0 or -ENOMEM */
int call_open(struct call **out, struct calls *cs, const struct call_info *i);

/** What has changed; NULL: has not.  The routes of later legs go by what was
 * known in call_open(). */
struct call_news {
	const char *from, *to;
	const struct event_id *ids;
	size_t n_ids;
	const struct event_participant *participants; /**< All of them now */
	size_t n_participants;
};

/**
 * Nothing of what comes from now on reaches an ASR, the audio sink or an event,
 * until calls_resume(): not for card numbers.  What was in the backlog came
 * before and still goes out.  A paused call's legs to come are paused, too.
 * Publishes pause, resume, gaps of cause paused.
 *
 * @param id Of a call or of a leg
 * @return 0 or -ENOENT; what is so already stays so
 */
int calls_pause(struct calls *cs, const char *id, const char *reason);
int calls_resume(struct calls *cs, const char *id, const char *reason);
/** Its id, as in events. */
const char *call_id(const struct call *c);
/** Publishes call.update. */
void call_update(struct call *c, const struct call_news *n);
/** Ends its legs, too; the handle is gone. */
void call_end(struct call *c, const char *reason);

struct leg_info {
	enum role role;
	const char *role_source;     /**< Which rule said so */
	const char *label;           /**< NULL: none */
	const char *codec;           /**< As offered */
	const char *language;        /**< Announced; NULL: the call's */
	struct event_rtp rtp;
	uint8_t kinds[128];          /**< enum payload_kind by payload type */
	bool stream;                 /**< No RTP: leg_samples(), never
					  leg_packet(); kinds do not matter */
	bool no_asr;                 /**< Whatever the routes say: another leg
					  has this audio */
	/** A final segment of it was published; until leg_end().  Must end
	 * nothing.  NULL: nobody asks. */
	void (*final)(const struct event *e, void *arg);
	void *final_arg;
	const char *unusable;        /**< "encrypted", "codec": nothing of it
					  goes to an ASR; NULL: it does */
};

/** Publishes leg.start.  Its id is the call's with ".1", ".2" ... */
int leg_open(struct leg **out, struct call *c, const struct leg_info *i);
/** Its id, as in events. */
const char *leg_id(const struct leg *l);
/**
 * Somebody else speaks on it, or we know better who does.  Publishes leg.update;
 * its ASR stays.
 *
 * @param role_source,label NULL: as before
 */
void leg_update(struct leg *l, enum role role, const char *role_source,
		const char *label);
/** Source, destination and SSRC are known now, before its first packet: they
 * stand in leg.media. */
void leg_set_rtp(struct leg *l, const struct event_rtp *rtp);
/** Something to know while the ASR's state stays as it is: "no_rtp" ... */
void leg_note(struct leg *l, const char *reason);
/** One packet of it, its source already judged. */
void leg_packet(struct leg *l, const struct rtp *h, uint64_t at_us);
/**
 * What came next of a leg that is a stream, behind `silence` samples in which
 * nothing was sent.
 *
 * @param l16 8 kHz, mono, network byte order (the backlog's L16); borrowed
 * @param n   [samples]; 0: nothing happens
 * @param at_us Its arrival, never going back
 */
void leg_samples(struct leg *l, uint64_t silence, const uint8_t *l16, size_t n,
		 uint64_t at_us);
/** A digit of a stream, told beside its audio: now, of no known length. */
void leg_digit(struct leg *l, char digit);
void leg_set_kinds(struct leg *l, const uint8_t kinds[128]);
/** From here on nothing of it goes to an ASR; published once per reason. */
void leg_unusable(struct leg *l, const char *reason);
void leg_end(struct leg *l, const char *reason);
