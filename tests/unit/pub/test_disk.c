/**
 * @file test_disk.c  daemon/pub/disk*.c on files of its own
 *
 * pwrite(), fdatasync() and posix_fallocate() fail when a test wants them to
 * (the linker hands us their calls, see the Makefile).
 */
#include "daemon/pub/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

static atomic_int fail_write, fail_sync, fail_allocate;

ssize_t __real_pwrite(int fd, const void *data, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *data, size_t n, off_t at)
{
	if (!fail_write)
		return __real_pwrite(fd, data, n, at);
	errno = fail_write;
	return -1;
}

/* The page cache is what we read: no test has to wait for the disk. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	/* once, as the kernel does */
	const int err = atomic_exchange(&fail_sync, 0);

	(void)fd;
	errno = err;
	return err ? -1 : 0;
}

int __real_posix_fallocate(int fd, off_t at, off_t n);
int __wrap_posix_fallocate(int fd, off_t at, off_t n);
int __wrap_posix_fallocate(int fd, off_t at, off_t n)
{
	return fail_allocate ? fail_allocate
			     : __real_posix_fallocate(fd, at, n);
}

enum { EPOCH = 0xab, FRESH = 0xcd, SMALL = 1024 * 1024, PATH_ROOM = 512, EVENTS_MAX = 200000 };

struct rig {
	uv_loop_t loop;
	uv_timer_t alive;       /* The disk keeps no loop alive */
	struct disk *d;
	struct disk_found found;
	unsigned ready;
	struct buf told;        /* "s" for a state line, and the numbers */
	uint64_t bad;           /* Events that are none of ours */
	unsigned n_open;        /* State lines to print */
};

static char top[64];

/* The line of an event, known by its number; some long, some short. */
static size_t line_of(char out[4096], uint64_t seq)
{
	const size_t len = 20 + seq % 7 * 40 + (seq % 50 == 0) * 3000;
	const int n = snprintf(out, 4096, "{\"seq\":%llu}",
			       (unsigned long long)seq);

	memset(out + n, 'a' + (int)(seq % 26), len - (size_t)n);
	return len;
}

static bool is_ours(const struct record *r)
{
	char line[4096];
	const size_t len = line_of(line, r->seq);

	return r->at_us == 1000 + r->seq && r->kind == r->seq % 16 &&
	       !strcmp(r->key, "c") && r->len == len &&
	       !memcmp(r->line, line, len);
}

static void on_record(const struct record *r, void *arg)
{
	struct rig *g = arg;

	if (r->kind == RECORD_OPEN) {
		assert_int_equal(r->len, 5);
		assert_memory_equal(r->line, "state", 5);
		buf_puts(&g->told, "s ");
	} else if (r->kind < RECORD_EVENTS) {
		g->bad += !is_ours(r);
		buf_printf(&g->told, "%llu ", (unsigned long long)r->seq);
	}
}

static bool on_open(disk_put_open_fn *put, void *put_arg, void *arg)
{
	const struct rig *g = arg;

	for (unsigned i = 0; i < g->n_open; i++)
		if (!put("c", "state", 5, put_arg))
			return false;
	return true;
}

static void on_ready(void *arg)
{
	((struct rig *)arg)->ready++;
}

static void on_alive(uv_timer_t *t)
{
	(void)t;
}

static void open_in(struct rig *g, const char *name, uint64_t size,
		    uint64_t fresh)
{
	char path[128];
	const struct disk_options o = {
		.loop = &g->loop, .directory = path, .size = size,
		.sync_ms = 1, .retry_ms = 1, .open = on_open,
		.ready = on_ready, .arg = g };

	*g = (struct rig){ .n_open = g->n_open };
	snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(uv_loop_init(&g->loop), 0);
	uv_timer_init(&g->loop, &g->alive);
	uv_timer_start(&g->alive, on_alive, 1, 1);
	assert_int_equal(disk_open(&g->d, &o, fresh, &g->found, on_record, g),
			 0);
}

