/** @file dialect.c  Templates filled in */
#include "tools/callgen/dialect.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024 };

static int read_labels(struct dialect *d, const char *s, size_t len)
{
	d->legs = 0;
	for (size_t at = 0; at < len;) {
		const size_t n = strcspn(s + at, " \n");

		if (n == 0 || n >= LABEL_MAX || d->legs == LEGS_MAX)
			return -EBADMSG;
		snprintf(d->labels[d->legs++], LABEL_MAX, "%.*s", (int)n, s + at);
		at += n + 1;
	}
	return d->legs ? 0 : -EBADMSG;
}

/* "% labels 1 2" */
static int read_word(struct dialect *d, const char *line, size_t len)
{
	static const char labels[] = "% labels ", contact[] = "% contact ";
	const size_t n = sizeof(labels) - 1, m = sizeof(contact) - 1;

	if (len > n && !memcmp(line, labels, n))
		return read_labels(d, line + n, len - n);
	if (len <= m || memcmp(line, contact, m) ||
	    len - m >= sizeof(d->contact))
		return -EBADMSG;
	snprintf(d->contact, sizeof(d->contact), "%.*s", (int)(len - m),
		 line + m);
	return 0;
}

int dialect_read(struct dialect *d, const char *text, size_t len,
		 struct buf *why)
{
	unsigned number = 1;

	*d = (struct dialect){0};
	buf_add(&d->text, text, len);
	const char *s = buf_str(&d->text);

	for (; s[d->at] == '%'; number++) {
		const size_t n = strcspn(s + d->at, "\n");

		if (read_word(d, s + d->at, n) || !s[d->at + n]) {
			buf_printf(why, "line %u: write \"%% labels 1 2\" or "
				   "\"%% contact ;+sip.src\"", number);
			return -EBADMSG;
		}
		d->at += n + 1;
	}
	if (d->legs && strstr(s + d->at, "\n\n"))
		return 0;
	buf_puts(why, d->legs ? "an empty line between headers and body is missing"
			      : "a line \"% labels 1 2\" is missing");
	return -EBADMSG;
}

int dialect_load(struct dialect *d, const char *path, struct buf *why)
{
	struct buf file = {0}, what = {0};
	FILE *f = fopen(path, "rb");
	int err = f ? 0 : -errno;

	if (f) {
		uint8_t *room = buf_room(&file, FILE_MAX);

		file.len = room ? fread(room, 1, FILE_MAX, f) : 0;
		err = ferror(f) ? -EIO : 0;
		fclose(f);
	}
	if (err)
		buf_printf(why, "%s: %s", path, strerror(-err));
	else if ((err = dialect_read(d, (char *)file.data, file.len, &what)))
		buf_printf(why, "%s: %s", path, buf_str(&what));
	buf_free(&file);
	buf_free(&what);
	return err;
}

void dialect_free(struct dialect *d)
{
	buf_free(&d->text);
	*d = (struct dialect){0};
}

/* "PORT1" -> leg 0, when `name` is PORT */
static bool of_leg(const char *key, size_t len, const char *name, unsigned *leg)
{
	const size_t n = strlen(name);

	if (len != n + 1 || memcmp(key, name, n) || key[n] < '1' ||
	    key[n] > '0' + LEGS_MAX)
		return false;
	*leg = (unsigned)(key[n] - '1');
	return true;
}

static bool is(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && !memcmp(key, name, len);
}

/* What stands between two @.  @return false: no such name, plain text */
static bool put_value(struct buf *b, const struct dialect_values *v,
		      const char *key, size_t len)
{
	char ip[ADDR_TEXT];
	struct addr at = v->at[0];
	unsigned k;

	at.port = 0;
	if (is(key, len, "SDP"))
		buf_puts(b, v->sdp);
	else if (is(key, len, "N"))
		buf_printf(b, "%" PRIu64, v->number);
	else if (is(key, len, "SESSION"))
		buf_printf(b, "%032" PRIx64, v->number);
	else if (is(key, len, "IP"))
		buf_puts(b, addr_print(ip, &at));
	else if (is(key, len, "FAMILY"))
		buf_puts(b, at.family == 6 ? "IP6" : "IP4");
	else if (is(key, len, "CALLID"))
		buf_puts(b, v->call_id);
	else if (of_leg(key, len, "PORT", &k))
		buf_printf(b, "%u", v->at[k].port);
	else if (of_leg(key, len, "FORMAT", &k))
		buf_printf(b, "%u", law_payload_type(v->law[k]));
	else if (of_leg(key, len, "CODEC", &k))
		buf_puts(b, law_name(v->law[k]));
	else if (of_leg(key, len, "PTIME", &k))
		buf_printf(b, "%u", v->ptime_ms[k]);
	else
		return false;
	return true;
}

static void fill(struct buf *b, const struct dialect_values *v, const char *s,
		 size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *end = s[i] == '@' && i + 1 < len
				  ? memchr(s + i + 1, '@', len - i - 1) : NULL;

		if (end && put_value(b, v, s + i + 1,
				     (size_t)(end - (s + i + 1))))
			i = (size_t)(end - s);
		else if (s[i] == '\n')
			buf_puts(b, "\r\n");
		else
			buf_add(b, s + i, 1);
	}
}

void dialect_print(const struct dialect *d, const struct dialect_values *v,
		   struct buf *headers, struct buf *body)
{
	const char *s = buf_str(&d->text) + d->at;
	const char *gap = strstr(s, "\n\n");

	fill(headers, v, s, (size_t)(gap - s) + 1);
	fill(body, v, gap + 2, strlen(gap + 2));
}
