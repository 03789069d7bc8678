/**
 * @file cursors.h  Where named subscribers go on, as a file
 *
 *    {"epoch":"00000000000000ab","cursors":[["crm",1234],...],"crc":"..."}
 *
 * Used longest ago first.  The last member is the CRC-32 of all before its
 * comma.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/pub/names.h"

void cursors_print(struct buf *out, const struct names *n, uint64_t epoch);
/**
 * @param n Empty; gets them
 *
 * @return 0, -EBADMSG (`n` and `epoch` untouched) or -ENOMEM
 */
int cursors_parse(struct names *n, uint64_t *epoch, const char *text,
		  size_t len);
