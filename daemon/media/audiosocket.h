/**
 * @file audiosocket.h  Asterisk's AudioSocket: messages out of a TCP stream
 *
 * One byte of kind, two of length (big-endian), payload (reference: telephony
 * section 1.2.2).  Bytes may come in any pieces.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/rd.h"

enum audiosocket_kind {
	AUDIOSOCKET_HANGUP = 0x00,
	AUDIOSOCKET_UUID = 0x01,
	AUDIOSOCKET_DTMF = 0x03,
	AUDIOSOCKET_SLIN = 0x10,       /**< 8 kHz, little-endian */
	AUDIOSOCKET_SLIN_LAST = 0x18,  /**< From 0x11: other rates */
	AUDIOSOCKET_ERROR = 0xff,
};

enum {
	AUDIOSOCKET_HEAD = 3,
	AUDIOSOCKET_MAX = 16000,       /**< Payload [bytes]: 1 s at 8 kHz */
	AUDIOSOCKET_UUID_LEN = 16,
};

/** Borrowed until the next call. */
struct audiosocket_message {
	uint8_t kind;
	const uint8_t *data;
	size_t len;
};

/** The part of a message that has come; `{0}` to begin. */
struct audiosocket {
	size_t len;
	uint8_t part[AUDIOSOCKET_HEAD + AUDIOSOCKET_MAX];
};

/**
 * The next message of what was kept and of `in`, which then has it behind it.
 * Lengths that a kind cannot have are refused: a UUID has 16 bytes, a digit
 * one, audio an even number.
 *
 * @return 1 and a message; 0: all of `in` was taken, more is needed; -EMSGSIZE
 *         or -EBADMSG: nothing sensible can follow
 */
int audiosocket_next(struct audiosocket *a, struct rd *in,
		     struct audiosocket_message *out);

/** Samples a second of an audio kind; 0: it is none. */
unsigned audiosocket_rate(uint8_t kind);
