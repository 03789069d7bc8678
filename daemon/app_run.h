/** @file app_run.h  The service: ways in, until it is told to stop */
#pragma once

#include "daemon/cfg/config.h"

/** @return the exit code */
int app_run(const struct config *c);
