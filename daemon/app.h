/** @file app.h  Everything wired together */
#pragma once

#include "daemon/options.h"

/** Do what the command line asks for.  @return the exit code */
int app_main(const struct options *o);
