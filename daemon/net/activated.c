/** @file activated.c  Sockets that systemd listens on for us */
#include "daemon/net/activated.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/number.h"

enum { FIRST = 3, MOST = 64 };

static uint64_t number_of(const char *name, uint64_t max)
{
	const char *text = getenv(name);
	uint64_t n = 0;

	return text && !number_parse(&n, text, strlen(text), max) ? n : 0;
}

static int option(int fd, int name)
{
	int v = 0;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &len) ? -1 : v;
}

static bool listens_at(int fd, const char *path)
{
	struct sockaddr_un at = {0};
	socklen_t len = sizeof(at);
	const size_t n = strlen(path);

	return option(fd, SO_TYPE) == SOCK_STREAM &&
	       option(fd, SO_ACCEPTCONN) == 1 &&
	       !getsockname(fd, (struct sockaddr *)&at, &len) &&
	       at.sun_family == AF_UNIX && n < sizeof(at.sun_path) &&
	       !strncmp(at.sun_path, path, sizeof(at.sun_path));
}

int activated_unix(const char *path)
{
	if (number_of("LISTEN_PID", INT32_MAX) != (uint64_t)getpid())
		return -ENOENT;
	const int end = FIRST + (int)number_of("LISTEN_FDS", MOST);

	for (int fd = FIRST; fd < end; fd++) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (listens_at(fd, path))
			return fd;
	}
	return -ENOENT;
}
