#include "daemon/sig/sip_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/number.h"
#include "daemon/sig/sip.h"
#include "daemon/sig/sip_head.h"

/*
 * The front of the buffer is where the next message is looked for:
 * SEEK until a line stands there that can begin one, HEAD until its blank
 * line has come, BODY until its bytes have.
 */
enum state { SEEK, HEAD, BODY };

struct sip_stream {
	struct buf buf;
	enum state state;
	size_t taken;     /* Handed out, goes at the next call */
	size_t line;      /* HEAD: where the line not yet whole begins */
	size_t scanned;   /* No line end before this */
	size_t body_len;
	bool has_length;
	unsigned blank;   /* SEEK: lines in a row */
	bool pinged;
};

int sip_stream_new(struct sip_stream **out)
{
	struct sip_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*out = s;
	return 0;
}

void sip_stream_free(struct sip_stream *s)
{
	if (!s)
		return;
	buf_free(&s->buf);
	free(s);
}

static void begin_anew(struct sip_stream *s, size_t drop)
{
	buf_shift(&s->buf, drop);
	s->state = SEEK;
	s->line = s->scanned = s->body_len = 0;
	s->has_length = false;
}

static void settle(struct sip_stream *s)
{
	if (s->taken)
		begin_anew(s, s->taken);
	s->taken = 0;
}

void sip_stream_lost(struct sip_stream *s)
{
	s->taken = 0;
	buf_clear(&s->buf);
	begin_anew(s, 0);
	s->blank = 0;
}

/* The line at `from`, if it is whole: 1 and its text without line end */
static int whole_line(struct sip_stream *s, size_t from, struct sip_text *out,
		      size_t *next)
{
	const char *base = buf_str(&s->buf);
	const size_t begin = MAX(from, s->scanned);
	const char *lf = begin < s->buf.len
				 ? memchr(base + begin, '\n',
					  s->buf.len - begin)
				 : NULL;

	s->scanned = lf ? (size_t)(lf - base) + 1 : s->buf.len;
	if (!lf)
		return 0;
	out->p = base + from;
	out->len = (size_t)(lf - out->p);
	if (out->len && out->p[out->len - 1] == '\r')
		out->len--;
	*next = s->scanned;
	return 1;
}

/* Throw away lines until one can begin a message */
static int seek(struct sip_stream *s)
{
	struct sip_text line;
	size_t begin = 0, next = 0;

	while (whole_line(s, begin, &line, &next)) {
		if (line.len && sip_looks_like((const uint8_t *)line.p,
					       next - begin)) {
			begin_anew(s, begin);
			s->line = s->scanned = next - begin;
			s->state = HEAD;
			s->blank = 0;
			return 1;
		}
		s->blank = line.len ? 0 : s->blank + 1;
		if (s->blank == 2) {
			s->pinged = true;
			s->blank = 0;
		}
		begin = next;
	}
	/* A line this long begins nothing; its rest is junk as well */
	if (s->buf.len - begin > SIP_LINE_MAX)
		begin = s->buf.len;
	begin_anew(s, begin);
	s->scanned = s->buf.len;
	return 0;
}

/* 1: Content-Length, `out` is it; 0: another header; -EBADMSG: nonsense */
static int read_length(struct sip_text line, uint64_t *out)
{
	struct sip_text value = line;
	const struct sip_text name = sip_text_trim(sip_text_cut(&value, ':'));

	if (!sip_text_is(name, "content-length") && !sip_text_is(name, "l"))
		return 0;
	value = sip_text_trim(value);
	return number_parse(out, value.p, value.len, SIP_MESSAGE_MAX) < 0
		       ? -EBADMSG : 1;
}

/* Read header lines; a head that makes no sense is skipped with its line */
static int read_head(struct sip_stream *s)
{
	struct sip_text line;
	size_t next = 0;
	uint64_t n = 0;

	while (whole_line(s, s->line, &line, &next)) {
		const int got = line.len ? read_length(line, &n) : 0;

		if (got < 0 || (got && s->has_length && n != s->body_len)) {
			begin_anew(s, next);
			return 1;
		}
		if (got) {
			s->has_length = true;
			s->body_len = n;
		}
		s->line = next;
		if (line.len == 0) {
			s->state = BODY;
			return 1;
		}
	}
	return 0;
}

/* As far as the bytes go: 1 when a whole message stands at the front */
static int advance(struct sip_stream *s)
{
	for (;;) {
		switch (s->state) {
		case SEEK:
			if (!seek(s))
				return 0;
			break;
		case HEAD:
			if (!read_head(s))
				return 0;
			break;
		case BODY:
			if (s->line + s->body_len > SIP_MESSAGE_MAX) {
				begin_anew(s, s->line);
				break;
			}
			return s->buf.len - s->line >= s->body_len;
		}
	}
}

int sip_stream_feed(struct sip_stream *s, const uint8_t *data, size_t len)
{
	settle(s);
	buf_add(&s->buf, data, len);
	if (s->buf.err) {
		sip_stream_lost(s);
		return -ENOMEM;
	}
	if (!advance(s) && s->buf.len > SIP_MESSAGE_MAX) {
		sip_stream_lost(s);
		return -EMSGSIZE;
	}
	return 0;
}

int sip_stream_next(struct sip_stream *s, const uint8_t **data, size_t *len)
{
	settle(s);
	if (!advance(s))
		return 0;
	s->taken = s->line + s->body_len;
	*data = s->buf.data;
	*len = s->taken;
	return 1;
}

bool sip_stream_pinged(struct sip_stream *s)
{
	const bool pinged = s->pinged;

	s->pinged = false;
	return pinged;
}
