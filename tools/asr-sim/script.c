/** @file script.c  Faults on purpose, connection by connection */
#include "tools/asr-sim/script.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"

enum { TOKENS_MAX = 12 };

/* What stands behind the name of a fault. */
enum argument { NONE, NUMBER, TIME, TIME_OR_NONE, NUMBER_OR_NONE, HEX };

static const struct row {
	const char *name;
	enum fault_kind kind;
	enum argument argument;
	uint64_t min, max;
	bool upgrade;             /* takes place before the connection */
} rows[] = {
	{ "ok", FAULT_OK, NONE, 0, 0, true },
	{ "http", FAULT_HTTP, NUMBER, 100, 599, true },
	{ "delay", FAULT_DELAY, TIME, 0, 600000, true },
	{ "wrong-accept", FAULT_WRONG_ACCEPT, NONE, 0, 0, true },
	{ "error", FAULT_ERROR, NUMBER, 0, 65535, false },
	{ "close", FAULT_CLOSE, NUMBER, 1000, 4999, false },
	{ "fin", FAULT_FIN, NONE, 0, 0, false },
	{ "reset", FAULT_RESET, NONE, 0, 0, false },
	{ "stall", FAULT_STALL, TIME_OR_NONE, 0, 3600000, false },
	{ "mute", FAULT_MUTE, NONE, 0, 0, false },
	{ "slow", FAULT_SLOW, NUMBER, 1, 1000000000, false },
	{ "pings", FAULT_PINGS, NUMBER, 1, 1000000, false },
	{ "big", FAULT_BIG, NUMBER, 32, 64u << 20, false },
	{ "bad-json", FAULT_BAD_JSON, NUMBER_OR_NONE, 1, 1000000, false },
	{ "wild-times", FAULT_WILD_TIMES, NONE, 0, 0, false },
	{ "twice", FAULT_TWICE, NONE, 0, 0, false },
	{ "raw", FAULT_RAW, HEX, 0, 0, false },
	{ "ready-delay", FAULT_READY_DELAY, TIME, 0, 600000, true },
	{ "retract", FAULT_RETRACT, NONE, 0, 0, false },
	{ "grow", FAULT_GROW, NONE, 0, 0, false },
};

struct tokens {
	const char *at[TOKENS_MAX];
	size_t len[TOKENS_MAX];
	size_t n, next;
};

static const char *peek(const struct tokens *t)
{
	return t->next < t->n ? t->at[t->next] : NULL;
}

static bool take(struct tokens *t, const char *word)
{
	if (!peek(t) || t->len[t->next] != strlen(word) ||
	    memcmp(peek(t), word, strlen(word)))
		return false;
	t->next++;
	return true;
}

static int take_number(struct tokens *t, uint64_t *out, uint64_t max)
{
	if (!peek(t))
		return -EBADMSG;
	const int err = number_parse(out, peek(t), t->len[t->next], max);

	t->next += !err;
	return err;
}

/* "500ms" or "2s" -> ms */
static int take_time(struct tokens *t, uint64_t *out, uint64_t max)
{
	const char *s = peek(t);
	const size_t n = s ? t->len[t->next] : 0;
	uint64_t scale = 1, v;
	size_t digits;

	if (n > 2 && !memcmp(s + n - 2, "ms", 2)) {
		digits = n - 2;
	} else if (n > 1 && s[n - 1] == 's') {
		digits = n - 1;
		scale = 1000;
	} else {
		return -EBADMSG;
	}
	if (number_parse(&v, s, digits, max / scale))
		return -ERANGE;
	*out = v * scale;
	t->next++;
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int take_hex(struct tokens *t, struct fault *f)
{
	const char *s = peek(t);
	const size_t n = s ? t->len[t->next] : 0;

	if (n == 0 || n % 2 || n / 2 > FAULT_RAW_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n / 2; i++) {
		const int hi = hex_digit(s[2 * i]), lo = hex_digit(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -EBADMSG;
		f->raw[i] = (uint8_t)(hi << 4 | lo);
	}
	f->value = n / 2;
	t->next++;
	return 0;
}

static int take_argument(struct tokens *t, const struct row *r, struct fault *f)
{
	const char *s = peek(t);
	const bool number = s && *s >= '0' && *s <= '9';

	switch (r->argument) {
	case NONE:
		return 0;
	case HEX:
		return take_hex(t, f);
	case NUMBER_OR_NONE:
		f->value = 1;
		if (!number)
			return 0;
		break;
	case TIME_OR_NONE:
		return number ? take_time(t, &f->value, r->max) : 0;
	case TIME:
		return take_time(t, &f->value, r->max);
	case NUMBER:
		break;
	}
	const int err = take_number(t, &f->value, r->max);

	return err ? err : f->value < r->min ? -ERANGE : 0;
}

static int take_when(struct tokens *t, struct fault *f)
{
	if (!peek(t))
		return 0;
	if (take(t, "at-sample")) {
		f->when = WHEN_SAMPLES;
		return take_number(t, &f->at, INT64_MAX);
	}
	if (!take(t, "after") && !take(t, "at"))
		return -EBADMSG;
	if (take(t, "eof")) {
		f->when = WHEN_EOF;
		return 0;
	}
	if (!take_time(t, &f->at, 86400000)) {
		f->when = WHEN_MS;
		return 0;
	}
	f->when = WHEN_SAMPLES;
	if (take_number(t, &f->at, INT64_MAX) ||
	    (!take(t, "samples") && !take(t, "sample")))
		return -EBADMSG;
	return 0;
}

static int parse_fault(struct fault *f, struct tokens *t)
{
	const struct row *r = NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows) && !r; i++)
		if (take(t, rows[i].name))
			r = &rows[i];
	if (!r)
		return -EBADMSG;
	*f = (struct fault){ .kind = r->kind };
	if (take_argument(t, r, f))
		return -EBADMSG;
	if (r->kind == FAULT_HTTP && take(t, "retry-after") &&
	    take_number(t, &f->extra, 86400))
		return -EBADMSG;
	if (r->kind == FAULT_ERROR)
		f->extra = take(t, "other");
	if (r->kind == FAULT_HTTP && f->value == 101)
		return -EBADMSG;
	if (!r->upgrade && take_when(t, f))
		return -EBADMSG;
	return t->next == t->n ? 0 : -EBADMSG;
}

