/** @file uuid.h  UUIDs as text (RFC 9562 section 4) */
#pragma once

#include <stdint.h>

enum { UUID_TEXT = 37 }; /**< Bytes of the text with its NUL */

/** Lower case.  @return `out` */
const char *uuid_print(char out[UUID_TEXT], const uint8_t uuid[16]);
/** Of any version, in any case.  @return 0 or -EBADMSG, `out` untouched */
int uuid_parse(uint8_t out[16], const char *text);