/* In order, or as a crash leaves it (a moment's files, see copy()). */
static void close_rig(struct rig *g)
{
	disk_close(g->d);
	uv_close((uv_handle_t *)&g->alive, NULL);
	uv_run(&g->loop, UV_RUN_DEFAULT);
	disk_free(g->d);
	assert_int_equal(uv_loop_close(&g->loop), 0);
	buf_free(&g->told);
}

static int put_one(struct rig *g, uint64_t seq)
{
	char line[4096];
	const struct record r = { .seq = seq, .at_us = 1000 + seq,
				  .kind = (uint8_t)(seq % 16), .key = "c",
				  .line = line, .len = line_of(line, seq) };

	assert_true(seq < EVENTS_MAX); /* a loop that does not end fills a disk */
	return disk_put(g->d, &r);
}

static void until_ready(struct rig *g)
{
	const unsigned before = g->ready;

	for (int i = 0; g->ready == before && i < 30000; i++)
		uv_run(&g->loop, UV_RUN_ONCE);
	assert_true(g->ready > before);
}

/* Up to `to`, waiting where the disk says so. */
static void put_to(struct rig *g, uint64_t to)
{
	while (disk_next(g->d) <= to) {
		const int err = put_one(g, disk_next(g->d));
		if (err == -EAGAIN)
			until_ready(g);
		else
			assert_int_equal(err, 0);
	}
}

/* Put, a segment's worth at a time, until the thread cannot make another. */
static void until_trouble(struct rig *g)
{
	while (!disk_trouble(g->d)) {
		const int err = put_one(g, disk_next(g->d));

		if (err == -EAGAIN || disk_next(g->d) % 500 == 0)
			until_ready(g);
	}
}

/* -- files ----------------------------------------------------------------- */

static void path_of(char out[PATH_ROOM], const char *dir, const char *file)
{
	snprintf(out, PATH_ROOM, "%s/%s/%s", top, dir, file);
}

static uint8_t *load(const char *dir, const char *file, size_t *len)
{
	char path[PATH_ROOM];
	struct stat st;

	path_of(path, dir, file);
	const int fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && !fstat(fd, &st));
	*len = (size_t)st.st_size;
	uint8_t *p = malloc(*len + 1);
	assert_non_null(p);
	assert_int_equal(read(fd, p, *len), *len);
	close(fd);
	return p;
}

static void store_file(const char *dir, const char *file, const uint8_t *p,
		       size_t len)
{
	char path[PATH_ROOM];

	path_of(path, dir, "");
	mkdir(path, 0700);
	path_of(path, dir, file);
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), len);
	close(fd);
}

static void empty(const char *dir)
{
	char path[PATH_ROOM];
	const struct dirent *e;

	path_of(path, dir, "");
	DIR *d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		path_of(path, dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	path_of(path, dir, "");
	rmdir(path);
}

/* All of them, as a crash would leave them. */
static void copy_files(const char *from, const char *to)
{
	char path[PATH_ROOM];
	const struct dirent *e;
	size_t len;

	path_of(path, from, "");
	DIR *d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.') {
			uint8_t *p = load(from, e->d_name, &len);

			store_file(to, e->d_name, p, len);
			free(p);
		}
	closedir(d);
}

static unsigned count_segments(const char *dir)
{
	char path[PATH_ROOM];
	const struct dirent *e;
	unsigned n = 0;

	path_of(path, dir, "");
	DIR *d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += strstr(e->d_name, ".log") != NULL;
	closedir(d);
	return n;
}

#define FIRST "00000000000000000001.log"

/* What a crash leaves of `n` events. */
static uint8_t *crashed(const char *dir, uint64_t n, unsigned n_open,
			size_t *len)
{
	struct rig g = { .n_open = n_open };

	empty(dir);
	open_in(&g, dir, SMALL, EPOCH);
	put_to(&g, n);
	uint8_t *p = load(dir, FIRST, len);
	close_rig(&g);
	empty(dir);
	return p;
}

static size_t used(const uint8_t *p, size_t len)
{
	while (len && p[len - 1] == 0)
		len--;
	return len;
}

/* -- recovery -------------------------------------------------------------- */

