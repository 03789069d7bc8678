/** @file subscribers.c  The event socket */
#include "daemon/pub/subscribers.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/log.h"
#include "daemon/net/now.h"
#include "daemon/net/timer.h"
#include "daemon/net/unix.h"
#include "daemon/pub/cursors.h"
#include "daemon/pub/say.h"
#include "daemon/pub/subscriber.h"

enum {
	TICK_MS = 100,
	CONNECTIONS = 64,
	CONNECTIONS_PER_UID = 16,
	LATEST_MAX = 8 * 1024 * 1024,
	OUT_MAX = 4 * SUBSCRIBER_OUT,  /* A line over the ceiling, and ours */
	KEEP_TICKS = 10,
	TURN = 64 * 1024,              /* Bytes for all in a turn of the loop:
					  audio has the next one */
};

static void on_wake(uv_idle_t *h);

void subscribers_wake(struct subscribers *all)
{
	if (all->woken)
		return;
	all->woken = true;
	/* not a timer of 0 ms: libuv before 1.45 runs one that is started
	   inside itself again and again, and polls no audio meanwhile */
	uv_idle_start(all->wake, on_wake);
}

static void on_wake(uv_idle_t *h)
{
	struct subscribers *all = h->data;
	size_t given = 0;

	all->woken = false;
	uv_idle_stop(h);
	for (unsigned n = all->stats.connected; n > 0 && given < TURN; n--) {
		struct list *item = all->all.next;

		list_remove(item); /* those behind it are the first next time */
		list_add(&all->all, item);
		given += subscriber_pump(subscriber_of(item));
	}
	if (given >= TURN)
		subscribers_wake(all);
}

void subscribers_keep(struct subscribers *all)
{
	struct buf text = {0};

	if (!all->moved)
		return;
	cursors_print(&text, &all->names, journal_epoch(all->journal));
	if (!text.err) {
		journal_keep_cursors(all->journal, &text);
		all->moved = false;
	}
	buf_free(&text);
}

/* Numbers from `began` on are given anew, for other events. */
static void take_back(struct subscribers *all, uint64_t began)
{
	list_each(&all->names.all, item) {
		struct named *one = list_item(item, struct named, in);

		one->reset = one->next > began;
		if (one->reset)
			one->next = began;
	}
}

/* The numbers mean what they meant, when the epoch is that of the journal as
   it was found. */
static void load_names(struct subscribers *all)
{
	const uint64_t before = journal_epoch_before(all->journal);
	const uint64_t epoch_of_now = journal_epoch(all->journal);
	struct buf text = {0};
	uint64_t epoch;

	journal_load_cursors(all->journal, &text);
	if (text.len &&
	    cursors_parse(&all->names, &epoch, buf_str(&text), text.len))
		log_warn("journal", "the file cursors is damaged: named "
			 "subscribers begin at the oldest event");
	else if (text.len && epoch != before && epoch != epoch_of_now)
		names_fini(&all->names);
	if (epoch_of_now != before)
		take_back(all, journal_began(all->journal));
	buf_free(&text);
	all->moved = true; /* under the epoch of now */
	subscribers_keep(all);
}

static void on_ready(void *arg)
{
	subscribers_wake(arg);
}

static void on_tick(void *arg)
{
	struct subscribers *all = arg;

	if (++all->age % KEEP_TICKS == 0)
		subscribers_keep(all);
	if (list_empty(&all->all))
		return;
	timer_once_start(all->tick, all->tick_ms);
	list_each(&all->all, item)
		subscriber_tick(subscriber_of(item));
	subscribers_wake(all);
}

void subscribers_changed(struct subscribers *all)
{
	bool partials = false;

	list_each(&all->all, item)
		partials |= subscriber_wants_partials(subscriber_of(item));
	all->tap.durable_only = !partials;
	if (!partials)
		latest_clear(all->latest);
}

static void on_event(const struct journal_line *l, const struct event *e,
		     void *arg)
{
	struct subscribers *all = arg;

	if (list_empty(&all->all))
		return;
	latest_put(all->latest, l, e);
	subscribers_wake(all);
}

static void turn_away(struct unix_conn *c)
{
	struct buf line = {0};

	say_bye(&line, now_wall_us(), "too_many");
	if (!line.err)
		(void)unix_put(c, line.data, line.len);
	buf_free(&line);
	unix_finish(c);
}

static void on_accepted(struct unix_conn *c, bool over_limits, void *arg)
{
	struct subscribers *all = arg;
	const bool first = list_empty(&all->all);

	if (over_limits) {
		turn_away(c);
		return;
	}
	if (!subscriber_new(all, c))
		return;
	subscribers_changed(all);
	if (first)
		timer_once_start(all->tick, all->tick_ms);
}

static void on_wake_closed(uv_handle_t *h)
{
	free(h);
}

static int open_wake(struct subscribers *all, uv_loop_t *loop)
{
	all->wake = malloc(sizeof(*all->wake));
	if (!all->wake)
		return -ENOMEM;
	all->wake->data = all;
	return uv_idle_init(loop, all->wake);
}

int subscribers_open(struct subscribers **out, uv_loop_t *loop,
		     struct journal *j, const struct subscribers_options *o,
		     struct buf *why)
{
	struct subscribers *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->journal = j;
	all->tick_ms = o->tick_ms ? o->tick_ms : TICK_MS;
	list_init(&all->all);
	names_init(&all->names);
	load_names(all);

	const struct unix_options u = {
		.path = o->path, .mode = o->mode, .group = o->group,
		.max = CONNECTIONS, .max_per_uid = CONNECTIONS_PER_UID,
		.out_max = OUT_MAX };
	int err = latest_new(&all->latest, LATEST_MAX);
	if (!err)
		err = open_wake(all, loop);
	if (!err)
		err = timer_once_open(&all->tick, loop, on_tick, all);
	if (!err)
		err = unix_listen(&all->listener, loop, &u, on_accepted, all,
				  why);
	if (err) {
		subscribers_close(all);
		return err;
	}
	all->tap = (struct journal_tap){ .line = on_event, .ready = on_ready,
					 .arg = all,
					 .durable_only = true };
	journal_tap(j, &all->tap);
	*out = all;
	return 0;
}

void subscribers_close(struct subscribers *all)
{
	if (!all)
		return;
	unix_listener_close(all->listener);
	journal_untap(&all->tap);
	list_each(&all->all, item) {
		struct subscriber *s = subscriber_of(item);

		subscriber_start(s);
		while (subscriber_pump(s))
			;
		subscriber_bye(s, "shutdown");
	}
	subscribers_keep(all);
	if (all->wake)
		uv_close((uv_handle_t *)all->wake, on_wake_closed);
	timer_once_close(all->tick);
	names_fini(&all->names);
	latest_free(all->latest);
	free(all);
}

void subscribers_stats(const struct subscribers *all,
		       struct subscribers_stats *out)
{
	*out = all->stats;
	out->refused = unix_refused(all->listener);
}

void subscribers_names(const struct subscribers *all,
		       void (*tell)(const char *name, uint64_t behind,
				    bool here, void *arg),
		       void *arg)
{
	const uint64_t next = journal_next(all->journal);

	list_each(&all->names.all, item) {
		const struct named *one = list_item(item, struct named, in);
		const uint64_t at = one->next ? one->next
					      : journal_first(all->journal);

		tell(one->name, next > at ? next - at : 0, one->holder != NULL,
		     arg);
	}
}
