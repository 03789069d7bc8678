/** @file process.h  The process's own figures, by the names all exporters use */
#pragma once

#include "daemon/base/buf.h"

/** Append process_cpu_seconds_total and its like; what the system does not
 * tell is left out. */
void process_print(struct buf *out);