static void expect_numbers(const struct rig *g, unsigned states, uint64_t from,
			   uint64_t to)
{
	struct buf want = {0};

	for (unsigned i = 0; i < states; i++)
		buf_puts(&want, "s ");
	for (uint64_t i = from; i <= to; i++)
		buf_printf(&want, "%llu ", (unsigned long long)i);
	assert_string_equal(buf_str(&g->told), buf_str(&want));
	assert_int_equal(g->bad, 0);
	buf_free(&want);
}

static void test_a_new_directory(void **state)
{
	struct rig g = {0};

	(void)state;
	open_in(&g, "new", SMALL, EPOCH);
	assert_false(g.found.any);
	assert_int_equal(g.found.epoch, EPOCH);
	assert_int_equal(g.found.next, 1);
	assert_int_equal(g.found.epoch_before, 0);
	assert_int_equal(disk_trouble(g.d), 0);
	assert_int_equal(disk_first(g.d), 1);
	assert_int_equal(put_one(&g, 1), 0);
	close_rig(&g);
	empty("new");
}

static void test_closed_in_order_all_is_there(void **state)
{
	struct rig g = { .n_open = 3 };

	(void)state;
	open_in(&g, "order", SMALL, EPOCH);
	put_to(&g, 100);
	close_rig(&g);
	/* again and again, empty runs between */
	for (int i = 0; i < 3; i++) {
		open_in(&g, "order", SMALL, FRESH);
		assert_int_equal(g.found.epoch, EPOCH);
		assert_int_equal(g.found.epoch_before, EPOCH);
		assert_int_equal(g.found.next, 101);
		assert_int_equal(g.found.cut, 0);
		if (i == 0) {
			expect_numbers(&g, 3, 1, 100);
			assert_true(g.found.last_us >= 1100);
		} else {
			expect_numbers(&g, 3, 1, 0); /* state alone */
		}
		close_rig(&g);
	}
	assert_int_equal(count_segments("order"), 2);
	open_in(&g, "order", SMALL, FRESH);
	put_to(&g, 150);
	assert_int_equal(disk_first(g.d), 1);
	close_rig(&g);
	open_in(&g, "order", SMALL, FRESH);
	expect_numbers(&g, 3, 101, 150);
	close_rig(&g);
	empty("order");
}

static void test_after_a_crash_the_numbers_go_on(void **state)
{
	struct rig g = { .n_open = 2 };
	size_t len;
	uint8_t *p = crashed("crash", 100, 2, &len);

	(void)state;
	store_file("crash", FIRST, p, len);
	open_in(&g, "crash", SMALL, FRESH);
	assert_int_equal(g.found.epoch, EPOCH);
	assert_int_equal(g.found.next, 101);
	assert_int_equal(g.found.cut, 0);
	expect_numbers(&g, 2, 1, 100);
	close_rig(&g);
	/* what was allocated and not used was given back */
	free(p);
	p = load("crash", FIRST, &len);
	assert_int_equal(used(p, len), len);
	free(p);
	empty("crash");
}

