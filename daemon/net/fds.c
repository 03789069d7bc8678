/** @file fds.c  Whether the process may open more files and sockets */
#include "daemon/net/fds.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

bool fds_left(unsigned n)
{
	struct rlimit limit;
	const int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return getrlimit(RLIMIT_NOFILE, &limit) ||
	       (rlim_t)fd + n <= limit.rlim_cur;
}
