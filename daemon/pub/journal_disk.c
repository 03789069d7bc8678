/** @file journal_disk.c  The journal and its files */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/net/now.h"
#include "daemon/pub/bare.h"
#include "daemon/pub/journal_impl.h"
#include "daemon/pub/recall.h"

enum { TURN = 512 * 1024 };   /* Bytes written in one turn of the loop */

static bool put(struct journal *j, uint64_t seq, const struct store_record *r)
{
	struct record d = { .seq = seq, .at_us = r->at_us, .kind = r->type,
			    .key = r->key, .line = r->line, .len = r->len };

	if (!j->text && r->type == EVENT_SEGMENT) {
		buf_clear(&j->bare);
		const int err = bare_line(&j->bare, r->line, r->len);
		if (err == -EBADMSG) {
			disk_skip(j->disk, seq + 1);
			j->unwritten++;
			return true;
		}
		if (err)
			return false;
		d.line = buf_str(&j->bare);
		d.len = j->bare.len;
	}
	return !disk_put(j->disk, &d);
}

/* All that memory holds and the disk does not.  @return there is more */
static bool write_on(struct journal *j)
{
	size_t done = 0;

	while (disk_next(j->disk) < j->next) {
		const uint64_t seq = disk_next(j->disk);
		struct store_record r;

		if (done >= TURN)
			return true;
		if (store_get(j->store, seq, &r)) {
			const uint64_t to = MAX(seq + 1,
						store_first(j->store));
			disk_skip(j->disk, to);
			j->unwritten += to - seq;
			continue;
		}
		if (!put(j, seq, &r))
			return false;
		done += r.len;
	}
	return false;
}

void journal_write(struct journal *j, const struct event *e, uint64_t seq)
{
	if (!j->disk || j->closed)
		return;
	if (write_on(j))
		disk_wake(j->disk);
	if (e->type == EVENT_CALL_END)
		disk_sync_soon(j->disk);
	open_calls_event(j->open, e, seq);
}

int journal_read_disk(struct journal *j, uint64_t seq,
		      struct journal_line *out)
{
	struct record r;
	const int err = j->disk ? disk_get(j->disk, seq, &r) : -ENOENT;

	if (err)
		return err;
	*out = (struct journal_line){ .seq = seq,
				      .type = (enum event_type)r.kind,
				      .key = r.key, .text = r.line,
				      .len = r.len };
	return 0;
}

/* -- trouble --------------------------------------------------------------- */

static void tell(struct journal *j, const char *reason, const char *text)
{
	const struct event e = {
		.type = EVENT_DAEMON,
		.now_us = now_wall_us() - (uint64_t)j->shift_us,
		.daemon = { .what = "journal", .reason = reason,
			    .text = text } };

	journal_emit(j, &e);
}

static void tell_degraded(struct journal *j, int err)
{
	struct buf text = {0};

	j->degraded = true;
	j->unwritten_told = j->unwritten;
	buf_printf(&text, "events are kept in memory only: %s",
		   err == -EBUSY ? "another daemon uses the directory; give "
		   "each its own" : strerror(-err));
	log_error("journal", "%s", buf_str(&text));
	tell(j, "degraded", buf_str(&text));
	buf_free(&text);
}

static void tell_restored(struct journal *j)
{
	const uint64_t n = j->unwritten - j->unwritten_told;
	struct buf text = {0};

	j->degraded = false;
	if (n)
		buf_printf(&text, "%llu events were lost from it meanwhile",
			   (unsigned long long)n);
	log_warn("journal", "it is written again%s%s", n ? "; " : "",
		 buf_str(&text));
	tell(j, "restored", n ? buf_str(&text) : NULL);
	buf_free(&text);
}

static void on_ready(void *arg)
{
	struct journal *j = arg;

	if (j->closed)
		return;
	if (write_on(j))
		disk_wake(j->disk);
	if (disk_next(j->disk) == j->next)
		disk_caught_up(j->disk);
	const int err = disk_trouble(j->disk);
	if (err && !j->degraded)
		tell_degraded(j, err);
	else if (!err && j->degraded && disk_next(j->disk) == j->next)
		tell_restored(j);
	journal_expire(j, now_wall_us());
	list_each(&j->taps, item) {
		const struct journal_tap *t =
			list_item(item, struct journal_tap, in);
		if (t->ready)
			t->ready(t->arg);
	}
}

