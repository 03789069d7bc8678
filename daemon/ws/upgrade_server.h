/**
 * @file upgrade_server.h  The server's side of the upgrade (RFC 6455 4.2)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"

struct upgrade_server;

/** @return 0 or -ENOMEM */
int upgrade_server_new(struct upgrade_server **out);
void upgrade_server_free(struct upgrade_server *u);

/**
 * Bytes of the request.
 *
 * @param used Those that belong to it; frames follow behind them
 *
 * @return 1 (a whole websocket request), 0 (more is needed), -EBADMSG (not
 *         HTTP), -EPROTO (HTTP, but not a websocket request: 400), -EMSGSIZE
 *         (431) or -ENOMEM
 */
int upgrade_server_feed(struct upgrade_server *u, const uint8_t *data,
			size_t len, size_t *used);

/** Both once the request is whole. */
const char *upgrade_server_target(const struct upgrade_server *u);
/** First value of a header, or NULL. */
const char *upgrade_server_header(const struct upgrade_server *u,
				  const char *name);

/**
 * Append the answer.
 *
 * @param status 101, or an HTTP status that refuses
 * @param headers Further lines, each ends in CRLF; NULL: none
 * @param body Where it refuses; NULL: none
 * @param wrong_accept A false proof, on purpose (simulators, tests)
 */
void upgrade_server_answer(const struct upgrade_server *u, struct buf *out,
			   unsigned status, const char *headers,
			   const char *body, bool wrong_accept);
