/** @file journal.c  The one log of events */
#include "daemon/pub/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/log.h"
#include "daemon/base/must.h"
#include "daemon/pub/line.h"
#include "daemon/pub/store.h"

struct journal {
	struct store *store;   /* NULL: nothing is kept */
	uint64_t next;
	uint64_t epoch;
	struct list taps;
	struct buf line;       /* The one being emitted */
	bool emitting;
	struct log_limit memory;
};

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
	store_free(j->store);
	buf_free(&j->line);
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

void journal_emit(struct journal *j, const struct event *e)
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
	if (j->store && durable)
		store_put(j->store, &(struct store_record){
			.type = (uint8_t)e->type, .key = key,
			.line = buf_str(&j->line), .len = j->line.len });
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
	return j->store ? store_first(j->store) : j->next;
}

uint64_t journal_next(const struct journal *j)
{
	return j->next;
}

int journal_read(const struct journal *j, uint64_t seq,
		 struct journal_line *out)
{
	struct store_record r;

	if (!j->store || store_get(j->store, seq, &r))
		return -ENOENT;
	*out = (struct journal_line){ .seq = seq, .type = r.type,
				      .key = r.key, .text = r.line,
				      .len = r.len };
	return 0;
}

uint64_t journal_dropped(const struct journal *j)
{
	return journal_first(j) - 1;
}
