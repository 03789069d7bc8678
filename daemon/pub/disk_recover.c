/** @file disk_recover.c  The journal on disk: what an earlier run left */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/net/now.h"
#include "daemon/pub/disk_impl.h"

/* One segment's bytes in memory. */
struct bytes {
	uint8_t *data;
	size_t len;
};

struct what {
	uint64_t next;        /* Behind its last event */
	uint64_t last_us;
	bool head_good;
	struct segment_head head;
	bool complete;        /* Its state lines are all there */
	bool sealed;
	bool damaged;
	size_t good;          /* Bytes up to the end of what is good */
	size_t used;          /* ... and of what is not zero */
};

/* -- which files there are ------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int add_file(struct disk *d, const char *name)
{
	struct segment s = {0};
	struct stat st;

	if (segment_name_parse(&s.first, name) ||
	    fstatat(d->dir, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return 0;
	s.bytes = (uint64_t)st.st_size;
	s.newest_us = (uint64_t)st.st_mtim.tv_sec * 1000000 +
		      (uint64_t)st.st_mtim.tv_nsec / 1000;
	return disk_add_segment(d, &s);
}

static int list_files(struct disk *d)
{
	const int fd = openat(d->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int err = 0;

	if (!dir) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (const struct dirent *e; !err && (e = readdir(dir));)
		err = add_file(d, e->d_name);
	closedir(dir);
	if (d->n)
		qsort(d->segments, d->n, sizeof(*d->segments), by_first);
	for (size_t i = 0; i + 1 < d->n; i++)
		d->segments[i].end = d->segments[i + 1].first;
	if (d->n)
		d->segments[d->n - 1].end = INT64_MAX;
	return err;
}

static int read_file(const struct disk *d, const struct segment *s,
		     struct bytes *out)
{
	char name[SEGMENT_NAME];
	const size_t size = (size_t)MIN(s->bytes, (uint64_t)SEGMENT_FILE_MAX);

	segment_name(name, s->first);
	out->len = 0;
	out->data = malloc(size + 1);
	if (!out->data)
		return -ENOMEM;
	const int fd = openat(d->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int err = fd < 0 ? -errno : 0;
	while (!err && out->len < size) {
		const ssize_t n = pread(fd, out->data + out->len,
					size - out->len, (off_t)out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

/* -- one file -------------------------------------------------------------- */

static size_t used(const struct bytes *b)
{
	size_t n = b->len;

	while (n && b->data[n - 1] == 0)
		n--;
	return n;
}

/* @param record NULL: only look */
static struct what read_segment(const struct segment *s, const struct bytes *b,
				void (*record)(const struct record *r,
					       void *arg),
				void *arg)
{
	struct what w = { .next = s->first, .used = used(b) };
	struct record r;

	w.head_good = !segment_head_get(&w.head, b->data, b->len);
	if (w.head_good)
		w.last_us = w.head.created_us;
	if (b->len < SEGMENT_HEAD)
		return w;
	struct record_scan scan = { .data = b->data + SEGMENT_HEAD,
				    .len = b->len - SEGMENT_HEAD,
				    .next = s->first, .end = s->end };
	while (record_scan(&scan, &r)) {
		w.sealed = r.kind == RECORD_SEAL;
		/* lines missing before it are as good as no end */
		w.complete |= r.kind == RECORD_OPEN_END && !scan.damaged;
		w.last_us = MAX(w.last_us, r.at_us);
		if (record && r.kind != RECORD_SEAL)
			record(&r, arg);
	}
	w.next = scan.next;
	w.damaged = scan.damaged;
	w.good = SEGMENT_HEAD + scan.at;
	return w;
}

/* -- the numbering --------------------------------------------------------- */

