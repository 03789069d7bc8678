/** @file disk.c  The journal on disk: writing and retention */
#include "daemon/pub/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/net/now.h"
#include "daemon/pub/disk_impl.h"

int disk_write_at(int fd, const void *data, size_t n, uint64_t at)
{
	const uint8_t *p = data;

	while (n) {
		const ssize_t done = pwrite(fd, p, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		p += done;
		n -= (size_t)done;
		at += (uint64_t)done;
	}
	return 0;
}

static void enter(struct disk *d, enum disk_state state, int err)
{
	if (state != d->state)
		d->since_ms = uv_now(d->o.loop);
	d->state = state;
	d->err = err;
}

int disk_add_segment(struct disk *d, const struct segment *s)
{
	if (d->n && d->segments[d->n - 1].first == s->first) {
		d->segments[d->n - 1] = *s; /* it had no event */
		return 0;
	}
	if (d->n == d->room) {
		const size_t room = d->room ? 2 * d->room : 64;
		struct segment *more = realloc(d->segments,
					       room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		d->segments = more;
		d->room = room;
	}
	d->segments[d->n++] = *s;
	return 0;
}

/* -- retention ------------------------------------------------------------- */

static void drop_oldest(struct disk *d)
{
	worker_remove(&d->worker, d->segments[0].first);
	memmove(d->segments, d->segments + 1, --d->n * sizeof(*d->segments));
}

static uint64_t all_bytes(const struct disk *d)
{
	uint64_t bytes = d->segment_size; /* of the spare */

	for (size_t i = 0; i < d->n; i++)
		bytes += d->fd >= 0 && i + 1 == d->n ? d->segment_size
						     : d->segments[i].bytes;
	return bytes;
}

static bool too_old(const struct disk *d, uint64_t now_us)
{
	return d->o.age_us && d->segments[0].newest_us + d->o.age_us < now_us;
}

static void trim(struct disk *d, uint64_t now_us)
{
	const size_t keep = d->fd >= 0;
	uint64_t bytes = all_bytes(d);
	bool any = false;

	while (d->n > keep && (bytes > d->o.size || too_old(d, now_us))) {
		bytes -= d->segments[0].bytes;
		drop_oldest(d);
		any = true;
	}
	if (any)
		uv_async_send(&d->async);
}

/* -- writing --------------------------------------------------------------- */

/* What is being written ends here. */
void disk_finish(struct disk *d)
{
	if (d->fd < 0)
		return;
	worker_finish(&d->worker, d->fd, d->at, d->next);
	d->fd = -1;
}

static int head(struct disk *d, int fd, uint64_t first, uint32_t flags)
{
	uint8_t bytes[SEGMENT_HEAD];
	struct segment_head h = { .epoch = d->epoch, .first = first,
				  .created_us = now_wall_us(),
				  .booted_us = d->booted_us,
				  .size = d->segment_size, .flags = flags };

	memcpy(h.boot, d->boot, sizeof(h.boot));
	segment_head_put(bytes, &h);
	return disk_write_at(fd, bytes, sizeof(bytes), 0);
}

void disk_fail(struct disk *d, int err)
{
	d->write_errors++;
	if (d->fd >= 0) {
		/* in place, so even a full disk takes it: what goes out from
		   now on must not be mistaken for what the next start writes */
		(void)head(d, d->fd, d->segments[d->n - 1].first, SEGMENT_LEFT);
		disk_finish(d);
	}
	enter(d, DISK_TROUBLE, err);
	uv_async_send(&d->async);
}

int disk_append(struct disk *d, const struct record *r)
{
	const size_t n = record_put(d->out, r);
	const int err = disk_write_at(d->fd, d->out, n, d->at);

	if (!err)
		d->at += n;
	return err;
}

struct opening {
	struct disk *d;
	uint64_t now_us;
	int err;
};

static bool put_open(const char *key, const char *line, size_t len, void *arg)
{
	struct opening *o = arg;
	const struct record r = { .seq = o->d->next, .at_us = o->now_us,
				  .kind = RECORD_OPEN, .key = key,
				  .line = line, .len = len };

	/* half of it stays for events, however small it is */
	if (o->d->at + record_size(&r) > o->d->segment_size / 2)
		return false;
	o->err = disk_append(o->d, &r);
	return !o->err;
}

static int begin(struct disk *d, const char *from, uint64_t now_us)
{
	struct opening o = { .d = d, .now_us = now_us };
	const struct record end = { .seq = d->next, .at_us = now_us,
				    .kind = RECORD_OPEN_END };
	char name[SEGMENT_NAME];
	/* after trouble others went out before these */
	d->left |= d->err != 0;
	int err = head(d, d->fd, d->next, d->left ? SEGMENT_LEFT : 0);

	d->at = SEGMENT_HEAD;
	if (!err && d->o.open(put_open, &o, d->o.arg))
		err = disk_append(d, &end);
	if (!err)
		err = o.err;
	segment_name(name, d->next);
	if (!err && renameat(d->dir, from, d->dir, name))
		err = -errno;
	const struct segment s = { .first = d->next, .end = d->next,
				   .bytes = d->at, .newest_us = now_us };
	return err ? err : disk_add_segment(d, &s);
}

/* The thread is slow, and what goes out must be written: a file that is not
   allocated, then. */
static int make_now(const struct disk *d)
{
	const int fd = openat(d->dir, DISK_NEXT, O_RDWR | O_CREAT | O_TRUNC |
			      O_CLOEXEC, 0600);

	if (fd >= 0 && ftruncate(fd, (off_t)d->segment_size)) {
		const int err = -errno;
		close(fd);
		return err;
	}
	return fd < 0 ? -errno : fd;
}

int disk_rotate(struct disk *d, uint64_t now_us)
{
	const char *name = DISK_SPARE;
	int fd = worker_take_spare(&d->worker);

	if (fd == -EAGAIN && !d->err) {
		name = DISK_NEXT;
		fd = make_now(d);
	}
	if (fd == -EAGAIN) {
		enter(d, DISK_WAITING, d->err);
		return fd;
	}
	if (fd < 0) {
		disk_fail(d, fd);
		return fd;
	}
	disk_finish(d);
	d->fd = fd;
	d->begun_us = 0;
	const int err = begin(d, name, now_us);
	if (err) {
		close(fd);
		d->fd = -1;
		unlinkat(d->dir, name, 0);
		disk_fail(d, err);
		return err;
	}
	enter(d, DISK_GOOD, 0);
	worker_want_spare(&d->worker);
	trim(d, now_us);
	return 0;
}

int disk_put(struct disk *d, const struct record *r)
{
	must(r->seq == d->next && r->kind < RECORD_EVENTS);
	if (d->state == DISK_TROUBLE)
		return d->err;
	if (d->fd < 0 ||
	    d->at + record_size(r) > d->segment_size - SEAL_ROOM) {
		const int err = disk_rotate(d, r->at_us);
		if (err)
			return err;
	}
	const int err = disk_append(d, r);
	if (err) {
		disk_fail(d, err);
		return err;
	}
	struct segment *s = &d->segments[d->n - 1];
	s->end = ++d->next;
	s->bytes = d->at;
	s->newest_us = r->at_us;
	if (!d->begun_us)
		d->begun_us = r->at_us;
	worker_dirty(&d->worker, d->fd, d->next, false);
	return 0;
}

uint64_t disk_next(const struct disk *d)
{
	return d->next;
}

void disk_skip(struct disk *d, uint64_t seq)
{
	d->next = MAX(d->next, seq);
}

void disk_caught_up(struct disk *d)
{
	if (!d->left || d->fd < 0)
		return;
	const int err = head(d, d->fd, d->segments[d->n - 1].first, 0);
	d->left = err != 0;
	if (err)
		disk_fail(d, err);
}

void disk_wake(struct disk *d)
{
	uv_async_send(&d->async);
}

void disk_sync_soon(struct disk *d)
{
	if (d->fd >= 0)
		worker_dirty(&d->worker, d->fd, d->next, true);
}

int disk_trouble(const struct disk *d)
{
	return d->err;
}

uint64_t disk_first(const struct disk *d)
{
	return d->n ? d->segments[0].first : d->next;
}

/* -- the loop's turns ------------------------------------------------------ */

/* Nothing behind `safe` can be relied on: it is wanted once more. */
static void go_back(struct disk *d, uint64_t safe, int err)
{
	char name[SEGMENT_NAME];

	d->next = MIN(d->next, safe);
	disk_fail(d, err);
	while (d->n && d->segments[d->n - 1].first >= safe) {
		/* here and now: the next one may bear this name */
		segment_name(name, d->segments[--d->n].first);
		unlinkat(d->dir, name, 0);
	}
	if (d->n) {
		struct segment *last = &d->segments[d->n - 1];
		last->end = MIN(last->end, safe);
	}
}

void disk_on_async(uv_async_t *h)
{
	struct disk *d = h->data;
	uint64_t safe;
	const int err = worker_sync_error(&d->worker, &safe);

	if (err)
		go_back(d, safe, err);
	d->o.ready(d->o.arg);
}

void disk_on_tick(uv_timer_t *h)
{
	struct disk *d = h->data;
	const uint64_t now_us = now_wall_us();
	const uint64_t part_us = MAX(d->o.age_us / 8, DISK_TICK_MS * 1000ull);

	if (d->state == DISK_TROUBLE && !d->hopeless &&
	    uv_now(d->o.loop) - d->since_ms >= d->o.retry_ms) {
		enter(d, DISK_WAITING, d->err);
		worker_want_spare(&d->worker);
		uv_async_send(&d->async); /* it may be there already */
	}
	if (d->state == DISK_GOOD && d->o.age_us && d->begun_us &&
	    d->begun_us + part_us < now_us)
		(void)disk_rotate(d, now_us);
	trim(d, now_us);
	if (d->state == DISK_WAITING)
		uv_async_send(&d->async);
}
