/**
 * @file result.h  A piece of transcript, as an ASR service says it
 *
 * Borrowed for the call that hands it over.  Times are microseconds of audio
 * on the *connection*: 0 is the first sample the service got on it; the leg
 * moves them to its own timeline.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESULT_WORDS_MAX = 4096, RESULT_TEXT_MAX = 64 * 1024 };
#define TIME_UNKNOWN INT64_MIN

struct asr_word {
	const char *text;      /**< UTF-8 */
	int64_t start_us;      /**< Or TIME_UNKNOWN */
	int64_t end_us;
	double confidence;     /**< 0..1; below 0: not given */
};

enum result_state {
	RESULT_PARTIAL,        /**< Replaces the partials of the same key */
	RESULT_FINAL,          /**< The service will not change it, but a
				    second final of the same key is a revision */
	RESULT_RETRACTED,      /**< What was said under this key is void */
};

struct asr_result {
	enum result_state state;
	const char *key;       /**< The service's own id of the segment, unique
				    in the connection; never NULL */
	const char *text;      /**< The whole text so far, UTF-8 */
	int64_t start_us;      /**< Or TIME_UNKNOWN */
	int64_t end_us;        /**< Or TIME_UNKNOWN */
	double confidence;     /**< 0..1; below 0: not given */
	const char *language;  /**< NULL: not given */
	bool synthesised;      /**< The adapter closed it, not the service */
	const struct asr_word *words;
	size_t n_words;        /**< 0: none given */
};