/* By the kernel's name for a boot; where that is hidden, by the clock. */
static void test_after_another_boot_the_epoch_is_new(void **state)
{
	static const struct {
		const char *name;
		bool unknown;
		uint8_t boot;          /* XORed in */
		uint64_t created_us;   /* 0: as it was */
		uint64_t epoch;
	} rows[] = {
		{ "the same", false, 0, 0, EPOCH },
		{ "the same, long ago", false, 0, 1, EPOCH },
		{ "another", false, 1, 0, FRESH },
		{ "unknown, just now", true, 0, 0, EPOCH },
		{ "unknown, before we were booted", true, 0, 1, FRESH },
	};
	size_t len;
	uint8_t *p = crashed("boot", 10, 0, &len);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig g = {0};
		struct segment_head h;
		uint8_t *file = malloc(len);

		assert_non_null(file);
		memcpy(file, p, len);
		assert_int_equal(segment_head_get(&h, file, len), 0);
		h.boot[3] ^= rows[i].boot;
		if (rows[i].unknown)
			memset(h.boot, 0, sizeof(h.boot));
		if (rows[i].created_us)
			h.created_us = rows[i].created_us;
		segment_head_put(file, &h);
		/* the state's record bears the time of the start: leave it out,
		   or it would say that we were alive just now */
		if (rows[i].created_us) {
			struct record r;
			const int n = record_get(&r, file + SEGMENT_HEAD,
						 len - SEGMENT_HEAD);
			assert_int_equal(r.kind, RECORD_OPEN_END);
			r.at_us = 1;
			assert_int_equal(record_put(file + SEGMENT_HEAD, &r),
					 n);
		}
		store_file("boot", FIRST, file, len);
		free(file);
		open_in(&g, "boot", SMALL, FRESH);
		if (g.found.epoch != rows[i].epoch)
			fail_msg("%s", rows[i].name);
		assert_int_equal(g.found.epoch_before, EPOCH);
		assert_int_equal(g.found.next, 11);
		close_rig(&g);
		empty("boot");
	}
	free(p);
}

/* Never a wrong event, never a crash, and the numbering is another unless all
   is known to be there. */
static void test_cut_at_every_byte(void **state)
{
	size_t len;
	uint8_t *p = crashed("cut", 12, 1, &len);
	const size_t end = used(p, len);

	(void)state;
	for (size_t cut = 0; cut <= end; cut++) {
		struct rig g = {0};
		struct record r;
		uint64_t whole = 0;
		int n;

		for (size_t at = SEGMENT_HEAD; at < cut; at += (size_t)n) {
			n = record_get(&r, p + at, cut - at);
			if (n <= 0)
				break;
			whole += r.kind < RECORD_EVENTS;
		}
		store_file("cut", FIRST, p, cut);
		open_in(&g, "cut", SMALL, FRESH);
		assert_int_equal(g.found.next, whole + 1);
		assert_int_equal(g.found.epoch, FRESH);
		assert_int_equal(g.bad, 0);
		if (whole)
			expect_numbers(&g, 1, 1, whole);
		close_rig(&g);
		empty("cut");
	}
	free(p);
}

static void test_every_byte_flipped(void **state)
{
	size_t len;
	uint8_t *p = crashed("flip", 12, 1, &len);
	const size_t end = used(p, len);

	(void)state;
	for (size_t at = 0; at < end + 20; at++) {
		struct rig g = {0};
		struct buf all = {0};

		p[at] ^= (uint8_t)(1 << at % 8);
		store_file("flip", FIRST, p, len);
		open_in(&g, "flip", SMALL, FRESH);
		assert_int_equal(g.bad, 0);
		assert_in_range(g.found.next, 12, 13);
		assert_int_equal(g.found.epoch, FRESH);
		buf_puts(&all, buf_str(&g.told));
		/* at most one is missing, and the order is theirs */
		uint64_t seen = 0, missing = 0;
		char *rest = (char *)all.data;
		for (const char *w; rest && (w = strsep(&rest, " "));) {
			if (*w < '0' || *w > '9')
				continue;
			const uint64_t seq = strtoull(w, NULL, 10);
			assert_true(seq > seen);
			missing += seq - seen - 1;
			seen = seq;
		}
		assert_true(missing + 12 - seen <= 1);
		close_rig(&g);
		buf_free(&all);
		empty("flip");
		p[at] ^= (uint8_t)(1 << at % 8);
	}
	free(p);
}

static void test_damaged_state_is_taken_from_the_segment_before(void **state)
{
	struct rig g = { .n_open = 2 };
	char name[SEGMENT_NAME];
	size_t len;

	(void)state;
	open_in(&g, "state", SMALL, EPOCH);
	put_to(&g, 3000);
	assert_true(count_segments("state") >= 2);
	close_rig(&g);
	open_in(&g, "state", SMALL, FRESH);
	put_to(&g, 3010);
	close_rig(&g);
	segment_name(name, 3001);
	uint8_t *p = load("state", name, &len);
	p[SEGMENT_HEAD + RECORD_HEAD] ^= 1; /* its first state line */
	store_file("state", name, p, len);
	free(p);
	open_in(&g, "state", SMALL, FRESH);
	assert_int_equal(g.found.next, 3011);
	assert_non_null(strstr(buf_str(&g.told), " 3000 s 3001 "));
	assert_int_equal(strncmp(buf_str(&g.told), "s s ", 4), 0);
	close_rig(&g);
	empty("state");
}

