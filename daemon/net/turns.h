/**
 * @file turns.h  How long the turns of a loop take
 *
 * Processor time of the loop's thread from one poll to the next: what every
 * other leg had to wait.  Reference: no turn over 20 ms, whatever happens.
 */
#pragma once

#include <stdint.h>
#include <uv.h>

struct turns;

/** @return 0 or -ENOMEM.  Does not keep the loop alive. */
int turns_open(struct turns **out, uv_loop_t *loop);
/** NULL is fine. */
void turns_close(struct turns *t);
/** The longest so far [us of CPU]. */
uint64_t turns_longest_us(const struct turns *t);
