/**
 * @file screen.h  Columns of text on a terminal
 *
 * Text is foreign: control characters and the ones that reorder a line never
 * reach the terminal, and widths are those of the characters (two for CJK,
 * none for combining marks), so columns hold whatever the language.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/buf.h"

enum colour { COLOUR_NONE, COLOUR_LEFT, COLOUR_RIGHT, COLOUR_DIM, COLOUR_BOLD };

struct screen {
	int columns;
	bool colour;
};

/** Ask the terminal behind stdout; 80 columns where there is none.  Colour
 * only on a terminal and without NO_COLOR (https://no-color.org). */
void screen_init(struct screen *s);

/** Columns that one character takes; -1: not to be printed. */
int screen_width_of(unsigned long c);

/**
 * Append `text`, wrapped at white space, as lines of `width` columns each
 * indented by `indent`; the first line's indentation is already there.
 */
void screen_wrap(struct buf *out, const struct screen *s, enum colour colour,
		 const char *text, int indent, int width);
/** One line, cut at the screen's width. */
void screen_line(struct buf *out, const struct screen *s, enum colour colour,
		 const char *text);
/** Columns the text takes, without what is not printed. */
int screen_width(const char *text);
/** Append exactly `width` columns of it: cut, or filled with blanks. */
void screen_column(struct buf *out, const char *text, int width, bool right);
