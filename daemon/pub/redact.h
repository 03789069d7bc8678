/**
 * @file redact.h  Card numbers out of the transcript, before anybody sees it
 *
 * An event sink in front of the journal: segments pass with the numbers that
 * pan.h finds masked in `text` and in `words`.  A number may be said over
 * several segments: finals of a leg within 5 s of each other are read as one
 * text, and what of it was published already is published again, masked, with
 * the next `rev` (later ones of that segment count on from there).  A partial
 * is read behind the finals in front of it.
 *
 * Holds at most the last 24 finals of a leg, in memory, until leg.end.
 */
#pragma once

#include "daemon/base/event.h"

struct redact;

/** @param next Where events go on to.  @return 0 or -ENOMEM */
int redact_new(struct redact **out, struct event_sink next);
/** NULL is fine. */
void redact_free(struct redact *r);
/** For struct event_sink: `arg` is the struct redact.  Without memory for a
 * segment its text goes out as "***". */
void redact_sink(const struct event *e, void *arg);
