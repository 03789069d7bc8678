/** @file app_capture.h  Whether capture {} makes sense, before it is opened */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"

/**
 * Appends a line for what is wrong with it: the filter (an error), an
 * interface that is not there or down now (it may be at start).
 *
 * @return 0 or -EINVAL: it cannot start like that
 */
int app_capture_check(struct buf *out, const struct config *c);
