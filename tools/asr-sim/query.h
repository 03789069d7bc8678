/**
 * @file query.h  Settings in the query of the upgrade, and what is wrong there
 *
 * Most services are configured by the query.  A dialect names its parameters
 * and their values in a table; what does not fit is a violation of kind
 * "query", a parameter that is not in the table a note.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/asr-sim/conn.h"

enum query_kind {
	QUERY_TEXT,               /**< Anything but nothing */
	QUERY_BOOL,               /**< "true" or "false" */
	QUERY_INTEGER,            /**< min..max */
	QUERY_NUMBER,             /**< min..max, with a point or without */
	QUERY_WORD,               /**< One of `words` */
	QUERY_WORDS,              /**< Some of them, with commas between */
	QUERY_SECRET,             /**< A key: not in the report */
};

struct query_rule {
	const char *name;
	enum query_kind kind;
	double min, max;
	const char *const *words; /**< Ends in NULL */
	const char *unusual;      /**< Why it is noted, or NULL */
};

/** Is this the path of the target, before any query? */
bool query_path(const char *target, const char *path);

/**
 * Read and judge the query; it is the connection's configuration in the
 * report, less the secrets.
 *
 * @param rules Ends in a row without a name
 *
 * @return an object of strings, the caller's.  Of a parameter that came twice
 *         the last one counts; words are joined by commas.
 */
json_t *query_read(struct conn *c, const char *target,
		   const struct query_rule *rules);

/** A parameter must be there; a violation if it is not. */
bool query_need(struct conn *c, const json_t *query, const char *name);
/** "true" or "false", else `otherwise`. */
bool query_on(const json_t *query, const char *name, bool otherwise);
/** The number, or `otherwise`: not there, or none in min..max. */
double query_number(const json_t *query, const char *name, double min,
		    double max, double otherwise);
/**
 * What audio is by `encoding` and `sample_rate`: one of this simulator.
 *
 * @return false: it is not; `why` is set to the reason, a string constant
 */
bool query_audio(const json_t *query, enum asr_encoding otherwise,
		 uint32_t rate_hz, enum asr_encoding *encoding,
		 uint32_t *rate, const char **why);

/** The target with stars for what may be a key.  The caller's, or NULL. */
char *query_redacted(const char *target);
