/** @file listen.c  Items of `listen` */
#include "daemon/cfg/listen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/number.h"
#include "daemon/cfg/value.h"

int listen_parse(struct listen_at *out, const char *text,
		 const char *transports)
{
	const size_t n = strcspn(text, ":");
	const char *colon = strrchr(text, ':'), *host = text + n + 1;
	struct listen_at l = {0};
	uint64_t port;

	if (!colon || colon < host || n >= sizeof(l.transport))
		return -EBADMSG;
	memcpy(l.transport, text, n);
	if (!value_is_choice(l.transport, transports) ||
	    number_parse(&port, colon + 1, strlen(colon + 1), UINT16_MAX))
		return -EBADMSG;

	const bool six = *host == '[';
	if (six && (colon < host + 2 || colon[-1] != ']'))
		return -EBADMSG;
	if (addr_parse(&l.at, host + six, (size_t)(colon - host) - 2 * six) ||
	    (l.at.family == 6 && !six))
		return -EBADMSG;
	l.at.port = (uint16_t)port;
	*out = l;
	return 0;
}
