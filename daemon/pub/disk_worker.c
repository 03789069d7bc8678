/** @file disk_worker.c  What may wait for the disk, on a thread of its own */
#include "daemon/pub/disk_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/pub/disk_impl.h"

enum { FINISH_MAX = 16 };

struct job {
	struct list in;
	int fd;
	uint64_t size, next;
	uint64_t first;
};

static int write_new(int dir, const char *name, const struct buf *text)
{
	const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC |
			      O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int err = disk_write_at(fd, text->data, text->len, 0);
	if (!err && fdatasync(fd))
		err = -errno;
	close(fd);
	return err;
}

/* Whoever looks finds the old ones or the new ones, whole. */
static int save_cursors(int dir, const struct buf *text)
{
	const int err = write_new(dir, DISK_CURSORS ".new", text);

	if (err)
		return err;
	return renameat(dir, DISK_CURSORS ".new", dir, DISK_CURSORS) ? -errno
								     : 0;
}

int worker_make_spare(int dir, size_t size)
{
	const int fd = openat(dir, DISK_SPARE, O_RDWR | O_CREAT | O_TRUNC |
			      O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	const int err = -posix_fallocate(fd, 0, (off_t)size);
	if (!err)
		return fd;
	close(fd);
	unlinkat(dir, DISK_SPARE, 0);
	return err;
}

/* -- the thread ------------------------------------------------------------ */

static void synced(struct worker *w, uint64_t next, int err, uint64_t began)
{
	const uint64_t took = uv_hrtime() - began;

	w->syncs++;
	w->longest_ns = MAX(w->longest_ns, took);
	if (err) {
		w->failures++;
		if (!w->sync_err)
			w->sync_err = err;
	} else if (!w->sync_err) {
		w->synced = MAX(w->synced, next);
	}
}

static void do_finish(struct worker *w, struct job *j)
{
	const uint64_t began = uv_hrtime();

	w->n_finish--;
	uv_mutex_unlock(&w->lock);
	int err = fdatasync(j->fd) ? -errno : 0;
	/* what is left of the space is given back; no harm if it cannot be */
	if (!err && !ftruncate(j->fd, (off_t)j->size))
		fsync(j->fd);
	fsync(w->dir);
	close(j->fd);
	uv_mutex_lock(&w->lock);
	w->named = -1; /* the descriptor's number may come again */
	synced(w, j->next, err, began);
	free(j);
}

static void do_sync(struct worker *w)
{
	const uint64_t began = uv_hrtime(), next = w->next;
	const int fd = w->fd;

	w->dirty = w->urgent = false;
	uv_mutex_unlock(&w->lock);
	int err = fdatasync(fd) ? -errno : 0;
	/* and its name, which it has since it is in use */
	if (!err && w->named != fd && fsync(w->dir))
		err = -errno;
	uv_mutex_lock(&w->lock);
	w->named = err ? -1 : fd;
	synced(w, next, err, began);
}

static void do_remove(struct worker *w, struct job *j)
{
	char name[SEGMENT_NAME];

	segment_name(name, j->first);
	uv_mutex_unlock(&w->lock);
	unlinkat(w->dir, name, 0);
	free(j);
	uv_mutex_lock(&w->lock);
}

static void do_spare(struct worker *w)
{
	uv_mutex_unlock(&w->lock);
	const int fd = worker_make_spare(w->dir, w->segment_size);
	uv_mutex_lock(&w->lock);
	w->want_spare = false;
	w->spare = fd < 0 ? -1 : fd;
	w->spare_err = fd < 0 ? fd : 0;
}

static void do_cursors(struct worker *w)
{
	struct buf text = w->cursors;

	w->cursors = (struct buf){0};
	w->want_cursors = false;
	uv_mutex_unlock(&w->lock);
	/* a full disk is told by the segments */
	(void)save_cursors(w->dir, &text);
	buf_free(&text);
	uv_mutex_lock(&w->lock);
}

static struct job *take(struct list *from)
{
	struct list *item = from->next;

	list_remove(item);
	return list_item(item, struct job, in);
}

/* One thing to do, with the lock held.  @return false: nothing now */
static bool work_once(struct worker *w)
{
	/* what others wait for, and what frees space, before what only takes
	   long: events may come faster than the disk syncs */
	if (w->want_spare && !w->stop)
		do_spare(w);
	else if (!list_empty(&w->remove))
		do_remove(w, take(&w->remove));
	else if (w->want_cursors)
		do_cursors(w);
	else if (!list_empty(&w->finish))
		do_finish(w, take(&w->finish));
	else if (w->dirty && (w->urgent || w->stop ||
			      uv_hrtime() >= w->sync_at))
		do_sync(w);
	else
		return false;
	return true;
}

static void run(void *arg)
{
	struct worker *w = arg;

	uv_mutex_lock(&w->lock);
	for (;;) {
		if (work_once(w)) {
			uv_async_send(w->wake);
			continue;
		}
		if (w->stop)
			break;
		const uint64_t now = uv_hrtime();
		if (w->dirty)
			uv_cond_timedwait(&w->work, &w->lock,
					  w->sync_at > now ? w->sync_at - now
							   : 1);
		else
			uv_cond_wait(&w->work, &w->lock);
	}
	uv_mutex_unlock(&w->lock);
}

/* -- the loop's side ------------------------------------------------------- */

int worker_start(struct worker *w, int dir, size_t segment_size,
		 uint32_t sync_ms, uint64_t next, uv_async_t *wake)
{
	*w = (struct worker){ .dir = dir, .segment_size = segment_size,
			      .sync_ns = (uint64_t)sync_ms * 1000000,
			      .wake = wake, .synced = next, .spare = -1, .named = -1,
			      .spare_err = -EAGAIN };
	list_init(&w->finish);
	list_init(&w->remove);
	int err = uv_mutex_init(&w->lock);
	if (err)
		return err;
	err = uv_cond_init(&w->work);
	if (!err) {
		err = uv_thread_create(&w->thread, run, w);
		if (!err) {
			w->started = true;
			return 0;
		}
		uv_cond_destroy(&w->work);
	}
	uv_mutex_destroy(&w->lock);
	return err;
}

void worker_stop(struct worker *w)
{
	if (!w->started)
		return;
	uv_mutex_lock(&w->lock);
	w->stop = true;
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
	uv_thread_join(&w->thread);
	w->started = false;
	if (w->spare >= 0) {
		close(w->spare);
		unlinkat(w->dir, DISK_SPARE, 0);
	}
	buf_free(&w->cursors);
	uv_cond_destroy(&w->work);
	uv_mutex_destroy(&w->lock);
}

void worker_dirty(struct worker *w, int fd, uint64_t next, bool urgent)
{
	uv_mutex_lock(&w->lock);
	if (!w->dirty)
		w->sync_at = uv_hrtime() + w->sync_ns;
	if (!w->dirty || (urgent && !w->urgent))
		uv_cond_signal(&w->work);
	w->dirty = true;
	w->urgent |= urgent;
	w->fd = fd;
	w->next = next;
	uv_mutex_unlock(&w->lock);
}

void worker_finish(struct worker *w, int fd, uint64_t size, uint64_t next)
{
	struct job *j = malloc(sizeof(*j));

	uv_mutex_lock(&w->lock);
	w->dirty = w->urgent = false; /* that was of this one */
	const bool queued = j && w->n_finish < FINISH_MAX;
	if (queued) {
		*j = (struct job){ .fd = fd, .size = size, .next = next };
		list_add(&w->finish, &j->in);
		w->n_finish++;
		uv_cond_signal(&w->work);
	}
	uv_mutex_unlock(&w->lock);
	if (queued)
		return;
	/* the disk does not keep up: the kernel writes it in its own time */
	free(j);
	if (ftruncate(fd, (off_t)size))
		(void)0;
	close(fd);
}

void worker_remove(struct worker *w, uint64_t first)
{
	struct job *j = malloc(sizeof(*j));

	if (!j)
		return; /* the next start finds it */
	*j = (struct job){ .first = first };
	uv_mutex_lock(&w->lock);
	list_add(&w->remove, &j->in);
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
}

void worker_want_spare(struct worker *w)
{
	uv_mutex_lock(&w->lock);
	if (w->spare < 0 && !w->want_spare) {
		w->want_spare = true;
		w->spare_err = -EAGAIN;
		uv_cond_signal(&w->work);
	}
	uv_mutex_unlock(&w->lock);
}

int worker_take_spare(struct worker *w)
{
	uv_mutex_lock(&w->lock);
	const int fd = w->spare >= 0 ? w->spare : w->spare_err;
	if (fd >= 0) {
		w->spare = -1;
		w->spare_err = -EAGAIN;
	}
	uv_mutex_unlock(&w->lock);
	return fd;
}

int worker_sync_error(struct worker *w, uint64_t *safe)
{
	uv_mutex_lock(&w->lock);
	const int err = w->sync_err;
	*safe = w->synced;
	w->sync_err = 0;
	/* the kernel tells an error once: what is still to be synced may seem
	   to be well */
	list_each(&w->finish, item) {
		struct job *j = list_item(item, struct job, in);
		j->next = err ? MIN(j->next, w->synced) : j->next;
	}
	uv_mutex_unlock(&w->lock);
	return err;
}

void worker_keep_cursors(struct worker *w, const struct buf *text)
{
	uv_mutex_lock(&w->lock);
	buf_clear(&w->cursors);
	buf_add(&w->cursors, text->data, text->len);
	w->want_cursors = !w->cursors.err;
	uv_cond_signal(&w->work);
	uv_mutex_unlock(&w->lock);
}
