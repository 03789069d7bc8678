/**
 * @file authorize.h  Does a client know the secret?  (RFC 7617, RFC 6750)
 *
 * "Authorization: Basic base64(user:password)" or "Authorization: Bearer
 * token"; the secret is "user:password" or the token.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * Takes as long for a secret that is wrong in its first byte as for one that is
 * wrong in its last.
 *
 * @param header The header's value; NULL: it was not there
 */
bool authorize_matches(const char *header, const char *secret, size_t len);
