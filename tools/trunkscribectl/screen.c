/** @file screen.c  Columns of text on a terminal */
#include "tools/trunkscribectl/screen.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "daemon/base/utf8.h"

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 400 };

static const char *const colours[] = {
	[COLOUR_NONE] = "", [COLOUR_LEFT] = "\033[36m",
	[COLOUR_RIGHT] = "\033[33m", [COLOUR_DIM] = "\033[2m",
	[COLOUR_BOLD] = "\033[1m",
};

void screen_init(struct screen *s)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	struct winsize w = {0};

	setlocale(LC_CTYPE, "C.UTF-8"); /* wcwidth() knows Unicode then */
	*s = (struct screen){ .columns = 80 };
	if (!isatty(STDOUT_FILENO))
		return;
	s->colour = !(no_colour && *no_colour) &&
		    !(term && !strcmp(term, "dumb"));
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col)
		s->columns = w.ws_col;
	if (s->columns < COLUMNS_MIN)
		s->columns = COLUMNS_MIN;
	if (s->columns > COLUMNS_MAX)
		s->columns = COLUMNS_MAX;
}

int screen_width_of(unsigned long c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return -1;
	/* marks that reorder the rest of a line (Unicode TR 9) */
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    c == 0x200e || c == 0x200f || c == 0x061c || c == 0x2028 ||
	    c == 0x2029)
		return -1;
	const int w = wcwidth((wchar_t)c);
	if (w >= 0)
		return w;
	/* joiners shape Indic scripts; the rest is unassigned */
	return c == 0x200c || c == 0x200d ? 0 : c < 0x10000 ? 1 : 2;
}

/* One character.  @return its bytes, 0 at the end; `*width` -1: not for us */
static size_t next_char(const char *p, int *width)
{
	const unsigned char b = (unsigned char)*p;
	const size_t want = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
	unsigned long c = b;

	if (!b)
		return 0;
	const size_t n = strnlen(p, want);
	if (n < want || !utf8_valid(p, want)) {
		*width = -1;
		return 1;
	}
	if (want > 1)
		c = b & (0x7f >> want);
	for (size_t i = 1; i < want; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	*width = screen_width_of(c);
	return want;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void coloured(struct buf *out, const struct screen *s,
		     enum colour colour, const struct buf *text)
{
	const bool on = s->colour && colour != COLOUR_NONE && text->len;

	if (on)
		buf_puts(out, colours[colour]);
	buf_add(out, text->data, text->len);
	if (on)
		buf_puts(out, "\033[0m");
}

struct wrapped {
	struct buf *out;
	const struct screen *s;
	enum colour colour;
	struct buf line;
	int used, indent, width;
};

static void new_line(struct wrapped *w)
{
	coloured(w->out, w->s, w->colour, &w->line);
	buf_printf(w->out, "\n%*s", w->indent, "");
	buf_clear(&w->line);
	w->used = 0;
}

/* A word, broken only where it is longer than a whole line. */
static const char *word(struct wrapped *w, const char *p)
{
	struct buf part = {0};
	int used = 0, width;

	for (size_t n; !is_space(*p) && (n = next_char(p, &width)) != 0;
	     p += n) {
		if (width < 0)
			continue;
		if (used + width > w->width) { /* fills a line of its own */
			if (w->used)
				new_line(w);
			buf_add(&w->line, part.data, part.len);
			w->used = used;
			new_line(w);
			buf_clear(&part);
			used = 0;
		}
		buf_add(&part, p, n);
		used += width;
	}
	if (w->used && w->used + 1 + used > w->width)
		new_line(w);
	if (w->used && used) {
		buf_puts(&w->line, " ");
		w->used++;
	}
	buf_add(&w->line, part.data, part.len);
	w->used += used;
	buf_free(&part);
	return p;
}

void screen_wrap(struct buf *out, const struct screen *s, enum colour colour,
		 const char *text, int indent, int width)
{
	struct wrapped w = { .out = out, .s = s, .colour = colour,
			     .indent = indent, .width = width < 1 ? 1 : width };

	while (*text) {
		if (is_space(*text))
			text++;
		else
			text = word(&w, text);
	}
	coloured(out, s, colour, &w.line);
	buf_puts(out, "\n");
	buf_free(&w.line);
}

void screen_line(struct buf *out, const struct screen *s, enum colour colour,
		 const char *text)
{
	struct buf line = {0};
	int used = 0, width;

	for (size_t n; (n = next_char(text, &width)) != 0; text += n) {
		if (width < 0)
			continue;
		if (used + width > s->columns)
			break;
		buf_add(&line, text, n);
		used += width;
	}
	coloured(out, s, colour, &line);
	buf_puts(out, "\n");
	buf_free(&line);
}

int screen_width(const char *text)
{
	int used = 0, width;

	for (size_t n; (n = next_char(text, &width)) != 0; text += n)
		used += width > 0 ? width : 0;
	return used;
}

void screen_column(struct buf *out, const char *text, int width, bool right)
{
	struct buf kept = {0};
	int used = 0, wide;

	for (size_t n; (n = next_char(text, &wide)) != 0; text += n) {
		if (wide < 0)
			continue;
		if (used + wide > width)
			break;
		buf_add(&kept, text, n);
		used += wide;
	}
	buf_printf(out, "%*s%s%*s", right ? width - used : 0, "",
		   buf_str(&kept), right ? 0 : width - used, "");
	buf_free(&kept);
}
