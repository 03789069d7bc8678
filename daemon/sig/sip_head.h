/**
 * @file sip_head.h  Start line and header lines of a SIP message, bounded
 *
 * What stands in front of libosip2: it finds the few headers we use, counts,
 * refuses what RFC 3261 refuses and libosip2 lets pass (see sip.h), and leaves
 * everything else alone, so that a strange Date or Contact costs no call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIP_MESSAGE_MAX = 128 * 1024,
	SIP_HEADERS_MAX = 100,
	SIP_LINE_MAX = 8 * 1024,
	SIP_RECORDED_MAX = 4,
};

/** A piece of the head; p is NULL when the header is not there. */
struct sip_text {
	const char *p;
	size_t len;
};

struct sip_head {
	bool request;
	unsigned status;
	struct sip_text method, uri;
	struct sip_text via;         /**< First of them */
	struct sip_text from, to, call_id, cseq;
	struct sip_text content_type, content_length, content_encoding;
	struct sip_text max_forwards;
	struct sip_text session_id;  /**< First of them */
	struct sip_text recorded[SIP_RECORDED_MAX]; /**< See sip.h */
	size_t n_recorded;
	bool siprec;                 /**< Require: siprec, or +sip.src */
	size_t headers;
	char *text;                  /**< Own copy, unfolded */
	size_t len;                  /**< Bytes of the message up to the body */
};

/**
 * Skips line ends in front of the message (RFC 3261 section 7.5); other junk
 * makes it no message.  Nothing is written on error.
 *
 * @return 0, -EBADMSG, -EMSGSIZE or -ENOMEM
 */
int sip_head_parse(struct sip_head *out, const char *data, size_t len);
void sip_head_free(struct sip_head *h);

/** Compare without case. */
bool sip_text_is(struct sip_text t, const char *what);
/** Blanks at both ends taken off. */
struct sip_text sip_text_trim(struct sip_text t);
/** Up to `sep`, which is taken out of `rest` together with it. */
struct sip_text sip_text_cut(struct sip_text *rest, char sep);
