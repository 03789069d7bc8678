/** @file subscriber.h  One connection of the event socket; for subscribers.c */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/list.h"
#include "daemon/pub/journal.h"
#include "daemon/pub/latest.h"
#include "daemon/pub/names.h"
#include "daemon/pub/request.h"
#include "daemon/pub/subscribers.h"

struct unix_conn;

/** What all connections share. */
struct subscribers {
	struct journal *journal;
	struct latest *latest;
	struct names names;
	struct list all;
	struct subscribers_stats stats;
	struct journal_tap tap;
	struct unix_listener *listener;
	uv_idle_t *wake;       /**< Its memory is libuv's until it is closed */
	struct timer_once *tick;
	uint32_t tick_ms;
	bool woken;
	bool moved;            /**< Names did, and were not kept yet */
	unsigned age;          /**< Ticks */
};

/** Deliver in the loop's next turn. */
void subscribers_wake(struct subscribers *all);
/** Somebody came, went or chose: are partials of use to anybody? */
void subscribers_changed(struct subscribers *all);

/** Hand the names to the journal if they have moved. */
void subscribers_keep(struct subscribers *all);

struct subscriber;

/** Takes `c` over and says hello.  NULL: no memory, `c` is closed */
struct subscriber *subscriber_new(struct subscribers *all, struct unix_conn *c);
struct subscriber *subscriber_of(struct list *item);
/** Hand out some of what the socket takes.  @return about how much [bytes] */
size_t subscriber_pump(struct subscriber *s);
/** `tick_ms` went by.  May free `s`. */
void subscriber_tick(struct subscriber *s);
bool subscriber_wants_partials(const struct subscriber *s);
/** Say why, close, free. */
void subscriber_bye(struct subscriber *s, const char *reason);
/** Nothing waits any longer for its choice. */
void subscriber_start(struct subscriber *s);
