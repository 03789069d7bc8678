/**
 * @file log.h  Lines for the operator on stderr
 *
 * One line a call, "<level> area: text"; control characters and what is not
 * UTF-8 are replaced, so foreign text cannot forge lines or move a terminal's
 * cursor.  What may never
 * be logged: keys, transcript text, DTMF digits, telephone numbers.
 *
 * A message that foreign bytes can provoke goes through log_limited(): one
 * line per source and kind in ten seconds, then how many were kept back.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/** Messages less urgent than this are dropped.  Default LOG_WARN. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
/** "error" "warn" "info" "debug" -> level; -1: none of them. */
int log_level_by_name(const char *name);

void log_line(enum log_level level, const char *area, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_line(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_line(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_line(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_line(LOG_DEBUG, area, __VA_ARGS__)

/** State of one rate-limited message; `{0}` to begin. */
struct log_limit {
	bool logged;
	uint64_t since_us;
	uint64_t kept_back;
};

/**
 * May this message be logged now?
 *
 * @param now_us Any clock that does not go back
 * @param kept_back Set when true is returned: messages not logged since the
 *                  last one
 */
bool log_limited(struct log_limit *l, uint64_t now_us, uint64_t *kept_back);
