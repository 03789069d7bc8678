/** @file sip_fields.c  Every header line of a SIP message, as it stands there */
#include "daemon/sig/sip_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"

/* RFC 3261 section 7.3.3, RFC 4028 */
static const struct {
	const char *name;
	char compact;
} compacts[] = {
	{ "via", 'v' },		   { "from", 'f' },
	{ "to", 't' },		   { "call-id", 'i' },
	{ "contact", 'm' },	   { "content-type", 'c' },
	{ "content-length", 'l' }, { "content-encoding", 'e' },
	{ "supported", 'k' },	   { "session-expires", 'x' },
	{ "subject", 's' },
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Line ends before a blank become blanks, NULs become '?', and a CR alone a
 * blank: nobody may take it for a line's end in what we send */
static void unfold(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!text[i])
			text[i] = '?';
		if (text[i] == '\r' && (i + 1 >= len || text[i + 1] != '\n'))
			text[i] = ' ';
		if (text[i] != '\n' || i + 1 >= len || !is_blank(text[i + 1]))
			continue;
		text[i] = ' ';
		if (i && text[i - 1] == '\r')
			text[i - 1] = ' ';
	}
}

/* Bytes up to the blank line, or all */
static size_t head_length(const char *data, size_t len)
{
	size_t begin = 0;

	while (begin < len) {
		const char *lf = memchr(data + begin, '\n', len - begin);

		if (!lf)
			return len;
		const size_t at = (size_t)(lf - data);

		if (at == begin || (at == begin + 1 && data[begin] == '\r'))
			return begin;
		begin = at + 1;
	}
	return len;
}

static struct sip_text next_line(struct sip_text *rest)
{
	struct sip_text line = sip_text_cut(rest, '\n');

	while (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static void read_field(struct sip_fields *f, struct sip_text line)
{
	struct sip_text value = line;

	if (!line.len || line.len > SIP_LINE_MAX || f->n == SIP_HEADERS_MAX ||
	    !memchr(line.p, ':', line.len))
		return;
	const struct sip_text name = sip_text_trim(sip_text_cut(&value, ':'));

	if (name.len)
		f->items[f->n++] = (struct sip_field){ name,
						       sip_text_trim(value) };
}

static void read_start(struct sip_fields *f)
{
	struct sip_text rest = f->start;

	f->method = sip_text_cut(&rest, ' ');
	f->uri = sip_text_cut(&rest, ' ');
	f->version = rest;
}

int sip_fields_read(struct sip_fields *out, const char *data, size_t len)
{
	size_t skip = 0;

	if (len > SIP_MESSAGE_MAX)
		return -EMSGSIZE;
	while (skip < len && (data[skip] == '\r' || data[skip] == '\n'))
		skip++;
	const size_t n = head_length(data + skip, len - skip);

	if (!n)
		return -EBADMSG;
	char *text = malloc(n);

	if (!text)
		return -ENOMEM;
	memcpy(text, data + skip, n);
	unfold(text, n);

	struct sip_text rest = { text, n };

	out->text = text;
	out->n = 0;
	out->start = next_line(&rest);
	read_start(out);
	while (rest.len)
		read_field(out, next_line(&rest));
	return 0;
}

void sip_fields_free(struct sip_fields *f)
{
	free(f->text);
	f->text = NULL;
	f->n = 0;
}

bool sip_fields_request(const struct sip_fields *f)
{
	struct sip_text rest = sip_text_trim(f->start), last = { 0 };

	if (!f->method.len || sip_text_is(f->method, "SIP/2.0"))
		return false;
	while (rest.len)
		last = sip_text_cut(&rest, ' ');
	return last.len > 4 && !strncasecmp(last.p, "SIP/", 4);
}

bool sip_field_is(const struct sip_field *x, const char *name)
{
	if (sip_text_is(x->name, name))
		return true;
	if (x->name.len != 1)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(compacts); i++)
		if ((x->name.p[0] | 0x20) == compacts[i].compact)
			return !strcmp(compacts[i].name, name);
	return false;
}

struct sip_text sip_field(const struct sip_fields *f, const char *name,
			  size_t nth)
{
	for (size_t i = 0; i < f->n; i++)
		if (sip_field_is(&f->items[i], name) && nth-- == 0)
			return f->items[i].value;
	return (struct sip_text){ NULL, 0 };
}

bool sip_field_lists(const struct sip_fields *f, const char *name,
		     const char *what)
{
	for (size_t i = 0; i < f->n; i++) {
		struct sip_text rest = f->items[i].value, one;

		if (!sip_field_is(&f->items[i], name))
			continue;
		while (sip_next_value(&rest, &one))
			if (sip_text_is(one, what))
				return true;
	}
	return false;
}

/* -- values ----------------------------------------------------------------- */

/* Walks over text and knows whether it is inside quotes or brackets */
struct walk {
	bool quoted, angled;
};

/* @return how many bytes this step takes: 2 for an escaped one */
static size_t step(struct walk *w, struct sip_text t, size_t i)
{
	const char c = t.p[i];

	if (w->quoted && c == '\\')
		return 2;
	if (c == '"' && !w->angled)
		w->quoted = !w->quoted;
	else if (c == '<' && !w->quoted)
		w->angled = true;
	else if (c == '>' && !w->quoted)
		w->angled = false;
	return 1;
}

/* The first `c` outside of quotes and brackets, from `i` on; or the end */
static size_t find_outside(struct sip_text t, size_t i, char c)
{
	struct walk w = { 0 };

	while (i < t.len) {
		if (!w.quoted && !w.angled && t.p[i] == c)
			return i;
		i += step(&w, t, i);
	}
	return t.len;
}

bool sip_next_value(struct sip_text *rest, struct sip_text *out)
{
	while (rest->len) {
		const size_t end = find_outside(*rest, 0, ',');
		const struct sip_text one = { rest->p, end };
		const size_t skip = MIN(end + 1, rest->len);

		rest->p += skip;
		rest->len -= skip;
		*out = sip_text_trim(one);
		if (out->len)
			return true;
	}
	return false;
}

bool sip_param(struct sip_text value, const char *name, struct sip_text *out)
{
	size_t at = find_outside(value, 0, ';');

	while (at < value.len) {
		const size_t end = find_outside(value, at + 1, ';');
		struct sip_text one = { value.p + at + 1, end - at - 1 };
		const struct sip_text key =
			sip_text_trim(sip_text_cut(&one, '='));

		if (sip_text_is(key, name)) {
			if (out)
				*out = sip_text_trim(one);
			return true;
		}
		at = end;
	}
	return false;
}

struct sip_text sip_param_base(struct sip_text value)
{
	value = sip_text_trim(value);
	while (value.len && value.p[value.len - 1] == ';') {
		value.len--;
		value = sip_text_trim(value);
	}
	return value;
}

bool sip_balanced(struct sip_text value)
{
	struct walk w = { 0 };
	size_t i = 0;

	while (i < value.len) {
		const bool angled = w.angled;

		i += step(&w, value, i);
		/* one inside the other, or an end without a beginning */
		if (i <= value.len && !w.quoted &&
		    ((value.p[i - 1] == '<' && angled) ||
		     (value.p[i - 1] == '>' && !angled)))
			return false;
	}
	return !w.quoted && !w.angled;
}
