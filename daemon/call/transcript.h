/**
 * @file transcript.h  A leg's segments: numbers, revisions, what was settled
 *
 * Takes what a service says (keys of its own, times on its connection) already
 * moved to the leg's timeline, and gives it the leg's numbers: unique and
 * rising over all connections.  Knows which segments are open, so that they
 * can be retracted (their audio is sent again) or closed by us (it is not).
 * Bounded: at most TRANSCRIPT_OPEN segments of one connection are known by
 * key; the oldest closed one is forgotten first, an open one never before it
 * was closed (transcript_crowded()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/base/result.h"

enum {
	TRANSCRIPT_OPEN = 64,
	TRANSCRIPT_KEY = 64,
	TRANSCRIPT_UNTIMED = 2 * 8000, /**< Kept to be sent again behind a final
					    without times [samples] */
};

/** A segment of the leg.  `text` and `key` belong to the transcript. */
struct transcript_segment {
	char key[TRANSCRIPT_KEY];
	unsigned connection;
	uint64_t number;
	uint64_t rev;
	uint64_t start, end;    /**< Leg timeline [samples] */
	enum segment_state state;
	bool overlap;
	char *text;             /**< Of the last partial; NULL once closed */
};

struct transcript;

int transcript_new(struct transcript **out);
void transcript_free(struct transcript *t);

/**
 * One result.
 *
 * @param start,end On the leg's timeline, start <= end
 *
 * @return the segment with its number, revision and state as they are now to
 *         be published, borrowed until the next call; NULL: nothing is to be
 *         published (a final repeated word for word, one that ends in what was
 *         settled by another connection, a retraction of something unknown or
 *         retracted already)
 */
const struct transcript_segment *
transcript_result(struct transcript *t, unsigned connection,
		  const struct asr_result *r, uint64_t start, uint64_t end);

/**
 * Before a result under this key: when it would be one open segment too many,
 * the one that was silent longest is void.
 *
 * @return that one, to be published as transcript_result()'s, or NULL: there
 *         is room
 */
const struct transcript_segment *
transcript_crowded(struct transcript *t, unsigned connection, const char *key);

/**
 * Close one open segment: with `state` SEGMENT_FINAL it becomes a final the
 * daemon made, with SEGMENT_RETRACTED it is void.
 *
 * @param connection Whose; 0: anybody's
 *
 * @return as transcript_result(), or NULL: none is open (any more)
 */
const struct transcript_segment *transcript_close(struct transcript *t,
						  unsigned connection,
						  enum segment_state state);

/** Where the segment begins that transcript_close() would close next.
 * @return false: none is open */
bool transcript_open_from(const struct transcript *t, unsigned connection,
			  uint64_t *start);

/** A connection was lost and another begins at what was settled: what ends
 * before that will not be told again, what crosses it is an overlap.  What is
 * open stays so: the lost one's is to be closed, another may still speak. */
void transcript_reconnect(struct transcript *t);

/** Where a segment known by this key begins.  @return false: none is known */
bool transcript_start(const struct transcript *t, unsigned connection,
		      const char *key, uint64_t *start);
/** Leg position up to which finals were published ... */
uint64_t transcript_told(const struct transcript *t);
/** ... and up to which nothing needs to be sent again. */
uint64_t transcript_settled(const struct transcript *t);
