/**
 * @file dialect.h  One service's protocol, from the service's side
 *
 * To add one: write tools/asr-sim/dialect_<name>.c defining `dialect_<name>`.
 * What all services share - audio, segments, faults, limits on chunks and
 * idleness, the report - is conn.c; a dialect reads what the client says and
 * words what the service answers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/net/websocket.h"
#include "tools/asr-sim/filler.h"

struct conn;

/** One result to tell the client. */
struct sim_result {
	uint64_t number;          /**< Of the segment, 0 first */
	uint64_t first, end;      /**< Samples [first, end) */
	bool final;
	bool last;                /**< The answer to the end of audio; may be
				       empty (first == end) */
	bool pause;               /**< Final for a pause after speech */
	const char *text;
	const struct filler_word *words;
	size_t n_words;
	double confidence;        /**< Made up from the audio */
};

struct dialect {
	const char *name;
	/** Names; the first is the default; ends in NULL.  NULL: only one. */
	const char *const *flavours;
	/** Request headers told in the report when seen; ends in NULL. */
	const char *const *headers;
	size_t state_size;        /**< Of conn_state(), zeroed */
	uint32_t chunk_min_ms;    /**< 0: no limit */
	uint32_t chunk_max_ms;
	bool chunk_fixed;         /**< All of one size but the last */
	bool any_pace;            /**< May send as fast as it likes */
	bool lock_step;           /**< One result, no more and no less, for each
				       audio message; a segment ends with the
				       message in which its pause was reached */
	bool tells_nothing;       /**< The last result is told even if empty */
	uint32_t idle_ms;         /**< Closes without a message; 0: never */
	bool idle_audio;          /**< Before the first audio no text counts */
	unsigned idle_code;       /**< To close with; 0: 1000 */
	const char *idle_reason;  /**< The same; NULL: none */
	uint32_t ready_ms;        /**< From the upgrade to ready() */
	unsigned specials;        /**< Faults special() makes; bit: fault_kind */
	const char *refusal;      /**< Header that says why HTTP refused */
	const char *id_header;    /**< Header with an id, always; NULL: none */

	/**
	 * Judge the upgrade.
	 *
	 * @param body Of a refusal; a string constant
	 * @return 101, or the HTTP status to refuse with
	 */
	unsigned (*request)(struct conn *c, const struct websocket_request *r,
			    const char **body);
	/** Upgraded.  NULL: the service says nothing. */
	void (*open)(struct conn *c);
	/** ready_ms are over: say so.  Whatever was to be said before is kept
	 * back and follows.  NULL: clients need not wait. */
	void (*ready)(struct conn *c);
	/** One text message. */
	void (*text)(struct conn *c, const char *text, size_t len);
	/** One binary message that is no audio?  NULL: all are audio. */
	bool (*binary)(struct conn *c, const uint8_t *data, size_t len);
	/** Tell a partial or final. */
	void (*result)(struct conn *c, const struct sim_result *r);
	/** The results of one audio message were told, or of the end.  NULL:
	 * nothing to add. */
	void (*told)(struct conn *c);
	/** Speech began or paused at this sample.  NULL: not told. */
	void (*speech)(struct conn *c, bool began, uint64_t at);
	/** All results were told.  NULL: the service says nothing more. */
	void (*ended)(struct conn *c);
	/** An in-band error, in the service's other shape if there is one. */
	void (*error)(struct conn *c, unsigned code, const char *text,
		      bool other);
	/** One of `specials` takes place. */
	void (*special)(struct conn *c, int fault_kind);
	/** Free what is in the state.  NULL: nothing. */
	void (*fini)(struct conn *c);
};

const struct dialect *dialect_by_name(const char *name);
/** The i-th dialect, or NULL. */
const struct dialect *dialect_at(size_t i);