static void test_files_that_are_no_segments_stay(void **state)
{
	static const char *const names[] = { "notes.txt", "1.log",
					     "00000000000000000000.log" };
	struct rig g = {0};

	(void)state;
	open_in(&g, "foreign", SMALL, EPOCH);
	close_rig(&g);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		store_file("foreign", names[i], (const uint8_t *)"mine", 4);
	store_file("foreign", "00000000000000000500.log", NULL, 0);
	open_in(&g, "foreign", SMALL, FRESH);
	assert_int_equal(g.found.next, 500); /* by its name alone */
	assert_int_equal(g.found.epoch, FRESH);
	put_to(&g, 6000);
	close_rig(&g);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t len;
		uint8_t *p = load("foreign", names[i], &len);
		assert_int_equal(len, 4);
		free(p);
	}
	empty("foreign");
}

static void test_one_writer_in_a_directory(void **state)
{
	struct rig a = {0}, b = {0};

	(void)state;
	open_in(&a, "one", SMALL, EPOCH);
	open_in(&b, "one", SMALL, FRESH);
	assert_int_equal(disk_trouble(b.d), -EBUSY);
	assert_int_equal(put_one(&b, 1), -EBUSY);
	assert_int_equal(put_one(&a, 1), 0);
	close_rig(&b);
	close_rig(&a);
	empty("one");
}

/* -- retention and reading ------------------------------------------------- */

/* As a reader does it.  @return the number of the next, 0: it is this one */
static uint64_t get(struct rig *g, uint64_t seq)
{
	struct record r;
	int err;

	while ((err = disk_get(g->d, seq, &r)) == -EAGAIN)
		until_ready(g);
	if (err) {
		assert_int_equal(err, -ENOENT);
		return disk_after(g->d, seq);
	}
	assert_int_equal(r.seq, seq);
	assert_true(is_ours(&r));
	return 0;
}

static void test_size_drops_the_oldest(void **state)
{
	struct rig g = {0};
	struct disk_stats st;

	(void)state;
	open_in(&g, "size", 2 * SMALL, EPOCH);
	put_to(&g, 20000);
	disk_stats(g.d, &st);
	assert_true(st.bytes <= 2 * SMALL);
	assert_true(st.bytes >= SMALL);
	assert_true(st.segments >= 4);
	const uint64_t first = disk_first(g.d);
	assert_in_range(first, 1000, 19000);
	assert_int_equal(get(&g, first - 1), first);
	for (uint64_t seq = first; seq <= 20000; seq++)
		assert_int_equal(get(&g, seq), 0);
	assert_int_equal(get(&g, 20001), 20001);
	close_rig(&g);
	assert_true(count_segments("size") <= 8);
	/* a smaller size holds at the next start */
	open_in(&g, "size", SMALL, FRESH);
	disk_stats(g.d, &st);
	assert_true(st.bytes <= SMALL);
	assert_int_equal(g.found.next, 20001);
	close_rig(&g);
	empty("size");
}

static void test_readers_anywhere_at_once(void **state)
{
	enum { READERS = 40, N = 12000 };
	struct rig g = {0};
	uint64_t at[READERS];
	unsigned left = READERS;

	(void)state;
	open_in(&g, "read", 64 * SMALL, EPOCH);
	put_to(&g, N);
	for (unsigned i = 0; i < READERS; i++)
		at[i] = 1 + i * (N / READERS);
	while (left) {
		left = 0;
		for (unsigned i = 0; i < READERS; i++) {
			struct record r;
			int err = 0;

			while (at[i] <= N && !(err = disk_get(g.d, at[i], &r))) {
				assert_int_equal(r.seq, at[i]);
				assert_true(is_ours(&r));
				at[i]++;
			}
			assert_true(err == 0 || err == -EAGAIN);
			left += at[i] <= N;
		}
		if (left)
			until_ready(&g);
	}
	close_rig(&g);
	empty("read");
}