static void read_boot(struct disk *d)
{
	const int fd = open("/proc/sys/kernel/random/boot_id",
			    O_RDONLY | O_CLOEXEC);
	char text[64];
	const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	struct timespec t;
	size_t at = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n && at < 2 * SEGMENT_BOOT; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = memchr(digits, text[i], 16);

		if (!digit)
			continue;
		d->boot[at / 2] = (uint8_t)(d->boot[at / 2] << 4 |
					    (digit - digits));
		at++;
	}
	if (!clock_gettime(CLOCK_BOOTTIME, &t))
		d->booted_us = now_wall_us() - (uint64_t)t.tv_sec * 1000000 -
			       (uint64_t)t.tv_nsec / 1000;
}

static bool same_boot(const struct disk *d, const struct what *w)
{
	static const uint8_t unknown[SEGMENT_BOOT];

	if (memcmp(d->boot, unknown, SEGMENT_BOOT) != 0 &&
	    memcmp(w->head.boot, unknown, SEGMENT_BOOT) != 0)
		return !memcmp(d->boot, w->head.boot, SEGMENT_BOOT);
	/* the unit may hide /proc/sys: did it write before we were booted? */
	return w->last_us >= d->booted_us;
}

/* Has every event that went out been found? */
static bool whole(const struct disk *d, const struct what *w, size_t len)
{
	if (!w->head_good || w->head.flags & SEGMENT_LEFT || w->damaged)
		return false;
	if (w->sealed)
		return true;
	/* it is allocated whole and only cut when it is sealed or full */
	return w->used <= w->good && len >= w->head.size &&
	       same_boot(d, w);
}

/* What is behind the end of the newest goes. */
static void cut(const struct disk *d, struct segment *s, const struct what *w)
{
	char name[SEGMENT_NAME];

	segment_name(name, s->first);
	const int fd = openat(d->dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	const size_t end = MAX(w->good, (size_t)SEGMENT_HEAD);
	if (fd < 0)
		return; /* nothing is written behind it in any case */
	if (s->bytes > end && !ftruncate(fd, (off_t)end))
		s->bytes = end;
	close(fd);
}

/* Newest first, back to the first one whose state lines are whole. */
static int read_back(struct disk *d, size_t *from, struct what *newest,
		     size_t *len)
{
	for (*from = d->n - 1;; --*from) {
		struct bytes b;
		const struct segment *s = &d->segments[*from];
		const int err = read_file(d, s, &b);
		const struct what w = err ? (struct what){0}
					  : read_segment(s, &b, NULL, NULL);

		if (*from == d->n - 1) {
			*newest = w;
			*len = b.len;
		}
		free(b.data);
		if (err)
			return err;
		if (w.complete || *from == 0)
			return 0;
	}
}

static int read_forward(const struct disk *d, size_t from,
			void (*record)(const struct record *r, void *arg),
			void *arg, uint64_t *last_us)
{
	for (size_t i = from; i < d->n; i++) {
		struct bytes b;
		const int err = read_file(d, &d->segments[i], &b);

		const struct what w = err ? (struct what){0}
			: read_segment(&d->segments[i], &b, record, arg);
		free(b.data);
		if (err)
			return err;
		*last_us = MAX(*last_us, w.last_us);
	}
	return 0;
}

int disk_recover(struct disk *d, uint64_t fresh, struct disk_found *found,
		 void (*record)(const struct record *r, void *arg), void *arg)
{
	struct what w;
	size_t from, len = 0;

	read_boot(d);
	int err = list_files(d);
	if (err || !d->n)
		return err;
	err = read_back(d, &from, &w, &len);
	if (!err)
		err = read_forward(d, from, record, arg, &found->last_us);
	if (err)
		return err;
	struct segment *last = &d->segments[d->n - 1];
	last->end = w.next;
	found->any = true;
	found->next = w.next;
	found->epoch_before = w.head.epoch;
	found->epoch = whole(d, &w, len) ? w.head.epoch : fresh;
	found->cut = w.used > w.good ? w.used - w.good : 0;
	cut(d, last, &w);
	return 0;
}
