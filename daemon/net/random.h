/** @file random.h  Randomness of the kernel, for ids, masks and delays */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/uuid.h"

/** Fill with random bytes; never fails once the kernel is seeded. */
void random_bytes(void *out, size_t n);

/** A random UUID (RFC 9562 version 4), lower case.  @return `out` */
const char *random_uuid(char out[UUID_TEXT]);
