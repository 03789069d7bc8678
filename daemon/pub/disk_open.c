/** @file disk_open.c  The journal on disk: open, close, cursors, figures */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/net/now.h"
#include "daemon/pub/disk_impl.h"

enum {
	SYNC_MS = 200,
	RETRY_MS = 5000,
	CURSORS_MAX = 1024 * 1024,
	LOCK_TRIES = 20,
	LOCK_WAIT_MS = 50,
};



static int open_directory(struct disk *d)
{
	if (mkdir(d->o.directory, 0700) && errno != EEXIST)
		return -errno;
	d->dir = open(d->o.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dir < 0)
		return -errno;
	/* one that is just ending has a moment */
	for (int i = 0; flock(d->dir, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (i == LOCK_TRIES)
			return -EBUSY;
		nanosleep(&(struct timespec){ 0, LOCK_WAIT_MS * 1000000l },
			  NULL);
	}
	return 0;
}

static int open_handles(struct disk *d)
{
	int err = uv_async_init(d->o.loop, &d->async, disk_on_async);

	if (err)
		return err;
	d->async.data = d;
	d->handles++;
	err = uv_timer_init(d->o.loop, &d->timer);
	if (err)
		return err;
	d->timer.data = d;
	d->handles++;
	const uint64_t tick = MIN((uint64_t)DISK_TICK_MS, d->o.retry_ms);
	uv_timer_start(&d->timer, disk_on_tick, tick, tick);
	/* nothing waits for these two */
	uv_unref((uv_handle_t *)&d->async);
	uv_unref((uv_handle_t *)&d->timer);
	return 0;
}

/* The first segment, so that the first event finds it there. */
static void open_first(struct disk *d)
{
	const int fd = worker_make_spare(d->dir, d->segment_size);

	d->worker.spare = fd < 0 ? -1 : fd;
	d->worker.spare_err = fd < 0 ? fd : 0;
	(void)disk_rotate(d, now_wall_us());
}

static struct disk *new_disk(const struct disk_options *o)
{
	struct disk *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->o = *o;
	d->o.sync_ms = o->sync_ms ? o->sync_ms : SYNC_MS;
	d->o.retry_ms = o->retry_ms ? o->retry_ms : RETRY_MS;
	d->fd = d->dir = -1;
	d->next = 1;
	d->segment_size = (size_t)MAX(MIN(o->size / 8, (uint64_t)SEGMENT_MAX),
				      (uint64_t)SEGMENT_MIN) & ~(size_t)4095;
	disk_reader_init(d);
	return d;
}

int disk_open(struct disk **out, const struct disk_options *o, uint64_t fresh,
	      struct disk_found *found,
	      void (*record)(const struct record *r, void *arg), void *arg)
{
	struct disk *d = new_disk(o);

	if (!d)
		return -ENOMEM;
	*found = (struct disk_found){ .epoch = fresh, .next = 1 };
	int trouble = open_directory(d);
	if (!trouble)
		trouble = disk_recover(d, fresh, found, record, arg);
	d->epoch = found->epoch;
	d->next = found->next;
	int err = open_handles(d);
	if (!err)
		err = worker_start(&d->worker, d->dir, d->segment_size,
				   d->o.sync_ms, d->next, &d->async);
	if (err) {
		disk_close(d);
		uv_run(o->loop, UV_RUN_NOWAIT); /* the handles close */
		disk_free(d);
		return err;
	}
	d->hopeless = trouble != 0;
	if (trouble)
		disk_fail(d, trouble);
	else
		open_first(d);
	if (d->state != DISK_GOOD)
		/* what goes out now is not written: a numbering of its own */
		d->epoch = found->epoch = fresh;
	*out = d;
	return 0;
}

static void on_closed(uv_handle_t *h)
{
	((struct disk *)h->data)->handles--;
}

static void seal(struct disk *d)
{
	const struct record r = { .seq = d->next, .at_us = now_wall_us(),
				  .kind = RECORD_SEAL };

	if (d->fd >= 0)
		(void)disk_append(d, &r);
	disk_finish(d);
}

void disk_close(struct disk *d)
{
	if (!d || d->closing)
		return;
	d->closing = true;
	if (d->worker.started)
		seal(d);
	worker_stop(&d->worker);
	if (d->async.data)
		uv_close((uv_handle_t *)&d->async, on_closed);
	if (d->timer.data)
		uv_close((uv_handle_t *)&d->timer, on_closed);
}

void disk_free(struct disk *d)
{
	if (!d)
		return;
	must(!d->handles && !d->reader.busy);
	disk_reader_fini(d);
	if (d->dir >= 0)
		close(d->dir);
	free(d->segments);
	free(d);
}

/* -- cursors, figures ------------------------------------------------------ */

void disk_keep_cursors(struct disk *d, const struct buf *text)
{
	if (d->dir >= 0 && !d->closing)
		worker_keep_cursors(&d->worker, text);
}

void disk_load_cursors(const struct disk *d, struct buf *out)
{
	const int fd = d->dir < 0 ? -1 : openat(d->dir, DISK_CURSORS,
						O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n;

	while (fd >= 0 && out->len < CURSORS_MAX &&
	       (n = read(fd, part, sizeof(part))) > 0)
		buf_add(out, part, (size_t)n);
	if (fd >= 0)
		close(fd);
}

void disk_stats(struct disk *d, struct disk_stats *out)
{
	*out = (struct disk_stats){
		.segments = (unsigned)d->n, .write_errors = d->write_errors,
		.oldest_us = d->n ? d->segments[0].newest_us : 0 };
	for (size_t i = 0; i < d->n; i++)
		out->bytes += d->segments[i].bytes;
	if (!d->worker.started)
		return;
	uv_mutex_lock(&d->worker.lock);
	out->syncs = d->worker.syncs;
	out->sync_longest_us = d->worker.longest_ns / 1000;
	out->write_errors += d->worker.failures;
	uv_mutex_unlock(&d->worker.lock);
}