/* -- open and close -------------------------------------------------------- */

struct recalled {
	struct journal *j;
	uint64_t seq;
};

static void on_recalled(const struct event *e, void *arg)
{
	const struct recalled *r = arg;

	open_calls_event(r->j->open, e, r->seq);
}

static void on_record(const struct record *r, void *arg)
{
	struct journal *j = arg;
	struct recalled to = { j, r->seq };

	/* a line that cannot be read says nothing of any call */
	if (r->kind == RECORD_OPEN)
		(void)open_calls_restore(j->open, r->line, r->len);
	else if (r->kind < RECORD_EVENTS)
		(void)recall_line(r->line, r->len, r->at_us, on_recalled, &to);
}

static bool on_open(disk_put_open_fn *put_open, void *put_arg, void *arg)
{
	const struct journal *j = arg;

	return open_calls_print(j->open, put_open, put_arg);
}

int journal_open_disk(struct journal *j, const struct journal_disk *o)
{
	const struct disk_options d = {
		.loop = o->loop, .directory = o->directory, .size = o->size,
		.age_us = o->age_us, .retry_ms = o->retry_ms, .open = on_open,
		.ready = on_ready, .arg = j };
	struct disk_found found;

	must(j->store && j->next == 1);
	int err = open_calls_new(&j->open);
	if (!err)
		err = disk_open(&j->disk, &d, j->epoch, &found, on_record, j);
	if (err)
		return err;
	j->text = o->text;
	j->age_us = o->age_us;
	j->epoch = found.epoch;
	j->epoch_before = found.epoch_before;
	j->last_us = found.last_us;
	j->next = j->began = found.next;
	store_begin(j->store, found.next);
	if (found.cut)
		log_warn("journal", "%s: %zu bytes of the end were torn and "
			 "are cut off", o->directory, found.cut);
	return 0;
}

void journal_begin(struct journal *j, uint64_t now_us)
{
	const struct event_sink sink = { journal_sink, j };

	if (!j->disk)
		return;
	const size_t n = open_calls_count(j->open);
	if (n)
		log_warn("journal", "%zu calls were open when the daemon "
			 "stopped: closed", n);
	open_calls_close(j->open, j->last_us, now_us, &sink);
	const int err = disk_trouble(j->disk);
	if (err && !j->degraded)
		tell_degraded(j, err);
}

void journal_close_disk(struct journal *j)
{
	if (!j || !j->disk || j->closed)
		return;
	while (write_on(j))
		;
	if (disk_next(j->disk) == j->next)
		disk_caught_up(j->disk);
	j->closed = true;
	disk_close(j->disk);
}

uint64_t journal_epoch_before(const struct journal *j)
{
	return j->epoch_before;
}

uint64_t journal_began(const struct journal *j)
{
	return j->disk ? j->began : 1;
}

void journal_keep_cursors(struct journal *j, const struct buf *text)
{
	if (j->disk && !j->closed)
		disk_keep_cursors(j->disk, text);
}

void journal_load_cursors(const struct journal *j, struct buf *out)
{
	if (j->disk)
		disk_load_cursors(j->disk, out);
}

void journal_stats(const struct journal *j, struct journal_stats *out)
{
	struct disk_stats d;

	*out = (struct journal_stats){ .on_disk = j->disk != NULL };
	if (!j->disk)
		return;
	disk_stats(j->disk, &d);
	out->trouble = disk_trouble(j->disk);
	out->bytes = d.bytes;
	out->segments = d.segments;
	out->oldest_us = d.oldest_us;
	out->unwritten = j->unwritten;
	out->write_errors = d.write_errors;
	out->syncs = d.syncs;
	out->sync_longest_us = d.sync_longest_us;
}
