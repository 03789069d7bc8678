/** @file ask.h  Questions to the control socket */
#pragma once

#include <jansson.h>

#include "daemon/base/buf.h"

#include "tools/trunkscribectl/client.h"

enum { FAILED = 2 };

/**
 * @param question Taken over
 *
 * @return the answer, `ok` or not; NULL: what failed has been said
 */
json_t *ask_on(struct client *c, const char *socket, json_t *question);
/** One question on a connection of its own, of an answer that is `ok`.
 * @return NULL: what is wrong has been said */
json_t *ask(const struct options *o, json_t *question);
/** Connect; what is wrong is said.  @return NULL then */
struct client *ask_open(const struct options *o);

/** Members; 0 and NULL where there is none. */
long long number_of(const json_t *o, const char *key);
const char *text_of(const json_t *o, const char *key);
/** One line of JSON on stdout. */
void put_json(const json_t *o);
/** @return an exit code */
int put_out(struct buf *out);
