/**
 * @file stdio_open.h  Standard input, output and error are open, whoever started us
 *
 * A supervisor may have closed them; the next file or socket opened would then
 * be descriptor 0, 1 or 2, where others write.  (libuv ends the process when it
 * has to close one of these.)
 */
#pragma once

#include <fcntl.h>
#include <unistd.h>

/** First thing in main().  @return 0, or -1: not even /dev/null opens */
static inline int stdio_open(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}
