/**
 * @file load.h  Between the parts of the reader; nobody else includes this
 */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"
#include "daemon/cfg/table.h"

/** Where errors go; `{0}` but for name and out. */
struct complaints {
	const char *name;   /**< Of the file */
	struct buf *out;
	unsigned count;
};

/** Add "NAME:LINE: text", made printable.  After 50 the rest is left out. */
void complain(struct complaints *c, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Put one value into its member.
 *
 * @param base What the section's members belong to: config, asr or route
 * @param why On -EINVAL: what is wrong and what to do
 *
 * @return 0, -EINVAL or -ENOMEM
 */
int store_value(void *base, const struct config_key *key, const char *text,
		struct buf *why);
/** The defaults of all keys of a section. */
int store_presets(void *base, const char *section);

/** A value as it is written, "256M" "24h" "0660", in the largest whole unit. */
void print_amount(struct buf *out, enum config_type type, uint64_t v);

/** Append an item whose members hold their defaults. */
int add_asr(struct config *c, const char *name, unsigned line);
int add_route(struct config *c, unsigned line);

/** What can only be judged when all has been read. */
void check_config(const struct config *c, struct complaints *to);

/** The known name nearest to `name`, or NULL: none is near. */
const char *nearest_section(const char *name);
const char *nearest_key(const char *section, const char *name);
