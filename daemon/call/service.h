/**
 * @file service.h  One configured ASR service, ready to be connected to
 *
 * Made from the configuration at start; shared by all legs that use it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"

struct tls_context;

struct service {
	const struct config_asr *config;
	const struct asr_vendor *vendor;
	struct asr_settings settings;
	struct asr_param *params;
	char *target;
	char host[254];
	uint16_t port;
	struct tls_context *tls;  /**< NULL: ws:// */
	struct buf key;
};

/**
 * @param config Must outlive it
 * @param credentials $CREDENTIALS_DIRECTORY or NULL
 * @param why On error, in words, with the cure
 *
 * @return 0 or -errno
 */
int service_open(struct service **out, const struct config_asr *config,
		 const char *credentials, struct buf *why);
void service_close(struct service *s);
