/** @file app_reload.h  The configuration read again, while calls go on */
#pragma once

#include "daemon/app_watch.h"
#include "daemon/core.h"
#include "daemon/ops/control.h"

/**
 * Read the file aside; wrong anywhere, nothing changes.  Publishes
 * daemon.reload, reason "ok" or "failed", with what is wrong or waits for a
 * restart.
 *
 * @param a NULL, or the answer to an operator
 * @return 0 or -errno
 */
int app_reload(struct core *x, struct watch *w, struct answer *a);
