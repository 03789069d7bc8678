/**
 * @file pki.h  The private PKI of pki.sh in a directory of its own
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/net/tls.h"

static char pki_dir[64];

/** Group set-up: run from the top of the tree. */
static inline int pki_make(void **state)
{
	char command[160];

	(void)state;
	snprintf(pki_dir, sizeof(pki_dir), "/tmp/trunkscribe-pki-XXXXXX");
	if (!mkdtemp(pki_dir))
		return -1;
	snprintf(command, sizeof(command), "tests/unit/net/pki.sh %s", pki_dir);
	return system(command);
}

static inline int pki_remove(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", pki_dir);
	return system(command);
}

/** "<dir>/<name>.<ext>"; good until the call after the next. */
static inline const char *pki_file(const char *name, const char *ext)
{
	static char path[2][128];
	static unsigned turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s.%s", pki_dir, name, ext);
	return path[turn];
}

static inline struct tls_context *pki_client(const char *ca)
{
	struct tls_context *c = NULL;
	struct reason why = {0};

	if (tls_client_context(&c, pki_file(ca, "pem"), &why))
		fail_msg("client context: %s", why.text);
	return c;
}

static inline struct tls_context *pki_server(const char *name)
{
	struct tls_context *c = NULL;
	struct reason why = {0};

	if (tls_server_context(&c, pki_file(name, "pem"), pki_file(name, "key"),
			       &why))
		fail_msg("server context %s: %s", name, why.text);
	return c;
}
