/** @file table.c  Rows of foreign text in columns as wide as they need */
#include "tools/trunkscribectl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_put(struct table *t, const char *text)
{
	if (t->n == t->size) {
		const size_t size = t->size ? 2 * t->size : 64;
		char **cells = realloc(t->cells, size * sizeof(*cells));

		if (!cells)
			return;
		t->cells = cells;
		t->size = size;
	}
	t->cells[t->n++] = strdup(text ? text : "-");
}

void table_putf(struct table *t, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	table_put(t, buf_str(&b));
	buf_free(&b);
}

static const char *cell(const struct table *t, size_t i)
{
	return t->cells[i] ? t->cells[i] : "?";
}

static void put_row(struct buf *line, const struct table *t,
		    const int *widths, size_t columns, size_t first)
{
	for (size_t i = 0; i < columns; i++) {
		const char *head = t->heads[i];
		const bool right = head[0] == '#';
		const char *text = first == SIZE_MAX ? head + right
						     : cell(t, first + i);

		if (i)
			buf_puts(line, "  ");
		screen_column(line, text, widths[i], right);
	}
}

void table_print(struct buf *out, const struct screen *s,
		 const struct table *t)
{
	int widths[TABLE_COLUMNS];
	struct buf line = {0};
	size_t columns = 0;

	for (; t->heads[columns] && columns < TABLE_COLUMNS; columns++) {
		const char *head = t->heads[columns];

		widths[columns] = screen_width(head + (head[0] == '#'));
	}
	for (size_t i = 0; i < t->n; i++) {
		const int w = screen_width(cell(t, i));
		int *const most = &widths[i % columns];

		*most = w > *most ? w : *most;
		*most = *most > TABLE_WIDEST ? TABLE_WIDEST : *most;
	}
	put_row(&line, t, widths, columns, SIZE_MAX);
	screen_line(out, s, COLOUR_BOLD, buf_str(&line));
	for (size_t i = 0; i + columns <= t->n; i += columns) {
		buf_clear(&line);
		put_row(&line, t, widths, columns, i);
		screen_line(out, s, COLOUR_NONE, buf_str(&line));
	}
	buf_free(&line);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){0};
}
