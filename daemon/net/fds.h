/** @file fds.h  Whether the process may open more files and sockets */
#pragma once

#include <stdbool.h>

/**
 * Are about `n` descriptors left below the process's limit?  Told by the lowest
 * that is free, which is right as long as they are used densely.
 */
bool fds_left(unsigned n);
