/** @file sip_text.h  Requests for the tests of what answers them */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "daemon/sig/sip.h"
#include "daemon/sig/sip_fields.h"

#define VIA  "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKb1\r\n"
#define FROM "From: \"A, B\" <sip:a@192.0.2.1>;tag=f\r\n"
#define TO   "To: <sip:b@192.0.2.2>\r\n"
#define ID   "Call-ID: c1@x\r\n"

struct parsed_request {
	struct sip_fields f;
	struct sip_message *m;  /**< NULL: refused, by */
	int err;
};

/** In a block of exactly its size, so that a byte beyond it is seen. */
static inline int request_read(struct parsed_request *r, const char *text)
{
	const size_t n = strlen(text);
	char *copy = malloc(n ? n : 1);

	memcpy(copy, text, n);
	r->m = NULL;
	const int err = sip_fields_read(&r->f, copy, n);

	r->err = sip_parse(&r->m, (const uint8_t *)copy, n);
	free(copy);
	return err;
}

static inline void request_free(struct parsed_request *r)
{
	sip_free(r->m);
	sip_fields_free(&r->f);
}
