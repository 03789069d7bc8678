/**
 * @file accept.h  The key of an upgrade and the proof that it was understood
 *
 * RFC 6455 sections 4.1 and 4.2.2: the client sends 16 random bytes in base64,
 * the server hashes that text with a fixed GUID.
 */
#pragma once

#include <stdint.h>

enum {
	UPGRADE_RANDOM = 16,
	UPGRADE_KEY = 25,    /**< base64 of 16 bytes, and a NUL */
	UPGRADE_ACCEPT = 29, /**< base64 of 20 bytes, and a NUL */
};

enum { UPGRADE_HEADERS = 64, UPGRADE_HEAD = 8 * 1024 }; /**< Limits */

void upgrade_key(char key[UPGRADE_KEY], const uint8_t random[UPGRADE_RANDOM]);

/** @param key NUL-terminated, 24 characters at most are looked at */
void upgrade_accept(char accept[UPGRADE_ACCEPT], const char *key);
