/**
 * @file compose.h  What we send to services: header lines and JSON
 *
 * Texts come from the configuration and are valid UTF-8.
 */
#pragma once

#include <stdbool.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/buf.h"

/**
 * Append "Name: prefix value\r\n".  Nothing is appended for an empty value,
 * nor for one that would end the line: the service then refuses us in words.
 *
 * @param prefix "" or "Bearer " and the like
 */
void compose_header(struct buf *out, const char *name, const char *prefix,
		    const char *value);

/** Append a JSON string, quoted and escaped. */
void compose_string(struct buf *out, const char *text);

/** Append a params value: as it is where it is JSON, else as JSON string. */
void compose_value(struct buf *out, const char *value);

/**
 * Append `,"name":value` for each of the params; of a name that stands there
 * twice the last one counts.
 *
 * @param ours Names the vendor fills in itself, left out here; ends in NULL
 */
void compose_params(struct buf *out, const struct asr_settings *s,
		    const char *const *ours);

/** Does a param bear one of these names?  That name or NULL. */
const char *compose_params_clash(const struct asr_settings *s,
				 const char *const *ours);