static void test_damage_in_the_middle_is_skipped_exactly(void **state)
{
	struct rig g = {0};
	char name[SEGMENT_NAME];
	size_t len;

	(void)state;
	open_in(&g, "hole", 64 * SMALL, EPOCH);
	put_to(&g, 3000);
	close_rig(&g);
	open_in(&g, "hole", 64 * SMALL, FRESH); /* so that it is not the last */
	put_to(&g, 3010);
	close_rig(&g);
	segment_name(name, 1);
	uint8_t *p = load("hole", name, &len);
	uint64_t lost[] = { 500, 2000, 3000 };
	for (size_t at = SEGMENT_HEAD; at < len;) {
		struct record r;
		const int n = record_get(&r, p + at, len - at);
		assert_true(n > 0);
		for (size_t i = 0; i < ARRAY_LEN(lost); i++)
			if (r.kind < RECORD_EVENTS && r.seq == lost[i])
				p[at + 30] ^= 4;
		at += (size_t)n;
	}
	store_file("hole", name, p, len);
	free(p);
	open_in(&g, "hole", 64 * SMALL, FRESH);
	for (uint64_t seq = 1; seq <= 3010; seq++) {
		const bool gone = seq == 500 || seq == 2000 || seq == 3000;
		assert_int_equal(get(&g, seq), gone ? seq + 1 : 0);
	}
	close_rig(&g);
	empty("hole");
}

static void test_a_file_that_goes_away(void **state)
{
	struct rig g = {0};
	char path[PATH_ROOM], name[SEGMENT_NAME];

	(void)state;
	open_in(&g, "gone", 64 * SMALL, EPOCH);
	put_to(&g, 100);
	close_rig(&g);
	open_in(&g, "gone", 64 * SMALL, FRESH);
	put_to(&g, 110);
	segment_name(name, 1);
	path_of(path, "gone", name);
	unlink(path);
	assert_int_equal(get(&g, 7), 101);
	assert_int_equal(get(&g, 101), 0);
	close_rig(&g);
	empty("gone");
}

static void test_skipped_numbers_are_not_there(void **state)
{
	struct rig g = {0};

	(void)state;
	open_in(&g, "skip", SMALL, EPOCH);
	put_to(&g, 10);
	disk_skip(g.d, 21);
	disk_skip(g.d, 5);
	put_to(&g, 30);
	assert_int_equal(get(&g, 10), 0);
	assert_int_equal(get(&g, 11), 21);
	assert_int_equal(get(&g, 20), 21);
	assert_int_equal(get(&g, 21), 0);
	close_rig(&g);
	open_in(&g, "skip", SMALL, FRESH);
	assert_int_equal(g.found.next, 31);
	assert_int_equal(g.found.epoch, EPOCH);
	close_rig(&g);
	empty("skip");
}

/* -- trouble --------------------------------------------------------------- */

static void test_writing_fails_and_works_again(void **state)
{
	static const int errs[] = { ENOSPC, EIO, EROFS, EDQUOT, EFBIG };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errs); i++) {
		struct rig g = {0};

		open_in(&g, "write", SMALL, EPOCH);
		put_to(&g, 10);
		fail_write = errs[i];
		assert_int_equal(put_one(&g, 11), -errs[i]);
		until_ready(&g);
		assert_int_equal(disk_trouble(g.d), -errs[i]);
		for (int k = 0; k < 5; k++) /* tried again, in vain */
			if (put_one(&g, 11) == -EAGAIN)
				until_ready(&g);
		fail_write = 0;
		int err;
		while ((err = put_one(&g, 11)))
			until_ready(&g);
		assert_int_equal(disk_trouble(g.d), 0);
		disk_caught_up(g.d);
		put_to(&g, 20);
		for (uint64_t seq = 1; seq <= 20; seq++)
			assert_int_equal(get(&g, seq), 0);
		close_rig(&g);
		open_in(&g, "write", SMALL, FRESH);
		assert_int_equal(g.found.next, 21);
		assert_int_equal(g.found.epoch, EPOCH);
		close_rig(&g);
		empty("write");
	}
}

