/**
 * @file sip.h  One SIP message (RFC 3261), parsed by libosip2
 *
 * What libosip2 accepts and the RFC refuses is checked here: version, one
 * CSeq whose method agrees, mandatory headers, scalar ranges.  Limits: 64 KiB
 * a datagram, 128 KiB over TCP, 100 headers, 8 KiB a header line.
 *
 * Line ends in front of a message are skipped, anything else there makes it
 * no message.  Refused though the RFC allows it: a NUL in the head (RFC 4475
 * section 3.1.1.2).  Overlooked, as nobody here needs them: other headers,
 * display names, the request URI behind its scheme, bytes behind the body.
 * The RFC 4475 messages by section: tests/flow/test_sip_equals_tshark.py.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sip_method {
	SIP_OTHER,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_UPDATE,
	SIP_INFO,
	SIP_PRACK,
	SIP_REGISTER,
};

/** Owned by the message; strings are never NULL, "" when absent. */
struct sip_message {
	bool request;
	enum sip_method method;   /**< Of the request, or of CSeq */
	unsigned status;          /**< 100..699; 0 in a request */
	uint32_t cseq;
	const char *call_id;      /**< Whole, "a@b" */
	const char *from_tag;
	const char *to_tag;
	const char *from;         /**< Address of record: user@host, or user;
				       as published in call.start */
	const char *to;
	const char *branch;       /**< Of the topmost Via */
	const char *session_id;   /**< RFC 7989, end to end */
	/** X-Cisco-Recording-Participant, `sip:a@b;media-index="0"`, all of
	 * them with commas between (CUBE, which has no metadata then). */
	const char *recorded;
	bool siprec;              /**< Require: siprec, +sip.src, or metadata */
	const char *sdp;          /**< Body, or its application/sdp part */
	size_t sdp_len;           /**< 0: none */
	const char *metadata;     /**< Of a recording (RFC 7865): body, or its
				       rs-metadata part */
	size_t metadata_len;      /**< 0: none */
	void *priv;
};

/**
 * @return 0, -EBADMSG (no SIP, or not by the RFC), -EMSGSIZE (a limit) or
 *         -ENOMEM
 */
int sip_parse(struct sip_message **out, const uint8_t *data, size_t len);
void sip_free(struct sip_message *m);

/** Cheap look at the first line: could this be SIP?  A method in capital
 * letters and a SIP URI or the version behind it, or a status line. */
bool sip_looks_like(const uint8_t *data, size_t len);
