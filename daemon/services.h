/** @file services.h  The configured ASR services, and which leg gets which */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/call/service.h"
#include "daemon/cfg/config.h"

struct services;

/**
 * @param only An asr's name: all legs get it; "none": none do; NULL: the
 *             routes decide
 * @param why On error, in words
 *
 * @return 0 or -errno
 */
int services_open(struct services **out, const struct config *config,
		  const char *only, struct buf *why);
void services_close(struct services *s);

/** For struct calls_config.choose; `arg` is the services. */
const struct service *services_choose(const char *source, const char *from,
				      const char *to, enum role role,
				      void *arg);
