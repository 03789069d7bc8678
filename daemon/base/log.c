/** @file log.c  Lines for the operator on stderr */
#include "daemon/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"

enum {
	LINE_MAX_BYTES = 2048,
	QUIET_US = 10 * 1000 * 1000,
};

static enum log_level threshold = LOG_WARN;
static const char *const names[] = { "error", "warn", "info", "debug" };

void log_set_level(enum log_level level)
{
	threshold = level;
}

enum log_level log_get_level(void)
{
	return threshold;
}

int log_level_by_name(const char *name)
{
	for (int i = 0; i < 4; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

void log_line(enum log_level level, const char *area, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;

	if (level > threshold)
		return;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_clean(text);
	fprintf(stderr, "%s %s: %s\n", names[level], area, text);
}

bool log_limited(struct log_limit *l, uint64_t now_us, uint64_t *kept_back)
{
	if (l->logged && now_us - l->since_us < QUIET_US) {
		l->kept_back++;
		return false;
	}
	*kept_back = l->kept_back;
	l->kept_back = 0;
	l->since_us = now_us;
	l->logged = true;
	return true;
}
