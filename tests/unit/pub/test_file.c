/** @file test_file.c  daemon/pub/file.c */
#include "daemon/pub/file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/pub/journal.h"

static const struct event e = { .type = EVENT_CALL_START, .call = "c",
				.call_start = { .source = "rtp" } };
static const struct event p = { .type = EVENT_SEGMENT, .call = "c",
				.segment = { .text = "partial" } };

static void on_failed(int err, void *arg)
{
	int *told = arg;

	assert_int_equal(*told, 0);
	*told = err;
}

static void test_a_file_gets_every_line(void **state)
{
	char path[] = "/tmp/test_file.XXXXXX";
	char text[2048] = "";
	struct journal *j;
	struct event_file *f;
	struct stat st;

	(void)state;
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "old", 3), 3);
	assert_int_equal(journal_new(&j, 0, 1), 0);
	assert_int_equal(event_file_open(&f, j, path, NULL, NULL), 0);
	journal_emit(j, &e);
	journal_emit(j, &p);
	journal_emit(j, &e);
	/* there before it is closed: readers follow it */
	const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	assert_int_equal(event_file_close(f), 0);
	journal_emit(j, &e);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, n);

	static const char *const want[] = { "\"seq\":1", "partial",
					    "\"seq\":2" };
	char *rest, *line = strtok_r(text, "\n", &rest);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(line);
		assert_non_null(strstr(line, want[i]));
		line = strtok_r(NULL, "\n", &rest);
	}
	assert_null(line);
	journal_free(j);
	close(fd);
	unlink(path);
}

static void test_a_path_that_cannot_be_is_told(void **state)
{
	struct journal *j;
	struct event_file *f = NULL;

	(void)state;
	assert_int_equal(journal_new(&j, 0, 1), 0);
	assert_int_equal(event_file_open(&f, j, "/nowhere/x", NULL, NULL),
			 -ENOENT);
	assert_null(f);
	journal_emit(j, &e);
	journal_free(j);
}

static void test_a_full_disk_is_told_once(void **state)
{
	struct journal *j;
	struct event_file *f;
	int told = 0;

	(void)state;
	assert_int_equal(journal_new(&j, 0, 1), 0);
	assert_int_equal(event_file_open(&f, j, "/dev/full", on_failed, &told),
			 0);
	journal_emit(j, &e);
	assert_int_equal(told, -ENOSPC);
	journal_emit(j, &e);
	assert_int_equal(event_file_close(f), -ENOSPC);
	journal_free(j);
}

/* RLIMIT_FSIZE stands for the disk that fills up in the middle of a line. */
static void test_no_half_line_stays_in_a_file(void **state)
{
	char path[] = "/tmp/test_file.XXXXXX";
	struct journal *j;
	struct event_file *f;
	struct stat st;
	int told = 0;
	char last;

	(void)state;
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(journal_new(&j, 0, 1), 0);
	assert_int_equal(event_file_open(&f, j, path, on_failed, &told), 0);
	journal_emit(j, &e);
	assert_int_equal(fstat(fd, &st), 0);
	const off_t line = st.st_size;

	struct sigaction old;
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, &old);
	const rlim_t limit = (rlim_t)line * 5 / 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE,
		&(struct rlimit){ limit, RLIM_INFINITY }), 0);
	for (int i = 0; i < 4; i++)
		journal_emit(j, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE,
		&(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
	sigaction(SIGXFSZ, &old, NULL);

	assert_int_equal(told, -EFBIG);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2 * line);
	assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
	assert_int_equal(last, '\n');
	assert_int_equal(event_file_close(f), -EFBIG);
	journal_free(j);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_gets_every_line),
		cmocka_unit_test(test_a_path_that_cannot_be_is_told),
		cmocka_unit_test(test_a_full_disk_is_told_once),
		cmocka_unit_test(test_no_half_line_stays_in_a_file),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
