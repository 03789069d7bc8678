/** @file conn_impl.h  The inside of a connection: conn.c, audio.c, faults.c */
#pragma once

#include <stdio.h>

#include "daemon/net/timer.h"
#include "tools/asr-sim/conn.h"
#include "tools/asr-sim/report.h"

enum { HOLD_STALL = 1, HOLD_SLOW = 2 }; /* why nothing is read */

struct fault_timer {
	struct conn *conn;
	const struct fault *fault;
	struct timer_once *timer;
};

struct conn {
	struct list link;
	struct sim *sim;
	struct websocket *ws;     /* NULL: the upgrade was refused */
	const struct plan *plan;
	void *state;              /* the dialect's */
	unsigned depth;           /* callbacks we are in */
	bool open, closing, over;
	uint64_t opened_ms;

	/* faults */
	unsigned fired;           /* bits: plan's faults that took place */
	struct fault_timer timers[PLAN_FAULTS];
	unsigned hold;            /* HOLD_ bits */
	bool mute, wild, twice;
	uint64_t slow;            /* [bytes/s]; 0: no */
	unsigned wild_turn;
	struct buf held;          /* texts kept back, NUL-ended */
	struct timer_once *resume, *read_on, *idle, *drain, *ready;
	bool waiting;             /* not ready: what is said is kept back */
	bool end_due;             /* the audio was over before */

	/* audio */
	bool audio_known, ended, no_partials;
	enum asr_encoding encoding;
	size_t sample_bytes;      /* on the wire */
	uint64_t paced_from_ms;
	size_t chunk;             /* [bytes] of the first one */
	char odd[64];             /* why the last one may only be the last */
	bool is_short;            /* and that it was below the least */
	bool speaking;            /* speech began and did not pause */
	uint64_t spoken;          /* up to here speech was told */
	bool final_due;           /* lock-step: with the message's end */
	struct segmenter seg;
	struct filler filler;
	struct buf pcm;
	uint64_t number;          /* of the open segment */
	FILE *dump;
	FILE *raw;                /* the same as it came, when it is G.711 */

	/* account */
	uint64_t id;
	char peer[ADDR_TEXT];
	char *target;
	const char *key;
	json_t *headers, *config;
	uint64_t messages, chunks, bytes, partials, finals;
	uint32_t crc;
	struct findings findings;
	struct { const char *by; unsigned code; char text[REASON_TEXT]; } end;
};

/** Every callback is between these two; leaving the outermost one frees a
 * connection that is over. */
void conn_enter(struct conn *c);
void conn_leave(struct conn *c);
/** It is over, by whom and why. */
void conn_over(struct conn *c, const char *by, unsigned code, const char *text);
/** Is there anything left to say to the client? */
bool conn_live(const struct conn *c);

/** account.c: the line in the report. */
void account_report(const struct conn *c);

/** say.c: wait for ready_ms, or what the script says. */
void say_open(struct conn *c);
/** Say now what was kept back. */
void say_held(struct conn *c);

/** audio.c: one binary message that is audio. */
void audio_message(struct conn *c, const uint8_t *data, size_t len);
void audio_end(struct conn *c);

/** faults.c: those of the beginning, and timers for the later ones. */
void faults_open(struct conn *c);
void faults_eof(struct conn *c);
/** Those due at this many samples. */
void faults_samples(struct conn *c, uint64_t position);
/** Samples at which the next one is due; UINT64_MAX: none. */
uint64_t faults_next_sample(const struct conn *c);
/** After a message of so many bytes: read slowly. */
void faults_read(struct conn *c, size_t len);
void faults_close(struct conn *c);
