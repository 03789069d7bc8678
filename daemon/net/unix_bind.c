/** @file unix_bind.c  A UNIX socket at a path */
#include "daemon/net/unix_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 20, LOCK_WAIT_MS = 10 };

/* Two daemons that start at once would both find the dead one's socket, and
   the slower would remove the quicker one's: one at a time in a directory.
   Who cannot get the lock in time (anybody who may read the directory can
   hold it) goes on without. */
static int lock_directory(const char *path)
{
	char dir[sizeof(((struct unix_place *)0)->path)];
	char *slash;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;

	const int fd = open(slash ? dir : ".",
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			break;
		nanosleep(&(struct timespec){ 0, LOCK_WAIT_MS * 1000000l },
			  NULL);
	}
	return fd;
}

static int new_socket(void)
{
	const int fd = socket(AF_UNIX,
			      SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* 0: it was a dead one and is gone; else why it stays. */
static int remove_stale(const struct sockaddr_un *at, struct buf *why)
{
	struct stat st;

	if (lstat(at->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode)) {
		buf_printf(why, "%s: something that is no socket is there; "
			   "remove it or choose another path", at->sun_path);
		return -EEXIST;
	}

	const int fd = new_socket();
	if (fd < 0)
		return fd;
	const int err = connect(fd, (const struct sockaddr *)at, sizeof(*at))
			? errno : 0;
	close(fd);
	if (err == ECONNREFUSED)
		return unlink(at->sun_path) && errno != ENOENT ? -errno : 0;
	if (err == ENOENT)
		return 0;
	buf_printf(why, err && err != EAGAIN
		   ? "%s: a socket is there that cannot be tried (%s); remove "
		     "it if its daemon is gone"
		   : "%s: another program listens there; stop it or choose "
		     "another path", at->sun_path, strerror(err));
	return err == EACCES || err == EPERM ? -EACCES : -EADDRINUSE;
}

static int group_id(const char *group, gid_t *out, struct buf *why)
{
	char text[4096];
	struct group entry, *found = NULL;

	*out = (gid_t)-1;
	if (!group || !*group)
		return 0;
	getgrnam_r(group, &entry, text, sizeof(text), &found);
	if (!found) {
		buf_printf(why, "there is no group \"%s\"; create it or name "
			   "another one", group);
		return -EINVAL;
	}
	*out = found->gr_gid;
	return 0;
}

static int dress(struct unix_place *p, unsigned mode, gid_t gid,
		 const char *group, struct buf *why)
{
	struct stat st;

	if (gid != (gid_t)-1 && lchown(p->path, (uid_t)-1, gid)) {
		const int err = -errno;
		buf_printf(why, "%s: cannot give it to group \"%s\" (%s); be a "
			   "member of it", p->path, group, strerror(-err));
		return err;
	}
	if (chmod(p->path, mode & 0777) || lstat(p->path, &st))
		return -errno;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return 0;
}

static int bind_locked(int fd, const struct sockaddr_un *at, struct buf *why)
{
	const int err = remove_stale(at, why);

	if (err)
		return err;
	/* a new socket's file has the mode of the descriptor (unix(7), Linux) */
	if (fchmod(fd, 0600))
		return -errno;
	return bind(fd, (const struct sockaddr *)at, sizeof(*at)) ? -errno : 0;
}

int unix_bind(struct unix_place *out, const char *path, unsigned mode,
	      const char *group, struct buf *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct unix_place p = {0};
	const size_t len = strlen(path);
	gid_t gid;

	if (len == 0 || len >= sizeof(at.sun_path)) {
		buf_printf(why, "\"%.120s\": the path of a socket has 1 to %zu "
			   "bytes", path, sizeof(at.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(at.sun_path, path, len);
	memcpy(p.path, path, len);

	int err = group_id(group, &gid, why);
	if (err)
		return err;
	const int fd = new_socket();
	if (fd < 0)
		return fd;
	const int lock = lock_directory(path);
	err = bind_locked(fd, &at, why);
	if (!err) {
		err = dress(&p, mode, gid, group, why);
		if (err)
			unlink(path);
	}
	if (lock >= 0)
		close(lock);
	if (err) {
		close(fd);
		if (!why->len)
			buf_printf(why, "%s: %s", path, strerror(-err));
		return err;
	}
	*out = p;
	return fd;
}

void unix_unbind(const struct unix_place *p)
{
	struct stat st;

	if (!lstat(p->path, &st) && st.st_dev == p->dev && st.st_ino == p->ino)
		unlink(p->path);
}
