#include "daemon/sig/sdp_lines.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/sig/sdp.h"

struct line {
	char type;
	const char *value;
	size_t len;
};

/* One section (session or media): its c= and a= lines as they come */
struct section {
	struct line m;        /* type 0: the session's */
	struct line c;
	struct buf attributes;
};

static const char *const used[] = {
	"rtpmap", "ptime", "label", "rtcp", "rtcp-mux", "crypto", "lang",
	"sendrecv", "sendonly", "recvonly", "inactive",
};

static bool is_used(const struct line *a)
{
	const char *colon = memchr(a->value, ':', a->len);
	const size_t len = colon ? (size_t)(colon - a->value) : a->len;

	for (size_t i = 0; i < ARRAY_LEN(used); i++)
		if (len == strlen(used[i]) &&
		    strncasecmp(a->value, used[i], len) == 0)
			return !colon || len + 1 < a->len;
	return false;
}

/* Words with one blank between them */
static void put_words(struct buf *out, const char *text, size_t len)
{
	bool gap = false, any = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == ' ' || text[i] == '\t') {
			gap = any;
			continue;
		}
		if (gap)
			buf_add(out, " ", 1);
		buf_add(out, text + i, 1);
		gap = false;
		any = true;
	}
}

static void put_line(struct buf *out, const struct line *l)
{
	const char head[2] = { l->type, '=' };

	buf_add(out, head, 2);
	put_words(out, l->value, l->len);
	buf_puts(out, "\r\n");
}

static size_t count_words(const struct line *l)
{
	size_t n = 0;
	bool in = false;

	for (size_t i = 0; i < l->len; i++) {
		const bool blank = l->value[i] == ' ' || l->value[i] == '\t';

		n += !blank && !in;
		in = !blank;
	}
	return n;
}

static void end_section(struct buf *out, struct section *s)
{
	if (s->m.type)
		put_line(out, &s->m);
	else
		buf_puts(out, "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\n");
	if (s->c.type)
		put_line(out, &s->c);
	if (!s->m.type)
		buf_puts(out, "t=0 0\r\n");
	buf_add(out, s->attributes.data, s->attributes.len);
	if (s->attributes.err)
		out->err = s->attributes.err;
	buf_clear(&s->attributes);
	s->c = (struct line){ 0 };
}

/* 1, 0 at the end, or -EBADMSG */
static int next_line(const char **p, const char *end, struct line *out)
{
	while (*p < end && (**p == '\r' || **p == '\n'))
		(*p)++;
	if (*p == end)
		return 0;
	const char *begin = *p;
	const char *at = begin;

	while (at < end && *at != '\r' && *at != '\n')
		at++;
	*p = at;
	while (at - begin > 2 && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	if (at - begin < 2 || begin[1] != '=')
		return -EBADMSG;
	*out = (struct line){ begin[0], begin + 2, (size_t)(at - begin) - 2 };
	return 1;
}

static int take_line(struct buf *out, struct section *s, const struct line *l,
		     size_t *media)
{
	switch (l->type) {
	case 'm':
		if (++*media > SDP_MEDIA_MAX ||
		    count_words(l) > SDP_FORMATS_MAX + 3)
			return -EMSGSIZE;
		end_section(out, s);
		s->m = *l;
		break;
	case 'c':
		if (!s->c.type && count_words(l) == 3)
			s->c = *l;
		break;
	case 'a':
		if (is_used(l))
			put_line(&s->attributes, l);
		break;
	default:
		break;
	}
	return 0;
}

int sdp_lines(struct buf *out, const char *text, size_t len)
{
	struct section s = { 0 };
	const char *p = text, *end = text + len;
	struct line l;
	size_t lines = 0, media = 0;
	int err = 0, got;

	if (len > SDP_MAX)
		return -EMSGSIZE;
	if (len && memchr(text, '\0', len))
		return -EBADMSG;
	while (!err && (got = next_line(&p, end, &l)) != 0) {
		if (got < 0)
			err = got;
		else if (++lines > SDP_LINES_MAX)
			err = -EMSGSIZE;
		else if (lines == 1 && (l.type != 'v' || l.len < 1 ||
					l.value[0] != '0'))
			err = -EBADMSG;
		else
			err = take_line(out, &s, &l, &media);
	}
	if (!err && !lines)
		err = -EBADMSG;
	if (!err) {
		end_section(out, &s);
		err = out->err;
	}
	buf_free(&s.attributes);
	return err;
}
