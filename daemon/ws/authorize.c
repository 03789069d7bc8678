/** @file authorize.c  Does a client know the secret? */
#include "daemon/ws/authorize.h"

#include <mbedtls/base64.h>
#include <string.h>
#include <strings.h>

enum { SECRET_MAX = 1024 };

static bool equal(const char *a, size_t len_a, const char *b, size_t len_b)
{
	unsigned char differ = len_a != len_b;

	for (size_t i = 0; i < len_a; i++)
		differ |= (unsigned char)(a[i] ^ b[len_b ? i % len_b : 0]);
	return !differ && len_b;
}

/* The word behind the scheme, or NULL: another scheme. */
static const char *behind(const char *header, const char *scheme)
{
	const size_t n = strlen(scheme);

	if (strncasecmp(header, scheme, n) != 0 || header[n] != ' ')
		return NULL;
	return header + n + strspn(header + n, " ");
}

bool authorize_matches(const char *header, const char *secret, size_t len)
{
	unsigned char text[SECRET_MAX];
	const char *word = header ? behind(header, "Bearer") : NULL;
	size_t n = 0;

	if (word)
		return equal(word, strlen(word), secret, len);
	word = header ? behind(header, "Basic") : NULL;
	if (!word || mbedtls_base64_decode(text, sizeof(text), &n,
					   (const unsigned char *)word,
					   strlen(word)))
		return false;
	return equal((const char *)text, n, secret, len);
}
