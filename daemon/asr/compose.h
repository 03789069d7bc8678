/**
 * @file compose.h  What we send to services: targets, header lines and JSON
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

/**
 * Append "Authorization: scheme key\r\n", as compose_header(); the param
 * `auth_prefix` names another scheme ("none": the key alone).
 *
 * @param scheme "": the key alone
 */
void compose_authorization(struct buf *out, const struct asr_settings *s,
			   const char *scheme);

/** One text message that is always the same. */
void compose_message(struct asr_message *out, const char *text);

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

/** One parameter of a query. */
struct compose_pair {
	const char *name;          /**< NULL: the end of the list */
	const char *value;         /**< "": leave it out */
};

/**
 * Append path and query of the upgrade: the url's own, then `fixed`, then
 * those of `defaults` that no param replaces, then the params as they stand
 * (a name twice is sent twice), percent-encoded.  A name that the url's query
 * has is not added again; an empty value leaves a parameter out, so `name=`
 * among the params takes back a default.
 *
 * @param fixed    Filled in by us: params of these names are left out
 * @param defaults NULL: none
 * @param ours     Params that are no parameters of the service; ends in NULL,
 *                 NULL: none
 */
void compose_target(struct buf *out, const struct asr_settings *s,
		    const struct compose_pair *fixed,
		    const struct compose_pair *defaults,
		    const char *const *ours);

/** Does the url's query have one of these names?  That name or NULL. */
const char *compose_url_clash(const struct asr_settings *s,
			      const char *const *names);

/** Is `ending` the end of the url's path? */
bool compose_path_ends(const struct asr_settings *s, const char *ending);

/** The value of the last param of this name, or NULL. */
const char *compose_param(const struct asr_settings *s, const char *name);

/** "linear16" "mulaw" "alaw", and "8000" "16000": of the wire. */
const char *compose_encoding(const struct asr_settings *s);
const char *compose_rate(const struct asr_settings *s);

/** For a vendor's check(): model and language have keys of their own.  In words
 * when they stand among the params, or NULL. */
const char *compose_own_keys(const struct asr_settings *s);

/** Does a param bear one of these names?  That name or NULL. */
const char *compose_params_clash(const struct asr_settings *s,
				 const char *const *ours);
