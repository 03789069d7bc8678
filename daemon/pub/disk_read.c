/** @file disk_read.c  The journal on disk: readers that are behind */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/pub/disk_impl.h"

enum {
	BLOCK = 256 * 1024,           /* Bytes of events; one more may fit */
	CHUNK = 2 * RECORD_MAX,
	FIRST_ENTRIES = 256,
};

static void block_free(struct block *b)
{
	if (!b)
		return;
	free(b->entries);
	buf_free(&b->bytes);
	free(b);
}

/* -- on a thread of libuv's ------------------------------------------------ */

static int keep(struct block *b, const struct record *r)
{
	if (b->n == b->n_room) {
		const size_t room = b->n_room ? 2 * b->n_room
					      : (size_t)FIRST_ENTRIES;
		struct entry *more = realloc(b->entries, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		b->entries = more;
		b->n_room = room;
	}
	const size_t key = strlen(r->key) + 1;
	b->entries[b->n] = (struct entry){
		.seq = r->seq, .at_us = r->at_us, .kind = r->kind,
		.key = (uint32_t)b->bytes.len,
		.line = (uint32_t)(b->bytes.len + key),
		.len = (uint32_t)r->len };
	buf_add(&b->bytes, r->key, key);
	buf_add(&b->bytes, r->line, r->len);
	if (b->bytes.err)
		return b->bytes.err;
	b->n++;
	b->end = r->seq + 1;
	return 0;
}

static bool is_full(const struct block *b)
{
	return b->bytes.len >= BLOCK;
}

/* @return bytes read, fewer only at the end; or -errno */
static ssize_t read_at(int fd, uint8_t *out, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		const ssize_t got = pread(fd, out + done, n - done,
					  (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* Everything is as it should be: record behind record.
   @return 1: the block is as it should be; 0: look closer; or -errno */
static int quick(struct load *l, int fd, uint8_t *chunk)
{
	uint64_t at = l->from, next = 0;

	for (;;) {
		const size_t want = (size_t)MIN((uint64_t)CHUNK, l->limit - at);
		const ssize_t got = read_at(fd, chunk, want, at);
		size_t done = 0;
		struct record r;
		int n = 0;

		if (got < 0)
			return (int)got;
		while ((n = record_get(&r, chunk + done,
				       (size_t)got - done)) > 0) {
			if (r.seq < next || r.seq > l->end)
				return 0;
			next = r.seq;
			done += (size_t)n;
			if (r.kind >= RECORD_EVENTS || r.seq < l->wanted)
				continue;
			const int err = keep(l->block, &r);
			if (err)
				return err;
			if (is_full(l->block)) {
				l->block->behind = at + done;
				return 1;
			}
		}
		at += done;
		if (at >= l->limit)
			return l->block->n && l->block->end == l->end;
		if (n < 0 || done == 0)
			return 0;
	}
}

/* The whole file, whatever is wrong in it. */
static int thorough(struct load *l, int fd)
{
	l->limit = MIN(l->limit, (uint64_t)SEGMENT_FILE_MAX);
	uint8_t *all = malloc(l->limit + 1);
	const ssize_t got = all ? read_at(fd, all, l->limit, 0) : -ENOMEM;
	struct record r;
	int err = got < 0 ? (int)got : 0;

	l->block->n = 0;
	l->block->end = l->wanted;
	buf_clear(&l->block->bytes);
	struct record_scan s = {
		.data = all + SEGMENT_HEAD,
		.len = got > SEGMENT_HEAD ? (size_t)got - SEGMENT_HEAD : 0,
		.next = l->segment, .end = l->end };
	while (!err && s.len && !is_full(l->block)) {
		if (!record_scan(&s, &r)) {
			l->block->end = l->end; /* the rest is not there */
			break;
		}
		if (r.kind < RECORD_EVENTS && r.seq >= l->wanted)
			err = keep(l->block, &r);
	}
	if (!s.len)
		l->block->end = l->end;
	l->block->behind = SEGMENT_HEAD + s.at;
	free(all);
	return err;
}

static void load(uv_work_t *work)
{
	struct load *l = work->data;
	char name[SEGMENT_NAME];

	segment_name(name, l->segment);
	const int fd = openat(l->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint8_t *chunk = malloc(CHUNK);
	int n = fd < 0 ? -errno : !chunk ? -ENOMEM : quick(l, fd, chunk);

	if (n == 0)
		n = thorough(l, fd);
	l->err = MIN(n, 0);
	free(chunk);
	if (fd >= 0)
		close(fd);
}

/* -- on the loop ----------------------------------------------------------- */

static void forget_oldest(struct reader *r)
{
	struct block *b = list_item(r->blocks.next, struct block, in);

	list_remove(&b->in);
	r->n_blocks--;
	block_free(b);
}

static struct block *block_of(const struct reader *r, uint64_t seq)
{
	list_each(&r->blocks, item) {
		struct block *b = list_item(item, struct block, in);

		if (seq >= b->first && seq < b->end)
			return b;
	}
	return NULL;
}

struct segment *disk_segment_of(const struct disk *d, uint64_t seq)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		const size_t mid = (low + high) / 2;

		if (d->segments[mid].first <= seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low && seq < d->segments[low - 1].end ? &d->segments[low - 1]
						     : NULL;
}

static void read_next(struct disk *d);

static void on_loaded(uv_work_t *work, int status)
{
	struct load *l = work->data;
	struct disk *d = list_item(work, struct disk, reader.work);
	struct reader *r = &d->reader;
	struct block *b = l->block;

	r->busy = false;
	/* out of memory or descriptors now: it is asked for again */
	const bool later = status || l->err == -ENOMEM || l->err == -EMFILE ||
			   l->err == -ENFILE;
	if (later || d->closing) {
		block_free(b);
	} else {
		if (l->err) { /* the disk does not give it back */
			b->n = 0;
			b->end = l->end;
		}
		if (r->n_blocks == BLOCKS_MAX)
			forget_oldest(r);
		list_add(&r->blocks, &b->in);
		r->n_blocks++;
	}
	if (d->closing)
		return;
	d->o.ready(d->o.arg);
	read_next(d);
}

/* Where to begin to look: behind what was read before, if that was near. */
static uint64_t begin_at(const struct disk *d, const struct segment *s,
			 uint64_t wanted)
{
	uint64_t at = SEGMENT_HEAD;

	list_each(&d->reader.blocks, item) {
		const struct block *b = list_item(item, struct block, in);

		if (b->segment == s->first && b->end <= wanted && b->behind > at)
			at = b->behind;
	}
	return at;
}

static bool begin(struct disk *d, uint64_t wanted)
{
	struct reader *r = &d->reader;
	const struct segment *s = disk_segment_of(d, wanted);
	struct block *b = s ? calloc(1, sizeof(*b)) : NULL;

	if (!b || block_of(r, wanted)) {
		free(b);
		return false;
	}
	*b = (struct block){ .segment = s->first, .first = wanted,
			     .end = wanted };
	r->load = (struct load){ .dir = d->dir, .segment = s->first,
				 .end = s->end, .limit = s->bytes,
				 .from = begin_at(d, s, wanted),
				 .wanted = wanted, .block = b };
	b->behind = r->load.from;
	r->work.data = &r->load;
	if (uv_queue_work(d->o.loop, &r->work, load, on_loaded)) {
		free(b);
		return false;
	}
	r->busy = true;
	return true;
}

/* In the order in which they were asked for. */
static void read_next(struct disk *d)
{
	struct reader *r = &d->reader;

	while (!r->busy && r->n_wants) {
		const uint64_t wanted = r->wants[0];

		memmove(r->wants, r->wants + 1,
			--r->n_wants * sizeof(*r->wants));
		begin(d, wanted);
	}
}

static void want(struct disk *d, uint64_t seq)
{
	struct reader *r = &d->reader;

	if (r->busy && r->load.wanted == seq)
		return;
	for (unsigned i = 0; i < r->n_wants; i++)
		if (r->wants[i] == seq)
			return;
	if (r->n_wants < WANTS_MAX)
		r->wants[r->n_wants++] = seq;
	read_next(d);
}

/* The first entry with this number or a higher one. */
static size_t entry_at(const struct block *b, uint64_t seq)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		const size_t mid = (low + high) / 2;

		if (b->entries[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int disk_get(struct disk *d, uint64_t seq, struct record *out)
{
	struct block *b = block_of(&d->reader, seq);

	if (seq < disk_first(d) || seq >= d->next)
		return -ENOENT;
	if (!b) {
		if (!disk_segment_of(d, seq))
			return -ENOENT;
		want(d, seq);
		return -EAGAIN;
	}
	list_remove(&b->in);
	list_add(&d->reader.blocks, &b->in);
	const size_t i = entry_at(b, seq);
	if (i == b->n || b->entries[i].seq != seq)
		return -ENOENT;
	const struct entry *e = &b->entries[i];
	const char *bytes = (const char *)b->bytes.data;
	*out = (struct record){ .seq = seq, .at_us = e->at_us, .kind = e->kind,
				.key = bytes + e->key, .line = bytes + e->line,
				.len = e->len };
	return 0;
}

uint64_t disk_after(const struct disk *d, uint64_t seq)
{
	const struct block *b = block_of(&d->reader, seq);

	if (b) {
		const size_t i = entry_at(b, seq + 1);
		return i < b->n ? b->entries[i].seq : b->end;
	}
	for (size_t i = 0; i < d->n; i++)
		if (d->segments[i].first > seq)
			return d->segments[i].first;
	return d->next;
}

void disk_reader_init(struct disk *d)
{
	list_init(&d->reader.blocks);
}

void disk_reader_fini(struct disk *d)
{
	while (d->reader.n_blocks)
		forget_oldest(&d->reader);
}
