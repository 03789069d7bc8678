/** @file writer.c  JSON text straight into a buffer */
#include "daemon/pub/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/event.h"
#include "daemon/base/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Bytes that belong together at `p`; `fit`: they may stay as they are. */
static size_t character(const uint8_t *p, size_t left, bool *fit)
{
	const size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	*fit = n <= left && utf8_valid((const char *)p, n);
	if (!*fit)
		return 1;
	if (n == 1)
		*fit = *p >= 0x20 && *p != 0x7f;
	else if (n == 2)
		*fit = *p != 0xc2 || p[1] >= 0xa0; /* C1 moves terminals */
	return n;
}

static bool plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void quote(struct buf *out, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t i = 0, from = 0;

	buf_add(out, "\"", 1);
	while (i < len) {
		const char *instead = NULL;
		size_t n = 1;
		bool fit;

		if (plain(p[i])) { /* nearly always */
			i++;
			continue;
		}
		switch (p[i]) {
		case '"':  instead = "\\\""; break;
		case '\\': instead = "\\\\"; break;
		case '\n': instead = "\\n"; break;
		case '\r': instead = "\\r"; break;
		case '\t': instead = "\\t"; break;
		default:
			n = character(p + i, len - i, &fit);
			if (!fit)
				instead = replacement;
		}
		if (instead) {
			buf_add(out, text + from, i - from);
			buf_puts(out, instead);
			from = i + n;
		}
		i += n;
	}
	buf_add(out, text + from, len - from);
	buf_add(out, "\"", 1);
}

static void begin(struct writer *w, const char *key)
{
	if (w->comma)
		buf_add(w->out, ",", 1);
	w->comma = true;
	if (key) {
		quote(w->out, key, strlen(key));
		buf_add(w->out, ":", 1);
	}
}

void writer_open(struct writer *w, const char *key, char c)
{
	begin(w, key);
	buf_add(w->out, &c, 1);
	w->comma = false;
}

void writer_close(struct writer *w, char c)
{
	buf_add(w->out, &c, 1);
	w->comma = true;
}

void writer_str(struct writer *w, const char *key, const char *text, size_t max)
{
	if (text && *text)
		writer_text(w, key, text, utf8_cut(text, strlen(text), max));
}

void writer_text(struct writer *w, const char *key, const char *text,
		 size_t len)
{
	begin(w, key);
	quote(w->out, text, len);
}

void writer_uint(struct writer *w, const char *key, uint64_t v)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	if (v == EVENT_UNKNOWN)
		return;
	begin(w, key);
	do {
		*--p = (char)('0' + v % 10);
	} while (v /= 10);
	buf_add(w->out, p, (size_t)(digits + sizeof(digits) - p));
}

void writer_real(struct writer *w, const char *key, double v)
{
	char digits[32];

	if (!isfinite(v) || v < 0)
		return;
	begin(w, key);
	snprintf(digits, sizeof(digits), "%.6g", v);
	buf_puts(w->out, digits);
}

void writer_true(struct writer *w, const char *key, bool v)
{
	if (!v)
		return;
	begin(w, key);
	buf_puts(w->out, "true");
}
