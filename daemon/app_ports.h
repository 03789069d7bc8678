/** @file app_ports.h  Whether rtp { ports } fits this machine */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"

/** What ports_warn() says of it; nothing without an rtp section. */
void app_ports_warn(struct buf *out, const struct config *c);
