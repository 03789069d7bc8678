/** @file journal.c  The one log of events */
#include "daemon/pub/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/pub/journal_impl.h"
#include "daemon/pub/line.h"

int journal_new(struct journal **out, size_t size, uint64_t epoch)
{
	struct journal *j = calloc(1, sizeof(*j));
	if (!j)
		return -ENOMEM;
	j->next = 1;
	j->epoch = epoch;
	list_init(&j->taps);

	const int err = size ? store_new(&j->store, size) : 0;
	if (err) {
		journal_free(j);
		return err;
	}
	*out = j;
	return 0;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	list_each(&j->taps, t)
		list_remove(t);
	disk_free(j->disk);
	open_calls_free(j->open);
	store_free(j->store);
	buf_free(&j->line);
	buf_free(&j->bare);
	free(j);
}

static bool wanted(const struct journal *j, bool durable)
{
	if (durable && j->store)
		return true;
	list_each(&j->taps, t)
		if (durable ||
		    !list_item(t, struct journal_tap, in)->durable_only)
			return true;
	return false;
}

static void tell(struct journal *j, const struct journal_line *l,
		 const struct event *e)
{
	/* A tap may take out any: begin again behind the last one told. */
	struct list told;

	list_init(&told);
	while (!list_empty(&j->taps)) {
		struct list *item = j->taps.next;
		struct journal_tap *t = list_item(item, struct journal_tap, in);

		list_remove(item);
		list_add(&told, item);
		if (l->seq || !t->durable_only)
			t->line(l, e, t->arg);
	}
	list_each(&told, item) {
		list_remove(item);
		list_add(&j->taps, item);
	}
}

static void out_of_memory(struct journal *j, uint64_t now_us)
{
	uint64_t kept_back;

	if (log_limited(&j->memory, now_us, &kept_back))
		log_error("events", "out of memory: an event is lost "
			  "(%llu more before)", (unsigned long long)kept_back);
}

void journal_shift(struct journal *j, int64_t delta_us)
{
	j->shift_us += delta_us;
}

/* As it is written down. */
static struct event shifted(const struct event *e, int64_t shift_us)
{
	struct event at = *e;

	at.now_us += (uint64_t)shift_us;
	if (at.type == EVENT_LEG_MEDIA && at.leg_media.at_us != EVENT_UNKNOWN)
		at.leg_media.at_us += (uint64_t)shift_us;
	return at;
}

static void emit(struct journal *j, const struct event *e);

void journal_emit(struct journal *j, const struct event *e)
{
	if (!j->shift_us) {
		emit(j, e);
		return;
	}
	const struct event at = shifted(e, j->shift_us);
	emit(j, &at);
}

static void emit(struct journal *j, const struct event *e)
{
	const bool durable = line_durable(e);
	const char *key = e->type == EVENT_DAEMON ? e->daemon.what : e->call;
	const uint64_t seq = durable ? j->next++ : 0;

	must(!j->emitting);
	if (!wanted(j, durable))
		return;

	j->emitting = true;
	buf_clear(&j->line);
	const int err = line_print(&j->line, e, seq);
	if (err)
		out_of_memory(j, e->now_us);
	if (j->store && durable) {
		journal_expire(j, e->now_us);
		store_put(j->store, &(struct store_record){
			.type = (uint8_t)e->type, .at_us = e->now_us,
			.key = key, .line = buf_str(&j->line),
			.len = j->line.len });
		journal_write(j, e, seq);
	}
	if (!err) {
		const struct journal_line l = {
			.seq = seq, .type = e->type, .key = key ? key : "",
			.text = buf_str(&j->line), .len = j->line.len };
		tell(j, &l, e);
	}
	j->emitting = false;
}

void journal_sink(const struct event *e, void *arg)
{
	journal_emit(arg, e);
}

void journal_tap(struct journal *j, struct journal_tap *t)
{
	list_add(&j->taps, &t->in);
}

void journal_untap(struct journal_tap *t)
{
	if (t->in.next)
		list_remove(&t->in);
}

uint64_t journal_epoch(const struct journal *j)
{
	return j->epoch;
}

uint64_t journal_first(const struct journal *j)
{
	const uint64_t first = j->store ? store_first(j->store) : j->next;

	return j->disk ? MIN(first, disk_first(j->disk)) : first;
}

uint64_t journal_next(const struct journal *j)
{
	return j->next;
}

int journal_read(struct journal *j, uint64_t seq, struct journal_line *out)
{
	struct store_record r;

	if (!j->store)
		return -ENOENT;
	if (seq < store_first(j->store))
		return journal_read_disk(j, seq, out);
	if (store_get(j->store, seq, &r))
		return -ENOENT;
	*out = (struct journal_line){ .seq = seq, .type = r.type,
				      .key = r.key, .text = r.line,
				      .len = r.len };
	return 0;
}

uint64_t journal_after(const struct journal *j, uint64_t seq)
{
	const uint64_t first = j->store ? store_first(j->store) : j->next;

	if (seq + 1 >= first)
		return seq + 1;
	if (j->disk && seq + 1 < disk_next(j->disk))
		return MIN(first, disk_after(j->disk, seq));
	return first;
}

uint64_t journal_dropped(const struct journal *j)
{
	return journal_first(j) - 1;
}

void journal_set_age(struct journal *j, uint64_t age_us)
{
	j->age_us = age_us;
}

void journal_expire(struct journal *j, uint64_t now_us)
{
	struct store_record r;

	if (!j->age_us || !j->store)
		return;
	for (;;) {
		const uint64_t first = store_first(j->store);

		if (first == store_next(j->store))
			return;
		/* a line that was lost says nothing of its age */
		if (!store_get(j->store, first, &r) &&
		    r.at_us + j->age_us >= now_us)
			return;
		store_drop(j->store, first + 1);
	}
}
