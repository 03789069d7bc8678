/** @file secret.c  Keys out of files, and out of memory again */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/cfg/config.h"

enum { SECRET_MAX = 4096 };

static int cannot(struct buf *why, const char *path, int err, const char *cure)
{
	buf_printf(why, "%s cannot be read: %s; %s", path, strerror(-err),
		   cure);
	return err;
}

/* Is it in systemd's directory, where the access is systemd's business?  The
 * names are resolved, so "..", links and "credentials-2" do not get through. */
static bool is_below(const char *path, const char *directory)
{
	char *real = realpath(path, NULL);
	char *real_dir = directory && *directory ? realpath(directory, NULL)
						 : NULL;
	const size_t len = real_dir ? strlen(real_dir) : 0;
	const bool below = real && real_dir && !strncmp(real, real_dir, len) &&
			   real[len] == '/';

	free(real);
	free(real_dir);
	return below;
}

static int check_access(int fd, const char *path, const char *credentials,
			struct buf *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return cannot(why, path, -errno, "check the path");
	if (!S_ISREG(st.st_mode)) {
		buf_printf(why, "%s is no file; give the path of the file "
			   "that holds the key", path);
		return -EINVAL;
	}
	if ((st.st_mode & 077) && !is_below(path, credentials)) {
		buf_printf(why, "%s can be read by group or others; run: "
			   "chmod 600 %s", path, path);
		return -EACCES;
	}
	return 0;
}

static int read_all(int fd, char *text, size_t *len)
{
	for (*len = 0; *len <= SECRET_MAX;) {
		const ssize_t n = read(fd, text + *len,
				       SECRET_MAX + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*len += (size_t)n;
	}
	return -EMSGSIZE;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* It goes into a header line: nothing but printable ASCII. */
static int take_line(struct buf *secret, const char *text, size_t len,
		     const char *path, struct buf *why)
{
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	if (len == 0) {
		buf_printf(why, "%s is empty; put the key into it, one line",
			   path);
		return -EINVAL;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] > ' ' && text[i] < 0x7f)
			continue;
		buf_printf(why, "%s holds more than one line of printable "
			   "characters; put the key alone into it", path);
		return -EINVAL;
	}
	buf_add(secret, text, len);
	return secret->err;
}

int config_secret(struct buf *secret, const char *path, const char *credentials,
		  struct buf *why)
{
	char text[SECRET_MAX + 1];
	size_t len = 0;
	/* O_NONBLOCK: a fifo must not hold up the daemon */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return cannot(why, path, -errno, errno == EACCES
			      ? "give it to the user the daemon runs as"
			      : "check the path");
	int err = check_access(fd, path, credentials, why);

	if (!err) {
		err = read_all(fd, text, &len);
		if (err == -EMSGSIZE)
			buf_printf(why, "%s has more than %d bytes; put the "
				   "key alone into it", path, SECRET_MAX);
		else if (err)
			cannot(why, path, err, "check the file");
	}
	if (!err)
		err = take_line(secret, text, len, path, why);
	explicit_bzero(text, sizeof(text));
	close(fd);
	return err;
}

void config_wipe(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->size);
	buf_free(secret);
}
