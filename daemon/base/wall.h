/** @file wall.h  Wall-clock time as text */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { WALL_TEXT = 32 }; /**< Bytes a printed time fits in */

/**
 * RFC 3339 in UTC with microseconds: "2026-01-02T03:04:05.678901Z".
 *
 * @param us Since the Unix epoch [us]
 * @return `out`
 */
const char *wall_print(char out[WALL_TEXT], uint64_t us);
