/** @file accept.c  The key of an upgrade and the proof that it was understood */
#include "daemon/ws/accept.h"

#include <mbedtls/base64.h>
#include <mbedtls/sha1.h>
#include <mbedtls/version.h>
#include <string.h>

#include "daemon/base/must.h"

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static void base64(char *out, size_t size, const uint8_t *data, size_t len)
{
	size_t written;

	must(!mbedtls_base64_encode((unsigned char *)out, size, &written, data,
				    len));
}

void upgrade_key(char key[UPGRADE_KEY], const uint8_t random[UPGRADE_RANDOM])
{
	base64(key, UPGRADE_KEY, random, UPGRADE_RANDOM);
}

void upgrade_accept(char accept[UPGRADE_ACCEPT], const char *key)
{
	uint8_t text[UPGRADE_KEY - 1 + sizeof(guid) - 1];
	const size_t n = strnlen(key, UPGRADE_KEY - 1);
	uint8_t sum[20] = {0};

	memcpy(text, key, n);
	memcpy(text + n, guid, sizeof(guid) - 1);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	must(!mbedtls_sha1(text, n + sizeof(guid) - 1, sum));
#else
	must(!mbedtls_sha1_ret(text, n + sizeof(guid) - 1, sum));
#endif
	base64(accept, UPGRADE_ACCEPT, sum, sizeof(sum));
}
