/** @file scan.c  The look at a configuration before libconfuse gets it */
#include "daemon/cfg/scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/utf8.h"

enum { KEYS_MAX = 128 }; /* keys of one section that are compared */

enum token { T_END, T_WORD, T_STRING, T_OPEN, T_CLOSE, T_EQUAL, T_APPEND,
	     T_COMMA };

struct word {
	const char *text;
	size_t len;
	unsigned line;
};

struct scanner {
	struct scan *out;
	struct buf *why;
	char *text;
	size_t len, at;
	unsigned line;
	struct word word;    /* the last T_WORD */
	bool in_section, in_list;
	unsigned begun;      /* line of the statement outside sections */
	struct word keys[KEYS_MAX];
	size_t n_keys;
};

static int wrong(struct scanner *s, unsigned line, const char *what)
{
	s->out->error_line = line;
	buf_puts(s->why, what);
	return -EBADMSG;
}

static char peek(const struct scanner *s, size_t ahead)
{
	return s->at + ahead < s->len ? s->text[s->at + ahead] : '\0';
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("_.:/@%-", c));
}

/* Blanks one character of a comment. */
static void blank(struct scanner *s)
{
	if (s->text[s->at] == '\n')
		s->line++;
	else
		s->text[s->at] = ' ';
	s->at++;
}

static int skip_block_comment(struct scanner *s)
{
	const unsigned line = s->line;

	blank(s);
	blank(s);
	while (s->at < s->len) {
		const bool last = peek(s, 0) == '*' && peek(s, 1) == '/';

		blank(s);
		if (last) {
			blank(s);
			return 0;
		}
	}
	return wrong(s, line, "the comment that begins here is never closed; "
			      "end it with */");
}

static int skip_blanks(struct scanner *s)
{
	while (s->at < s->len) {
		const char c = peek(s, 0);
		int err = 0;

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			blank(s);
		else if (c == '#' || (c == '/' && peek(s, 1) == '/'))
			while (s->at < s->len && peek(s, 0) != '\n')
				blank(s);
		else if (c == '/' && peek(s, 1) == '*')
			err = skip_block_comment(s);
		else
			return 0;
		if (err)
			return err;
	}
	return 0;
}

/* What libconfuse would read as something else than its author meant. */
static const char *escape_error(const struct scanner *s, char quote)
{
	const char next = peek(s, 1);

	if (quote == '\'')
		return NULL;
	if (peek(s, 0) == '$' && next == '{')
		return "${...} is not replaced here; put the text into single "
		       "quotes to mean it as it stands";
	if (peek(s, 0) == '\\' && (!next || !strchr("\"\\'nt\n", next)))
		return "unknown escape in a string; write \\\\ for a "
		       "backslash, or put the text into single quotes";
	return NULL;
}

static int take_string(struct scanner *s, char quote)
{
	const unsigned line = s->line;

	for (s->at++; s->at < s->len && peek(s, 0) != quote; s->at++) {
		const char *error = escape_error(s, quote);

		if (error)
			return wrong(s, s->line, error);
		if (peek(s, 0) == '\\' && s->at + 1 < s->len)
			s->at++;
		if (peek(s, 0) != '\n')
			continue;
		s->line++;
		if (!s->out->long_string)
			s->out->long_string = line;
	}
	if (s->at >= s->len)         /* the first long one is the culprit */
		return wrong(s, s->out->long_string ? s->out->long_string : line,
			     "the string that begins here is never closed; a "
			     "quote is missing");
	s->at++;
	return T_STRING;
}

static int take_word(struct scanner *s)
{
	s->word = (struct word){ s->text + s->at, 0, s->line };
	for (; is_word(peek(s, 0)); s->at++, s->word.len++)
		if (peek(s, 0) == '/' && peek(s, 1) &&
		    strchr("/*", peek(s, 1)))
			return wrong(s, s->line, "// and /* begin a comment; "
						 "put the value into quotes");
	return T_WORD;
}

/* The next token, or -errno. */
static int take(struct scanner *s)
{
	static const struct {
		char c;
		enum token t;
	} marks[] = { { '{', T_OPEN }, { '}', T_CLOSE }, { '=', T_EQUAL },
		      { ',', T_COMMA } };
	const int err = skip_blanks(s);
	const char c = peek(s, 0);

	if (err)
		return err;
	if (s->at >= s->len)
		return T_END;
	if (c == '"' || c == '\'')
		return take_string(s, c);
	if (is_word(c))
		return take_word(s);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (c == marks[i].c) {
			s->at++;
			return (int)marks[i].t;
		}
	}
	if (c == '+' && peek(s, 1) == '=') {
		s->at += 2;
		return T_APPEND;
	}
	return wrong(s, s->line, "a character that means nothing here; put "
				 "values into quotes, one key or section "
				 "after the other without any mark between");
}

