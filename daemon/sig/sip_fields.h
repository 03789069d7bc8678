/**
 * @file sip_fields.h  Every header line of a SIP message, as it stands there
 *
 * For a server: it copies header lines into its answers and needs the many
 * headers that sip_parse() does not keep.  Lenient on purpose, so that what
 * sip_parse() refuses can still be answered with 400: a line that is no header
 * is skipped, a missing end is the message's end, a NUL reads as '?'.
 *
 * Limits: SIP_HEADERS_MAX headers, SIP_LINE_MAX a line; what is beyond them is
 * not there.
 */
#pragma once

#include "daemon/sig/sip_head.h"

struct sip_field {
	struct sip_text name, value;  /**< Blanks at the ends taken off */
};

struct sip_fields {
	char *text;                   /**< Own copy of the head, unfolded */
	struct sip_text start;        /**< Start line */
	struct sip_text method, uri, version; /**< Of a request's start line,
					cut at single blanks; "" */
	size_t n;
	struct sip_field items[SIP_HEADERS_MAX];
};

/** @return 0, -EBADMSG (not even a start line), -EMSGSIZE or -ENOMEM */
int sip_fields_read(struct sip_fields *out, const char *data, size_t len);
void sip_fields_free(struct sip_fields *f);
/** Could the start line be a request's: three parts, or its end a version? */
bool sip_fields_request(const struct sip_fields *f);

/**
 * @param name Lower case; the compact form ("v" for "via") is found as well
 * @param nth From 0
 * @return its value; p NULL: there is none
 */
struct sip_text sip_field(const struct sip_fields *f, const char *name,
			  size_t nth);
/** Is this line the header `name`, in either form? */
bool sip_field_is(const struct sip_field *x, const char *name);
/** Is `what` one of the comma-separated tokens of any such header? */
bool sip_field_lists(const struct sip_fields *f, const char *name,
		     const char *what);

/** The next of comma-separated values; commas inside quotes and <> do not
 * separate.  @return false: none is left */
bool sip_next_value(struct sip_text *rest, struct sip_text *out);
/**
 * A parameter (";name=value" or ";name") of a value; not one inside quotes or
 * <>.
 *
 * @param out Its value, "" without one; may be NULL
 */
bool sip_param(struct sip_text value, const char *name, struct sip_text *out);
/** The value, for a parameter to be put behind it: without a ';' at its end. */
struct sip_text sip_param_base(struct sip_text value);
/** Quotes and angle brackets all come in pairs. */
bool sip_balanced(struct sip_text value);
