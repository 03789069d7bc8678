/** @file test_secret.c  daemon/cfg/secret.c */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/config.h"

static char dir[] = "/tmp/test_secret.XXXXXX";

static void in_dir(char out[128], const char *name)
{
	snprintf(out, 128, "%s/%s", dir, name);
}

static void put(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[128];

	in_dir(path, name);
	unlink(path);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static const struct {
	const char *name, *text;
	mode_t mode;
	int err;
	const char *want; /* the secret, or a part of why */
} rows[] = {
	{ "plain", "s3cret", 0600, 0, "s3cret" },
	{ "read-only", "s3cret", 0400, 0, "s3cret" },
	{ "line end", "s3cret\n", 0600, 0, "s3cret" },
	{ "blanks around", " \t\r\n s3cret \r\n\n", 0600, 0, "s3cret" },
	{ "group reads", "s3cret", 0640, -EACCES, "chmod 600 " },
	{ "others read", "s3cret", 0604, -EACCES, "chmod 600 " },
	{ "others execute", "s3cret", 0601, -EACCES, "chmod 600 " },
	{ "empty", "", 0600, -EINVAL, "is empty" },
	{ "blank", " \n", 0600, -EINVAL, "is empty" },
	{ "two lines", "one\ntwo\n", 0600, -EINVAL, "more than one line" },
	{ "header in it", "one\r\nX: y", 0600, -EINVAL, "more than one line" },
	{ "two words", "one two", 0600, -EINVAL, "more than one line" },
	{ "control", "one\x01", 0600, -EINVAL, "more than one line" },
	{ "not ASCII", "\xc3\xa4", 0600, -EINVAL, "more than one line" },
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf secret = {0}, why = {0};
		char path[128];

		print_message("row: %s\n", rows[i].name);
		put("key", rows[i].text, strlen(rows[i].text), rows[i].mode);
		in_dir(path, "key");
		assert_int_equal(config_secret(&secret, path, NULL, &why),
				 rows[i].err);
		if (rows[i].err) {
			print_message("     %s\n", buf_str(&why));
			assert_int_equal(secret.len, 0);
			assert_non_null(strstr(buf_str(&why), rows[i].want));
			assert_non_null(strstr(buf_str(&why), path));
			assert_null(strstr(buf_str(&why), "s3cret"));
		} else {
			assert_string_equal(buf_str(&secret), rows[i].want);
			assert_int_equal(why.len, 0);
		}
		config_wipe(&secret);
		assert_null(secret.data);
		buf_free(&why);
	}
}

static void test_below_the_credentials_directory_access_is_not_checked(
	void **state)
{
	static const struct {
		const char *name, *credentials;
		int err;
	} where[] = {
		{ "cred/key", "cred", 0 },
		{ "cred/key", "cred/", 0 },
		{ "cred/key", NULL, -EACCES },
		{ "cred/key", "", -EACCES },
		{ "cred/key", "cre", -EACCES },
		{ "cred/key", "nothing", -EACCES },
		{ "cred/../open", "cred", -EACCES },
		{ "cred2/key", "cred", -EACCES },
		{ "cred/link", "cred", -EACCES },
		{ "way/key", "cred", 0 },
	};
	char path[128], other[128];

	(void)state;
	in_dir(path, "cred");
	assert_int_equal(mkdir(path, 0700), 0);
	in_dir(other, "way");
	assert_int_equal(symlink(path, other), 0);
	in_dir(path, "cred2");
	assert_int_equal(mkdir(path, 0700), 0);
	put("cred/key", "s3cret", 6, 0444);
	put("cred2/key", "s3cret", 6, 0444);
	put("open", "s3cret", 6, 0444);
	in_dir(path, "cred/link");
	assert_int_equal(symlink("../open", path), 0);
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		struct buf secret = {0}, why = {0};

		print_message("row: %s below %s\n", where[i].name,
			      where[i].credentials ? where[i].credentials
						   : "(none)");
		in_dir(path, where[i].name);
		in_dir(other, where[i].credentials ? where[i].credentials : "");
		assert_int_equal(config_secret(&secret, path,
					       where[i].credentials &&
					       *where[i].credentials
					       ? other
					       : where[i].credentials, &why),
				 where[i].err);
		config_wipe(&secret);
		buf_free(&why);
	}
}

static void test_what_is_no_file(void **state)
{
	struct buf secret = {0}, why = {0};
	char path[128];

	(void)state;
	in_dir(path, "missing");
	assert_int_equal(config_secret(&secret, path, NULL, &why), -ENOENT);
	assert_non_null(strstr(buf_str(&why), "No such file"));
	assert_int_equal(config_secret(&secret, dir, NULL, &why), -EINVAL);
	/* a fifo nobody writes to must not hold us up */
	in_dir(path, "fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_secret(&secret, path, NULL, &why), -EINVAL);

	char big[5000];

	memset(big, 'x', sizeof(big));
	put("big", big, sizeof(big), 0600);
	in_dir(path, "big");
	assert_int_equal(config_secret(&secret, path, NULL, &why), -EMSGSIZE);
	put("big", big, 4096, 0600);
	assert_int_equal(config_secret(&secret, path, NULL, &why), 0);
	assert_int_equal(secret.len, 4096);
	config_wipe(&secret);
	buf_free(&why);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	static const char *const names[] = { "cred/key", "cred/link", "cred",
					     "cred2/key", "cred2", "way", "key",
					     "open", "fifo", "big", "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[128];

		in_dir(path, names[i]);
		remove(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(
		  test_below_the_credentials_directory_access_is_not_checked),
		cmocka_unit_test(test_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
