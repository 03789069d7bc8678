#include "daemon/sig/multipart.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* RFC 2046: bcharsnospace, and a space that is not the last one */
static bool is_boundary(const char *text, size_t len)
{
	if (len < 1 || len > MULTIPART_BOUNDARY_MAX || text[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		      (c >= 'a' && c <= 'z') ||
		      (c && strchr("'()+_,-./:=? ", c))))
			return false;
	}
	return true;
}

/* Behind the line that begins at p */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf ? lf + 1 : end;
}

enum line { PLAIN, DELIMITER, CLOSING };

static enum line classify(const struct multipart *m, const char *p,
			  const char *next)
{
	const size_t len = (size_t)(next - p);
	enum line found = DELIMITER;

	if (len < m->boundary_len + 2 || p[0] != '-' || p[1] != '-' ||
	    memcmp(p + 2, m->boundary, m->boundary_len) != 0)
		return PLAIN;
	p += m->boundary_len + 2;
	if (next - p >= 2 && p[0] == '-' && p[1] == '-') {
		found = CLOSING;
		p += 2;
	}
	for (; p < next; p++)
		if (!strchr(" \t\r\n", *p) || !*p)
			return PLAIN; /* A longer boundary, somebody else's */
	return found;
}

/* Up to the next delimiter: what stands before it; `*found` PLAIN: none */
static const char *skip_to_delimiter(struct multipart *m, enum line *found)
{
	const char *p = m->p;

	*found = PLAIN;
	while (p < m->end) {
		const char *next = line_end(p, m->end);
		const enum line l = classify(m, p, next);

		if (l != PLAIN) {
			*found = l;
			m->p = next;
			return p;
		}
		p = next;
	}
	m->p = m->end;
	return m->end;
}

int multipart_begin(struct multipart *m, const char *boundary,
		    size_t boundary_len, const char *body, size_t len)
{
	enum line found;

	if (!is_boundary(boundary, boundary_len))
		return -EBADMSG;
	*m = (struct multipart){
		.p = body,
		.end = body + len,
		.boundary = boundary,
		.boundary_len = boundary_len,
	};
	skip_to_delimiter(m, &found); /* The preamble */
	m->ended = found != DELIMITER;
	return 0;
}

/* The value of a part's Content-Type, without parameters */
static void read_type(struct multipart_part *out, const char *line, size_t len)
{
	static const char name[] = "content-type";
	const size_t n = sizeof(name) - 1;
	size_t i = n;

	if (len < n || strncasecmp(line, name, n) != 0)
		return;
	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	if (i == len || line[i] != ':')
		return;
	for (i++; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
		;
	out->type = line + i;
	while (i < len && !strchr("; \t\r", line[i]))
		i++;
	out->type_len = (size_t)(line + i - out->type);
}

/* The part's own header, up to a blank line */
static const char *read_head(struct multipart_part *out, const char *p,
			     const char *end)
{
	while (p < end) {
		const char *next = line_end(p, end);
		size_t len = (size_t)(next - p);

		while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
			len--;
		if (len == 0)
			return next;
		read_type(out, p, len);
		p = next;
	}
	return end;
}

int multipart_next(struct multipart *m, struct multipart_part *out)
{
	struct multipart_part part = { .type = "" };
	enum line found;

	if (m->ended)
		return 0;
	const char *begin = m->p;
	const char *end = skip_to_delimiter(m, &found);

	m->ended = found != DELIMITER;
	/* The line end before a delimiter belongs to it */
	if (found != PLAIN && end > begin && end[-1] == '\n')
		end--;
	if (found != PLAIN && end > begin && end[-1] == '\r')
		end--;
	if (++m->parts > MULTIPART_PARTS_MAX ||
	    end - begin > MULTIPART_PART_MAX) {
		m->ended = true;
		return -EMSGSIZE;
	}
	part.data = read_head(&part, begin, end);
	part.len = (size_t)(end - part.data);
	*out = part;
	return 1;
}
