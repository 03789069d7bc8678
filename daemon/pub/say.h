/**
 * @file say.h  The lines of the event socket that are no events
 *
 * Each appends one line with its line feed.  Pure.
 */
#pragma once

#include <stdint.h>

#include "daemon/base/buf.h"

struct journal;

void say_hello(struct buf *out, uint64_t now_us, const struct journal *j);
void say_heartbeat(struct buf *out, uint64_t now_us, uint64_t next);
void say_reset(struct buf *out, uint64_t now_us, uint64_t epoch, uint64_t next);
/** Both ends included. */
void say_lost(struct buf *out, uint64_t now_us, uint64_t from, uint64_t to);
/** What is wrong and what to do. */
void say_error(struct buf *out, uint64_t now_us, const char *text);
/** "replaced" "stalled" "bad_lines" "flood" "too_many" "shutdown" */
void say_bye(struct buf *out, uint64_t now_us, const char *reason);
