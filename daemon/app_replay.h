/** @file app_replay.h  --replay: a capture file through the whole pipeline */
#pragma once

#include "daemon/cfg/config.h"
#include "daemon/options.h"

/** @return the exit code */
int app_replay(const struct options *o, const struct config *c);
