/**
 * @file unix_bind.h  A UNIX socket at a path, without a window for strangers
 *
 * The socket appears in the file system with mode 0600 (Linux takes it from
 * the descriptor, so no umask is touched) and gets group and mode before it
 * listens.  A socket that is there already is removed only when nobody answers
 * at it (connection refused); anything else in its place is left alone.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/base/buf.h"

/** Who we are in the file system: to remove only what is ours. */
struct unix_place {
	char path[108];
	dev_t dev;
	ino_t ino;
};

/**
 * @param group NULL or "": as the process
 * @param why On error: what is wrong and what to do
 *
 * @return descriptor, bound, not yet listening, close-on-exec and
 *         non-blocking; or -EINVAL (path, group), -EADDRINUSE (somebody
 *         answers), -EEXIST (no socket is there) or -errno
 */
int unix_bind(struct unix_place *out, const char *path, unsigned mode,
	      const char *group, struct buf *why);
/** Remove it if it is still the one we made. */
void unix_unbind(const struct unix_place *p);
