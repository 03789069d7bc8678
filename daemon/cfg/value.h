/** @file value.h  Texts of the configuration as values */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * All: text is NUL-terminated; 0, -EBADMSG (not of that form) or -ERANGE (too
 * large for the type), `out` untouched on error.
 */

/** "1000" */
int value_number(uint64_t *out, const char *text);
/** "0660" -> [bits]; three or four octal digits */
int value_mode(uint64_t *out, const char *text);
/** "256M" -> [bytes]; K, M, G are powers of 1024, no unit is bytes */
int value_size(uint64_t *out, const char *text);
/** "250ms" "30s" "5m" "24h" "7d" -> [ms]; a unit is a must */
int value_duration(uint64_t *out, const char *text);
/** yes no, true false, on off */
int value_bool(bool *out, const char *text);
/** "name=value" -> length of the name: letters, digits, "_" "." "-" */
int value_param(size_t *out, const char *text);
/** Is `text` one of `choices`, which are separated by one blank? */
bool value_is_choice(const char *text, const char *choices);