static int add_section(struct scanner *s)
{
	struct scan *out = s->out;

	/* room for a power of two, so growing is rare */
	if ((out->n_sections & (out->n_sections - 1)) == 0) {
		const size_t room = MAX(out->n_sections * 2, (size_t)1);
		unsigned *more = realloc(out->section_lines,
					 room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		out->section_lines = more;
	}
	out->section_lines[out->n_sections++] = s->begun ? s->begun : s->line;
	s->in_section = true;
	s->n_keys = 0;
	return 0;
}

/* A key of a section: given before? */
static int add_key(struct scanner *s)
{
	const struct word *w = &s->word;

	for (size_t i = 0; i < s->n_keys; i++) {
		if (s->keys[i].len != w->len ||
		    memcmp(s->keys[i].text, w->text, w->len) != 0)
			continue;
		buf_printf(s->why, "%.*s is given a second time, the first "
			   "was in line %u; remove one", (int)MIN(w->len, 64u),
			   w->text, s->keys[i].line);
		s->out->error_line = w->line;
		return -EBADMSG;
	}
	if (s->n_keys < KEYS_MAX)
		s->keys[s->n_keys++] = *w;
	return 0;
}

static int unclosed(struct scanner *s, const char *what)
{
	buf_printf(s->why, "%s the one of line %u; is a } missing before?",
		   what, s->out->section_lines[s->out->n_sections - 1]);
	s->out->error_line = s->line;
	return -EBADMSG;
}

/* Follows sections, keys and lists as far as lines and repeats need it; what
 * is no sentence at all is libconfuse's to tell. */
static int follow(struct scanner *s, enum token before, enum token t)
{
	/* libconfuse takes "asr=main|url" for a path into the sections */
	if (t == T_STRING && !s->in_list &&
	    (s->in_section ? before != T_EQUAL && before != T_APPEND
			   : !s->begun))
		return wrong(s, s->line, "a key or section is written without "
					 "quotes, and = stands between a key "
					 "and its value");
	if (t == T_WORD && !s->in_section && !s->begun)
		s->begun = s->word.line;
	if (t == T_EQUAL && before == T_WORD && s->in_section && !s->in_list)
		return add_key(s);
	if (t == T_OPEN && (before == T_EQUAL || before == T_APPEND)) {
		s->in_list = true;
	} else if (t == T_OPEN && !s->in_section) {
		return add_section(s);
	} else if (t == T_OPEN && !s->in_list) {
		return unclosed(s, "a section begins inside");
	} else if (t == T_CLOSE && s->in_list) {
		s->in_list = false;
	} else if (t == T_CLOSE) {
		s->in_section = false;
		s->begun = 0;
	}
	return 0;
}

/* Characters that have no place anywhere in the file. */
static int check_characters(struct scanner *s)
{
	unsigned line = 1;

	if (s->len >= 3 && !memcmp(s->text, "\xef\xbb\xbf", 3))
		memset(s->text, ' ', 3);
	for (size_t i = 0; i < s->len; i++) {
		const unsigned char c = (unsigned char)s->text[i];

		if (c == '\n')
			line++;
		else if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
			return wrong(s, line, "a control character; remove it "
					      "(is this a text file?)");
	}
	if (utf8_valid(s->text, s->len))
		return 0;
	line = 1;
	for (char *at = s->text, *end = at + s->len, *nl; at < end;
	     at = nl + 1, line++) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if (!nl)
			nl = end;
		if (!utf8_valid(at, (size_t)(nl - at)))
			break;
	}
	return wrong(s, line, "not UTF-8; save the file in that encoding");
}

int scan_config(struct scan *out, char *text, size_t len, struct buf *why)
{
	struct scanner s = { .out = out, .why = why, .text = text, .len = len,
			     .line = 1 };
	enum token before = T_END;
	int err;

	*out = (struct scan){0};
	err = check_characters(&s);
	while (!err) {
		const int t = take(&s);

		if (t == T_END && s.in_section)
			err = unclosed(&s, "the file ends inside a section,");
		if (t < 0)
			err = t;
		if (t <= 0)
			break;
		err = follow(&s, before, (enum token)t);
		before = (enum token)t;
	}
	return err;
}

void scan_free(struct scan *s)
{
	free(s->section_lines);
	*s = (struct scan){0};
}
