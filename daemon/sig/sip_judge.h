/**
 * @file sip_judge.h  What is wrong with a request, whatever it wants
 *
 * RFC 3261 section 8.2, in its order: method, URI, Require, content.  The
 * RFC 4475 messages and what each of them gets:
 * tests/flow/test_sip_torture_messages_are_answered.py.
 */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/sig/sip.h"
#include "daemon/sig/sip_fields.h"

/** The methods and extensions that we know, as their headers list them. */
#define SIP_ALLOW     "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK"
#define SIP_SUPPORTED "siprec, timer"

/**
 * @param m What sip_parse() made of it; NULL: it refused, with `err`
 * @param headers Lines that the answer needs are appended
 *
 * @return 0: nothing is wrong; else the answer's status
 */
unsigned sip_judge(struct buf *headers, const struct sip_fields *f,
		   const struct sip_message *m, int err);