/* No room for another segment: what is written so far stays. */
static void test_no_room_for_a_segment(void **state)
{
	struct rig g = {0};
	uint64_t stuck;

	(void)state;
	open_in(&g, "room", 64 * SMALL, EPOCH);
	put_to(&g, 10);
	fail_allocate = ENOSPC;
	until_trouble(&g);
	stuck = disk_next(g.d);
	assert_int_equal(disk_trouble(g.d), -ENOSPC);
	until_ready(&g);
	fail_allocate = 0;
	while (put_one(&g, stuck))
		until_ready(&g);
	for (uint64_t seq = stuck - 5; seq <= stuck; seq++)
		assert_int_equal(get(&g, seq), 0);
	close_rig(&g);
	empty("room");
}

/* What was not synced is wanted once more, and is there once. */
static void test_syncing_fails(void **state)
{
	struct rig g = {0};
	uint64_t back;

	(void)state;
	open_in(&g, "sync", SMALL, EPOCH);
	put_to(&g, 10);
	until_ready(&g); /* synced */
	fail_sync = EIO;
	put_to(&g, 20);
	while (disk_next(g.d) == 21)
		until_ready(&g);
	back = disk_next(g.d);
	assert_in_range(back, 1, 20);
	assert_int_equal(disk_trouble(g.d), -EIO);
	while (put_one(&g, back))
		until_ready(&g);
	put_to(&g, 40);
	for (uint64_t seq = 1; seq <= 40; seq++)
		assert_int_equal(get(&g, seq), 0);
	close_rig(&g);
	open_in(&g, "sync", SMALL, FRESH);
	assert_int_equal(g.found.next, 41);
	for (uint64_t seq = 1; seq <= 40; seq++)
		assert_int_equal(get(&g, seq), 0);
	close_rig(&g);
	empty("sync");
}

/* Events went out and were not written: their numbers must not come again
   within the epoch. */
static void test_a_crash_in_trouble_begins_an_epoch(void **state)
{
	struct rig g = {0};

	(void)state;
	open_in(&g, "left", SMALL, EPOCH);
	put_to(&g, 10);
	fail_allocate = ENOSPC;
	until_trouble(&g);
	const uint64_t stuck = disk_next(g.d);
	until_ready(&g);
	usleep(20000);
	/* the next segment may have been made before it failed */
	copy_files("left", "crashed");
	fail_allocate = 0;
	close_rig(&g);
	empty("left");
	open_in(&g, "crashed", SMALL, FRESH);
	assert_int_equal(g.found.next, stuck);
	assert_int_equal(g.found.epoch, FRESH);
	close_rig(&g);
	empty("crashed");
}

/* The same while what memory holds is being written: not all is yet. */
static void test_a_crash_while_catching_up_begins_an_epoch(void **state)
{
	static const struct { bool caught_up; uint64_t epoch; } rows[] = {
		{ false, FRESH }, { true, EPOCH } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig g = {0};
		char name[SEGMENT_NAME];
		size_t len;

		open_in(&g, "catch", SMALL, EPOCH);
		put_to(&g, 10);
		fail_write = EIO;
		assert_int_equal(put_one(&g, 11), -EIO);
		fail_write = 0;
		while (put_one(&g, 11))
			until_ready(&g);
		if (rows[i].caught_up)
			disk_caught_up(g.d);
		segment_name(name, 11);
		uint8_t *p = load("catch", name, &len);
		close_rig(&g);
		store_file("catch", name, p, len); /* not closed, then */
		free(p);
		open_in(&g, "catch", SMALL, FRESH);
		assert_int_equal(g.found.next, 12);
		assert_int_equal(g.found.epoch, rows[i].epoch);
		close_rig(&g);
		empty("catch");
	}
}

