/** @file reason.c  Why a connection to an ASR service failed or ended */
#include "daemon/base/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"

static const char *const names[REASON_CLASSES] = {
	"none",    "dns",     "tcp",	 "tls",	    "config",
	"auth",    "payment", "quota",	 "server",  "restart",
	"network", "protocol", "session", "speed",   "timeout",
};

const char *reason_name(enum reason_class c)
{
	return c < REASON_CLASSES ? names[c] : "none";
}

void reason_set(struct reason *r, enum reason_class c, unsigned code,
		const char *fmt, ...)
{
	va_list ap;

	r->class = c;
	r->code = code;
	r->retry_after_ms = 0;
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
	utf8_clean(r->text);
}

enum { SECRET_MIN = 8 };

void reason_strike(struct reason *r, const char *secret)
{
	const size_t len = strlen(secret);
	size_t n = strlen(r->text);

	if (len < SECRET_MIN)
		return;
	for (char *at = r->text; (at = strstr(at, secret)); at += len)
		memset(at, '*', len);
	/* a part that could be told from words, at the end */
	for (size_t part = len < n ? len : n; part >= SECRET_MIN / 2; part--)
		if (!memcmp(r->text + n - part, secret, part)) {
			memset(r->text + n - part, '*', part);
			return;
		}
}

/* reference: RFC 9110 section 15, and reliability notes on 402, 429 */
enum reason_class reason_of_http(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return REASON_AUTH;
	case 402:
		return REASON_PAYMENT;
	case 429:
		return REASON_QUOTA;
	case 408:
		return REASON_TIMEOUT;
	}
	return status >= 500 && status < 600 ? REASON_SERVER : REASON_CONFIG;
}

/* RFC 6455 section 7.4.1 and the IANA registry of close codes */
enum reason_class reason_of_close(unsigned code)
{
	switch (code) {
	case 1000:
	case 1001:
	case 1012:
		return REASON_RESTART;
	case 1002:
	case 1003:
	case 1007:
	case 1009:
	case 1010:
		return REASON_PROTOCOL;
	case 1006:
		return REASON_NETWORK;
	case 1013:
	case 1014:
		return REASON_QUOTA;
	}
	return REASON_SERVER;
}
