/** @file listen.h  Items of `listen`: "udp:192.0.2.1:5090", "tcp:[::1]:9092" */
#pragma once

#include "daemon/base/addr.h"

struct listen_at {
	char transport[8];  /**< "udp" "tcp" "tls" */
	struct addr at;     /**< Port 0: any that is free */
};

/**
 * @param transports Those that are possible, separated by one blank
 *
 * @return 0 or -EBADMSG, `out` untouched
 */
int listen_parse(struct listen_at *out, const char *text,
		 const char *transports);
