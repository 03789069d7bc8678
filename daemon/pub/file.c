/** @file file.c  Every event line into a file or to stdout */
#include "daemon/pub/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/pub/journal.h"

struct event_file {
	struct journal_tap tap;
	event_file_failed_fn *failed;
	void *arg;
	int fd;
	int err;
	off_t whole;  /* Bytes of whole lines written */
};

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) { /* stdout may be shared */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1,
			     -1);
			continue;
		}
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static void on_line(const struct journal_line *l, const struct event *e,
		    void *arg)
{
	struct event_file *f = arg;

	(void)e;
	if (f->err)
		return;
	f->err = write_all(f->fd, l->text, l->len);
	if (!f->err) {
		f->whole += (off_t)l->len;
		return;
	}
	/* half a line on a full disk would spoil the file for readers; what is
	   no file of ours refuses this, as it should */
	if (f->fd != STDOUT_FILENO && ftruncate(f->fd, f->whole))
		(void)0;
	if (f->failed)
		f->failed(f->err, f->arg);
}

int event_file_open(struct event_file **out, struct journal *j,
		    const char *path, event_file_failed_fn *failed, void *arg)
{
	struct event_file *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->failed = failed;
	f->arg = arg;
	f->fd = STDOUT_FILENO;
	if (strcmp(path, "-") != 0)
		f->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			     0600);
	if (f->fd < 0) {
		const int err = -errno;
		free(f);
		return err;
	}
	f->tap.line = on_line;
	f->tap.arg = f;
	journal_tap(j, &f->tap);
	*out = f;
	return 0;
}

int event_file_close(struct event_file *f)
{
	if (!f)
		return 0;
	journal_untap(&f->tap);
	int err = f->err;
	if (f->fd != STDOUT_FILENO && close(f->fd) < 0 && !err)
		err = -errno;
	free(f);
	return err;
}
