/** @file test_activated.c  daemon/net/activated.c: what is not believed */
#include "daemon/net/activated.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"

enum { FIRST = 3, KINDS = 5 };

/* Descriptors 3 to 7, of which only the last is right. */
static char path[64];

static int bound(int type, bool listening, const char *at)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, type, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", at);
	unlink(at);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void place(int fd, int at)
{
	if (fd == at)
		return;
	assert_int_equal(dup2(fd, at), at);
	close(fd);
}

static int set_up(void **state)
{
	char other[80];

	(void)state;
	/* what the test itself has open there is of no use to it */
	for (int fd = FIRST; fd < FIRST + KINDS; fd++)
		close(fd);
	snprintf(path, sizeof(path), "/tmp/activated%d", (int)getpid());
	snprintf(other, sizeof(other), "%s.other", path);
	const int right = fcntl(bound(SOCK_STREAM, true, path), F_DUPFD, 20);
	place(open("/dev/null", O_RDONLY), FIRST);
	place(socket(AF_INET, SOCK_STREAM, 0), FIRST + 1);
	place(bound(SOCK_DGRAM, false, other), FIRST + 2);
	place(bound(SOCK_STREAM, true, other), FIRST + 3);
	place(right, FIRST + 4);
	unlink(other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void test_rows(void **state)
{
	static const struct {
		const char *name, *pid, *fds;
		int want;
	} rows[] = {
		{ "all", NULL, "5", FIRST + 4 },
		{ "more than there are", NULL, "9", FIRST + 4 },
		{ "not that far", NULL, "4", -ENOENT },
		{ "none", NULL, "0", -ENOENT },
		{ "no count", NULL, NULL, -ENOENT },
		{ "no number", NULL, "5x", -ENOENT },
		{ "below zero", NULL, "-5", -ENOENT },
		{ "too many", NULL, "65", -ENOENT },
		{ "another process", "1", "5", -ENOENT },
		{ "no process", "", "5", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", rows[i].pid ? rows[i].pid : pid, 1);
		if (rows[i].fds)
			setenv("LISTEN_FDS", rows[i].fds, 1);
		else
			unsetenv("LISTEN_FDS");
		const int got = activated_unix(path);
		if (got != rows[i].want)
			fail_msg("%s: %d", rows[i].name, got);
	}
	unsetenv("LISTEN_PID");
	setenv("LISTEN_FDS", "5", 1);
	assert_int_equal(activated_unix(path), -ENOENT);
	assert_int_equal(fcntl(FIRST + 4, F_GETFD), FD_CLOEXEC);
}

static void test_a_path_that_begins_alike(void **state)
{
	char pid[16], longer[80];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "5", 1);
	snprintf(longer, sizeof(longer), "%sx", path);
	assert_int_equal(activated_unix(longer), -ENOENT);
	longer[strlen(path) - 1] = 0;
	assert_int_equal(activated_unix(longer), -ENOENT);
	assert_int_equal(activated_unix(""), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_path_that_begins_alike),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
