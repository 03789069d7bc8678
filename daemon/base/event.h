/**
 * @file event.h  What the daemon tells the world, as values
 *
 * Calls and legs fill these in; pub/ makes lines of them (INTERFACES section
 * 3).  Everything is borrowed for the call that hands it over.  All positions
 * are samples on the leg's timeline (8 per millisecond); pub/ prints
 * milliseconds, rounding down, and leaves out what is unknown: NULL strings,
 * EVENT_UNKNOWN numbers, negative reals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/base/role.h"

#define EVENT_UNKNOWN UINT64_MAX

enum { EVENT_ID = 65 }; /**< Bytes of a call's or leg's id with its NUL */

enum event_type {
	EVENT_CALL_START,
	EVENT_CALL_UPDATE,
	EVENT_LEG_START,
	EVENT_LEG_UPDATE,
	EVENT_LEG_MEDIA,
	EVENT_LEG_STATE,
	EVENT_SEGMENT,
	EVENT_SPEECH,
	EVENT_GAP,
	EVENT_DISCONTINUITY,
	EVENT_DTMF,
	EVENT_PAUSE,
	EVENT_RESUME,
	EVENT_LEG_END,
	EVENT_CALL_END,
	EVENT_DAEMON,      /**< "daemon.<what>" */
};

/** Further identity under `ids`: name and value. */
struct event_id {
	const char *name;
	const char *value;
};

/** Somebody who takes part in a call, as its recording client names them. */
struct event_participant {
	const char *id, *aor, *name;
	enum role role;
	const char *label;     /**< Of the m-line they speak on, alone or not */
	const char *stream;    /**< Id of what they send there */
};

struct event_rtp {
	uint32_t ssrc;
	struct addr src, dst;
	int payload_type;      /**< -1: not known */
	bool known;            /**< ssrc, src and dst are */
};

struct event_word {
	const char *text;
	uint64_t start, end;   /**< [samples] or EVENT_UNKNOWN */
	double confidence;
};

enum segment_state { SEGMENT_PARTIAL, SEGMENT_FINAL, SEGMENT_RETRACTED };

struct event_segment {
	uint64_t segment, rev; /**< From 1 */
	enum segment_state state;
	const char *text;
	uint64_t start, end;   /**< [samples] */
	double confidence;
	const char *language;
	const struct event_word *words;
	size_t n_words;
	bool synthesised, overlap;
	uint64_t heard, lost;  /**< [samples], sum is end - start */
	uint64_t latency_ms;   /**< or EVENT_UNKNOWN */
	const char *asr, *vendor, *model, *session; /**< NULL: not known */
	unsigned connection;   /**< From 1 */
	const char *vendor_segment;
};

struct event_span {
	uint64_t start, end;   /**< [samples] */
};

/** Silence the daemon put into a connection, for checks of the audio. */
struct event_inserted {
	unsigned connection;
	uint64_t at;           /**< Leg timeline it stands at [samples] */
	uint64_t samples;
};

struct event_leg_end {
	const char *reason;
	uint64_t duration;     /**< [samples] */
	uint64_t offset_us;    /**< Of sample 0 from call.start; UNKNOWN */
	uint64_t received, sent, lost, paused; /**< [samples] */
	uint64_t replayed, concealed;          /**< [samples] */
	uint64_t rtp_packets, rtp_lost, rtp_late, rtp_duplicate, rtp_reordered;
	double jitter_ms, mos;
	unsigned connections;
	uint64_t partials, finals;
	uint64_t first_partial_ms, final_latency_p95_ms; /**< or UNKNOWN */
	const struct event_inserted *inserted; /**< Keep-alive silence */
	size_t n_inserted;
	bool asr;              /**< An asr was chosen: print its figures */
	bool stream;           /**< No RTP: no figures of it */
};

struct event {
	enum event_type type;
	uint64_t now_us;       /**< Becomes `ts` */
	const char *call;      /**< NULL for EVENT_DAEMON */
	const char *leg;       /**< NULL where the event is the call's */
	enum role role;        /**< Printed when leg is set */
	union {
		struct {
			const char *source, *from, *to, *sip_call_id;
			const struct event_id *ids;
			size_t n_ids;
			/** All of them now; NULL: not known, or as before. */
			const struct event_participant *participants;
			size_t n_participants;
		} call_start, call_update;
		struct {
			const char *role_source, *label, *codec, *asr;
			struct event_rtp rtp;
		} leg_start, leg_update;
		struct {
			uint64_t at_us;
			uint64_t offset_us; /**< From call.start */
			struct event_rtp rtp;
		} leg_media;
		struct {
			const char *asr_state; /**< INTERFACES' closed list */
			const char *reason;    /**< NULL: none */
			unsigned code;         /**< 0: none */
			const char *text;      /**< In words; NULL: none */
		} leg_state;
		struct event_segment segment;
		struct {
			bool ended;
			uint64_t at;
		} speech;
		struct {
			uint64_t start, end;
			const char *cause;
			const struct event_span *spans; /**< rtp_loss */
			size_t n_spans;
		} gap;
		struct {
			uint64_t at;
			const char *kind;
			uint64_t skipped; /**< 0: nothing was */
		} discontinuity;
		struct {
			char digit;
			uint64_t at, duration;
		} dtmf;
		struct {
			uint64_t at;
			const char *reason;
		} pause;
		struct event_leg_end leg_end;
		struct {
			const char *reason;
			uint64_t duration_us;
			unsigned legs;
		} call_end;
		struct {
			const char *what;    /**< "asr_down" ...: daemon.WHAT */
			const char *asr;     /**< NULL: not about one */
			const char *reason;
			const char *text;
		} daemon;
	};
};

/** Where events go; part of whoever makes some. */
struct event_sink {
	void (*emit)(const struct event *e, void *arg);
	void *arg;
};
