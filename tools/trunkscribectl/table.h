/** @file table.h  Rows of foreign text in columns as wide as they need */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"
#include "tools/trunkscribectl/screen.h"

enum { TABLE_COLUMNS = 12, TABLE_WIDEST = 40 };

/** `{0}` but for `heads`; table_free() at the end. */
struct table {
	const char *const *heads; /**< NULL-ended; "#x": numbers, on the right */
	char **cells;
	size_t n, size;
};

/** The next cell, row by row.  NULL: "-". */
void table_put(struct table *t, const char *text);
void table_putf(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Heads and rows; a cell over TABLE_WIDEST columns is cut, and every line at
 * the screen's width. */
void table_print(struct buf *out, const struct screen *s,
		 const struct table *t);
void table_free(struct table *t);
