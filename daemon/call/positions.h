/**
 * @file positions.h  A connection's audio against the leg's timeline
 *
 * A service counts the samples it got on its connection; silence we put in for
 * keep-alive, and holes we skipped, shift that against the leg.  The map is
 * the list of places where they part.
 *
 *     connection  0 ------- a ====== b ------------- c ---------
 *     leg         p ------- q        q ------------- r   s -----
 *                     [a,b): silence put in;  r..s: skipped
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct positions;

/** @param leg Leg position of the connection's first sample */
int positions_new(struct positions **out, uint64_t leg);
void positions_free(struct positions *p);

/** `n` samples of the leg, from `leg` on, were sent. @return 0 or -ENOMEM */
int positions_sent(struct positions *p, uint64_t leg, uint64_t n);
/** `n` samples of silence that are not on the leg were sent. */
int positions_inserted(struct positions *p, uint64_t n);

/** Samples sent on the connection so far. */
uint64_t positions_total(const struct positions *p);

/** Leg position at which something begins that begins at `at` on the
 * connection [samples]; beyond what was sent: the last position. */
uint64_t positions_start(const struct positions *p, uint64_t at);
/** Leg position at which something ends that ends at `at`: before a skip
 * where positions_start() would be behind it. */
uint64_t positions_end(const struct positions *p, uint64_t at);

/** The i-th stretch of inserted silence: where on the leg, and how long.
 * @return 1, or 0: there are no more */
int positions_inserted_at(const struct positions *p, size_t i, uint64_t *leg,
			  uint64_t *samples);
