/**
 * @file keep.h  A result that outlives its message
 *
 * For services that never say "final", or say it late: what was said last is
 * kept, to be closed with its text, times and words.
 */
#pragma once

#include "daemon/base/result.h"

/**
 * A copy in one block: free().  Words of more than 64 KiB of text are left
 * out.
 *
 * @return NULL: no memory
 */
struct asr_result *keep_result(const struct asr_result *r);