static int split(struct tokens *t, const char *s, size_t len)
{
	*t = (struct tokens){0};
	for (size_t i = 0; i < len;) {
		if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r') {
			i++;
			continue;
		}
		if (t->n == TOKENS_MAX)
			return -E2BIG;
		t->at[t->n] = s + i;
		while (i < len && s[i] != ' ' && s[i] != '\t' && s[i] != '\r')
			i++;
		t->len[t->n] = (size_t)(s + i - t->at[t->n]);
		t->n++;
	}
	return 0;
}

/* "3x " in front of a plan. */
static size_t parse_times(struct plan *p, const char *line, size_t len)
{
	size_t n = 0;
	uint64_t times;

	while (n < len && (line[n] == ' ' || line[n] == '\t'))
		n++;
	const size_t from = n;

	while (n < len && line[n] >= '0' && line[n] <= '9')
		n++;
	if (n == from || n + 1 >= len || line[n] != 'x' || line[n + 1] != ' ' ||
	    number_parse(&times, line + from, n - from, 1000000) || times == 0)
		return 0;
	p->times = times;
	return n + 1;
}

static int parse_plan(struct plan *p, const char *line, size_t len,
		      struct buf *why)
{
	struct tokens t;

	*p = (struct plan){ .times = 1 };
	for (size_t i = parse_times(p, line, len); i <= len;) {
		const char *end = memchr(line + i, ';', len - i);
		const size_t n = end ? (size_t)(end - line) - i : len - i;

		if (p->n == PLAN_FAULTS) {
			buf_printf(why, "more than %d faults", PLAN_FAULTS);
			return -EINVAL;
		}
		if (split(&t, line + i, n) ||
		    parse_fault(&p->faults[p->n], &t)) {
			buf_printf(why, "cannot read \"%.*s\"", (int)n, line + i);
			return -EINVAL;
		}
		p->n++;
		i += n + 1;
	}
	p->text = strndup(line, len);
	return p->text ? 0 : -ENOMEM;
}

static int add_line(struct script *s, const char *line, size_t len,
		    struct buf *why)
{
	const char *comment = memchr(line, '#', len);
	struct tokens t;
	struct plan p;

	if (comment)
		len = (size_t)(comment - line);
	while (len > 0 && strchr(" \t\r", line[len - 1]))
		len--;
	if (!split(&t, line, len) && t.n == 0)
		return 0;
	const int err = parse_plan(&p, line, len, why);

	if (err)
		return err;
	struct plan *more = realloc(s->plans, (s->n + 1) * sizeof(*more));

	if (!more) {
		free(p.text);
		return -ENOMEM;
	}
	s->plans = more;
	s->plans[s->n++] = p;
	return 0;
}

int script_parse(struct script *out, const char *text, struct buf *why)
{
	struct script s = {0};
	unsigned line = 1;

	for (const char *at = text; *at; line++) {
		const size_t n = strcspn(at, "\n");
		struct buf what = {0};
		const int err = add_line(&s, at, n, &what);

		if (err) {
			buf_printf(why, "line %u: %s", line, buf_str(&what));
			buf_free(&what);
			script_free(&s);
			return err;
		}
		at += n + (at[n] == '\n');
	}
	*out = s;
	return 0;
}

void script_free(struct script *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->plans[i].text);
	free(s->plans);
	*s = (struct script){0};
}

const struct plan *script_plan(const struct script *s, uint64_t n)
{
	for (size_t i = 0; i < s->n; i++) {
		if (n < s->plans[i].times)
			return &s->plans[i];
		n -= s->plans[i].times;
	}
	return s->n > 0 ? &s->plans[s->n - 1] : NULL;
}

const struct fault *plan_fault(const struct plan *p, enum fault_kind kind)
{
	for (size_t i = 0; p && i < p->n; i++)
		if (p->faults[i].kind == kind)
			return &p->faults[i];
	return NULL;
}
