/** @file bare.c  The line of a segment without what was said */
#include "daemon/pub/bare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "daemon/base/number.h"

struct in {
	const char *p, *end;
};

/* Behind the string that begins here, or NULL. */
static const char *string_end(struct in in)
{
	if (in.p == in.end || *in.p != '"')
		return NULL;
	for (const char *p = in.p + 1; p < in.end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

/* Behind the value that begins here, or NULL. */
static const char *value_end(struct in in)
{
	unsigned depth = 0;

	while (in.p < in.end) {
		if (*in.p == '"') {
			in.p = string_end(in);
			if (!in.p || depth == 0)
				return in.p;
			continue;
		}
		if (depth == 0 && (*in.p == ',' || *in.p == '}'))
			return in.p;
		if (*in.p == '{' || *in.p == '[')
			depth++;
		if ((*in.p == '}' || *in.p == ']') && --depth == 0)
			return in.p + 1;
		in.p++;
	}
	return NULL;
}

/* Bytes that a string of ours stands for: it has only short escapes. */
static uint64_t text_length(const char *p, const char *end)
{
	uint64_t n = 0;

	for (p++; p < end - 1; p++, n++)
		if (*p == '\\')
			p++;
	return n;
}

/* Objects in a list of ours. */
static uint64_t list_length(struct in in)
{
	uint64_t n = 0;

	for (in.p++; in.p < in.end && *in.p == '{'; n++) {
		in.p = value_end(in);
		if (!in.p)
			return n;
		in.p += in.p < in.end && *in.p == ',';
	}
	return n;
}

static uint64_t number(const char *p, const char *end)
{
	uint64_t n = 0;

	return number_parse(&n, p, (size_t)(end - p), INT64_MAX) ? 0 : n;
}

static bool is(const char *key, const char *end, const char *name)
{
	const size_t n = strlen(name);

	return (size_t)(end - key) == n + 2 && !memcmp(key + 1, name, n);
}

struct left_out {
	bool text;            /* It had one */
	uint64_t bytes, words;
};

/* One member; what is left out is counted.  @return behind it, or NULL */
static const char *member(struct buf *out, struct in in, struct left_out *l,
			  bool *any)
{
	const char *key = in.p, *key_end = string_end(in);

	if (!key_end || key_end == in.end || *key_end != ':')
		return NULL;
	const char *value = key_end + 1;
	const char *end = value_end((struct in){ value, in.end });
	if (!end)
		return NULL;
	if (is(key, key_end, "text") && *value == '"') {
		l->text = true;
		l->bytes += text_length(value, end);
	} else if (is(key, key_end, "text_omitted")) {
		l->bytes += number(value, end);
	} else if (is(key, key_end, "words")) {
		l->words += list_length((struct in){ value, end });
	} else if (is(key, key_end, "words_omitted")) {
		l->words += number(value, end);
	} else {
		if (*any)
			buf_add(out, ",", 1);
		*any = true;
		buf_add(out, key, (size_t)(end - key));
	}
	return end;
}

static int members(struct buf *out, struct in in, struct left_out *l)
{
	bool any = false;

	if (in.p == in.end || *in.p != '{')
		return -EBADMSG;
	buf_add(out, "{", 1);
	do {
		in.p = member(out, (struct in){ in.p + 1, in.end }, l, &any);
		if (!in.p || in.p == in.end)
			return -EBADMSG;
	} while (*in.p == ',');
	return *in.p == '}' && any ? 0 : -EBADMSG;
}

int bare_line(struct buf *out, const char *line, size_t len)
{
	const size_t begin = out->len;
	struct left_out l = {0};
	int err = members(out, (struct in){ line, line + len }, &l);

	if (!err && l.text)
		buf_puts(out, ",\"text\":\"\"");
	if (!err && l.bytes)
		buf_printf(out, ",\"text_omitted\":%" PRIu64, l.bytes);
	if (!err && l.words)
		buf_printf(out, ",\"words_omitted\":%" PRIu64, l.words);
	buf_puts(out, "}\n");
	if (!err)
		err = out->err;
	if (err && out->data) {
		out->len = begin;
		out->data[begin] = 0;
	}
	return err;
}
