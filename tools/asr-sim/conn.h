/**
 * @file conn.h  One client of the simulator
 *
 * Lives from its upgrade request to its line in the report.  A violation is
 * something the service's pages forbid; it is reported once for each `kind`,
 * with a count, and the client is served on.  A note is something that is only
 * unusual.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"
#include "tools/asr-sim/dialect.h"
#include "tools/asr-sim/sim.h"

/* -- for the server ----------------------------------------------------------- */

/** A request came: make its connection, or only the refusal. */
void conn_request(struct sim *s, struct websocket *ws,
		  const struct websocket_request *r,
		  struct websocket_answer *answer);
/** The simulator ends. */
void conn_shutdown(struct conn *c);
/** From its place in sim.conns. */
struct conn *conn_of(struct list *item);

/* -- for dialects ---------------------------------------------------------------- */

const struct sim *conn_sim(const struct conn *c);
void *conn_state(struct conn *c);

/** `kind`: a string constant, one word or two. */
void conn_violation(struct conn *c, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conn_note(struct conn *c, const char *kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** What is said of the key: "right" "wrong" "missing" "present". */
enum key_verdict { KEY_MISSING, KEY_PRESENT, KEY_RIGHT, KEY_WRONG };
/** Compare a key with --expect-key and report; NULL or "": missing. */
enum key_verdict conn_key(struct conn *c, const char *key);

/** What the client configured, for the report.  Takes `config`. */
void conn_config(struct conn *c, json_t *config);
/** An id that must be new; a violation if it is not. */
void conn_unique(struct conn *c, const char *what, const char *id);

/** From here on audio is this.  @param pause_ms ends a segment; 0: 300 */
void conn_audio_is(struct conn *c, enum asr_encoding encoding, uint32_t rate_hz,
		   uint32_t pause_ms);
bool conn_audio_known(const struct conn *c);
/** A message is audio that came as something else. */
void conn_audio(struct conn *c, const uint8_t *data, size_t len);
/** Is it time for audio? */
bool conn_ready(const struct conn *c);
/** Leave out partials. */
void conn_without_partials(struct conn *c);
/** Samples so far. */
uint64_t conn_position(const struct conn *c);

/** Samples -> seconds; nonsense while `wild-times` is in force. */
double conn_seconds(struct conn *c, uint64_t samples);

/** Send JSON as text.  Takes `msg`; NULL (no memory) sends nothing. */
void conn_send(struct conn *c, json_t *msg);
/** The open segment ends here: its final; an empty one if the dialect has
 * tells_nothing. */
void conn_flush(struct conn *c);
/** Say once more what is known of the open segment. */
void conn_repeat(struct conn *c, bool final);
/** The client said that its audio is over: the last result, ended(). */
void conn_end_of_audio(struct conn *c);
bool conn_ended(const struct conn *c);
/** Close with a code; whatever comes is no longer looked at. */
void conn_close(struct conn *c, unsigned code);
/** The same with a reason, NULL: none. */
void conn_close_with(struct conn *c, unsigned code, const char *reason);
/** A UUID of this connection, the same in every run.  The caller's. */
json_t *conn_uuid(const struct conn *c, unsigned what);