static void test_a_start_in_trouble_has_an_epoch_of_its_own(void **state)
{
	struct rig g = {0};

	(void)state;
	open_in(&g, "start", SMALL, EPOCH);
	put_to(&g, 10);
	close_rig(&g);
	fail_allocate = ENOSPC;
	open_in(&g, "start", SMALL, FRESH);
	fail_allocate = 0;
	assert_int_equal(g.found.epoch, FRESH);
	assert_int_equal(g.found.next, 11);
	expect_numbers(&g, 0, 1, 10);
	assert_int_equal(disk_trouble(g.d), -ENOSPC);
	assert_int_equal(get(&g, 5), 0); /* what is there can be read */
	while (put_one(&g, 11))
		until_ready(&g);
	disk_caught_up(g.d);
	close_rig(&g);
	open_in(&g, "start", SMALL, 0xef);
	assert_int_equal(g.found.epoch, FRESH);
	assert_int_equal(g.found.next, 12);
	close_rig(&g);
	empty("start");
}

static void test_a_directory_that_cannot_be(void **state)
{
	struct rig g = {0};

	(void)state;
	open_in(&g, "no/such", SMALL, EPOCH);
	assert_int_equal(disk_trouble(g.d), -ENOENT);
	assert_int_equal(put_one(&g, 1), -ENOENT);
	assert_int_equal(disk_first(g.d), 1);
	close_rig(&g);
	store_file("file", "x", NULL, 0);
	open_in(&g, "file/x", SMALL, EPOCH);
	assert_int_equal(disk_trouble(g.d), -ENOTDIR);
	close_rig(&g);
	empty("file");
}

static void test_cursors_are_kept(void **state)
{
	struct rig g = {0};
	struct buf text = {0}, back = {0};

	(void)state;
	open_in(&g, "cursors", SMALL, EPOCH);
	disk_load_cursors(g.d, &back);
	assert_int_equal(back.len, 0);
	buf_puts(&text, "one");
	disk_keep_cursors(g.d, &text);
	buf_puts(&text, " two");
	disk_keep_cursors(g.d, &text);
	close_rig(&g);
	open_in(&g, "cursors", SMALL, FRESH);
	disk_load_cursors(g.d, &back);
	assert_string_equal(buf_str(&back), "one two");
	close_rig(&g);
	buf_free(&text);
	buf_free(&back);
	empty("cursors");
}

static int set_up(void **state)
{
	/* thousands of files come and go: in memory, where there is such */
	static const char *const places[] = { "/dev/shm", "/tmp" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(top, sizeof(top), "%s/journalXXXXXX", places[i]);
		if (mkdtemp(top))
			return 0;
	}
	return -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_directory),
		cmocka_unit_test(test_closed_in_order_all_is_there),
		cmocka_unit_test(test_after_a_crash_the_numbers_go_on),
		cmocka_unit_test(test_after_another_boot_the_epoch_is_new),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_byte_flipped),
		cmocka_unit_test(
		    test_damaged_state_is_taken_from_the_segment_before),
		cmocka_unit_test(test_files_that_are_no_segments_stay),
		cmocka_unit_test(test_one_writer_in_a_directory),
		cmocka_unit_test(test_size_drops_the_oldest),
		cmocka_unit_test(test_readers_anywhere_at_once),
		cmocka_unit_test(test_damage_in_the_middle_is_skipped_exactly),
		cmocka_unit_test(test_a_file_that_goes_away),
		cmocka_unit_test(test_skipped_numbers_are_not_there),
		cmocka_unit_test(test_writing_fails_and_works_again),
		cmocka_unit_test(test_no_room_for_a_segment),
		cmocka_unit_test(test_syncing_fails),
		cmocka_unit_test(test_a_crash_in_trouble_begins_an_epoch),
		cmocka_unit_test(
		    test_a_crash_while_catching_up_begins_an_epoch),
		cmocka_unit_test(
		    test_a_start_in_trouble_has_an_epoch_of_its_own),
		cmocka_unit_test(test_a_directory_that_cannot_be),
		cmocka_unit_test(test_cursors_are_kept),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
