/** @file app_ports.h  Whether rtp { ports } fits this machine */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"

/** What ports_warn() says of it, and what an oreka section needs; nothing
 * without these sections. */
void app_ports_warn(struct buf *out, const struct config *c);
